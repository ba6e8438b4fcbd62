"""Scores of an integer forest on many rows at once: a set of rows is a bit a row, and NumPy joins 8 rows a byte.

A split's answer is the set of rows at or below its threshold. What reaches its children is that set's share of what
reaches the split, and what is left over. The leaves of a tree are joined by class and by bit of what they give; each
class's sum is a set of rows for each of its bits, to which a tree is added with carries. So a row costs some bits a
split, whichever way it goes, and every loop over rows is NumPy's.
"""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from dibble_tools.families.forest.integer_trees import IntegerTrees, highest_scores, reachable, scores

FEW_ROWS = 4000  # are walked from node to node, which takes longer a row and less a forest
MANY_ROWS = 1 << 17  # at once: a set takes 16 KB
KEPT_BYTES = 1 << 24  # at most, for answers that several trees ask for
EVERY_ROW = 0  # number of that set

Ask = tuple[int, int]  # feature, threshold
Step = tuple[Callable[..., object], int, int, int]  # of two sets into a third, by their numbers


@dataclass
class _Tree:
    """What adds one tree to the sums: first the sets to ask for, none of which a tree before has left, then steps."""

    asks: list[tuple[Ask, int]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


class BitTrees:
    """A forest that is ready to run.

    Args:
        trees: over feature values >= 0.
    Attributes:
        score_type: signed, holds every score, and a lead by one more.
    """

    def __init__(self, trees: IntegerTrees) -> None:
        self.trees = trees
        self.score_type = np.dtype(np.int16 if max(highest_scores(trees)) < (1 << 15) - 1 else np.int32)
        self._making = Lock()
        self._program: _Program | None = None

    def scores(self, columns: np.ndarray) -> np.ndarray:
        """Return each class's score (classes, rows) for feature values of any integer type (features, rows)."""
        rows = columns.shape[1]
        if rows < FEW_ROWS:
            return scores(self.trees, columns.T).T.astype(self.score_type)
        with self._making:
            program = self._program = self._program or _Program(self.trees)
        out = np.empty((self.trees.classes, rows), dtype=self.score_type)
        for first in range(0, rows, program.rows):
            part = slice(first, first + program.rows)
            program.run(columns[:, part], out[:, part])
        return out


class _Program:
    """All trees as steps over numbered sets of rows.

    Attributes:
        rows: that are run at once.
    """

    def __init__(self, trees: IntegerTrees) -> None:
        self.nodes, self.gives = trees.nodes, trees.gives
        self.base = list(trees.base)
        self.sums: list[list[int]] = [[] for _ in self.base]  # of each class a set for each bit, the lowest first
        self.most_bits = [(high - low).bit_length() for high, low in zip(highest_scores(trees), self.base, strict=True)]
        asked = Counter(ask for root in trees.roots for ask in {split[:2] for split in _splits(trees, root)})
        self.several = {ask for ask, times in asked.items() if times > 1}
        self.rows = min(MANY_ROWS, max(KEPT_BYTES // (len(self.several) + 1), FEW_ROWS // 8) * 8)
        self.kept: dict[Ask, int] = {}
        self.numbers, self.free = 1, list[int]()
        self.answers: list[int] = []  # sets that hold an answer while a tree is run: asked before all its steps
        self.trees = [self._tree(root) for root in trees.roots]

    def run(self, columns: np.ndarray, out: np.ndarray) -> None:
        """Write the scores (classes, rows) of columns (features, rows)."""
        rows = columns.shape[1]
        below = np.empty(rows, dtype=bool)
        sets = list(np.empty((self.numbers, -(-rows // 8)), dtype=np.uint8))
        sets[EVERY_ROW][:] = 255
        kind = columns.dtype.type
        largest = np.iinfo(kind).max
        for tree in self.trees:
            for (feature, threshold), number in tree.asks:
                np.less_equal(columns[feature], kind(min(threshold, largest)), out=below)
                sets[number] = np.packbits(below)
            for work, a, b, into in tree.steps:
                work(sets[a], sets[b], sets[into])
        for score, base, bits in zip(out, self.base, self.sums, strict=True):
            score[:] = 0
            for number in reversed(bits):
                np.add(score, score, out=score)
                np.add(score, np.unpackbits(sets[number], count=rows), out=score)
            np.add(score, out.dtype.type(base), out=score)

    def _tree(self, root: int) -> _Tree:
        tree = _Tree()
        if root < 0:
            class_index, amount = self.gives[-1 - root]
            self.base[class_index] += amount
            return tree
        own: dict[Ask, int] = {}
        given: list[dict[int, int]] = [{} for _ in self.base]  # for each class: bit -> set
        reached = {root: EVERY_ROW}
        waiting = [-root]
        while waiting:  # a node's parents have higher numbers, so all of them are done
            node = -heapq.heappop(waiting)
            feature, threshold, left, right = self.nodes[node]
            here, yes = reached.pop(node), self._new()
            no = here if here != EVERY_ROW else self._new()
            tree.steps.append((np.bitwise_and, here, self._asked((feature, threshold), tree, own), yes))
            tree.steps.append((np.bitwise_xor, here, yes, no))
            for child, rows in ((left, yes), (right, no)):
                if child < 0:
                    self._give(tree, given, -1 - child, rows)
                elif child in reached:
                    tree.steps.append((np.bitwise_or, reached[child], rows, reached[child]))
                    self.free.append(rows)
                else:
                    reached[child] = rows
                    heapq.heappush(waiting, -child)
        for class_index, amount_bits in enumerate(given):
            self._add(tree, class_index, amount_bits)
        self.answers += own.values()
        return tree

    def _asked(self, ask: Ask, tree: _Tree, own: dict[Ask, int]) -> int:
        """Return the set at or below a threshold; it is kept as long as a later tree asks, too."""
        several = ask in self.several
        known = self.kept if several else own
        if ask not in known:
            known[ask] = self.answers.pop() if self.answers and not several else self._another()
            tree.asks.append((ask, known[ask]))
        return known[ask]

    def _give(self, tree: _Tree, given: list[dict[int, int]], leaf: int, rows: int) -> None:
        """Join what reaches a leaf to each bit of the amount that it gives."""
        class_index, amount = self.gives[leaf]
        of = given[class_index]
        for bit in range(amount.bit_length()):
            if amount >> bit & 1:
                if bit not in of and amount >> bit == 1:  # as it is: nothing else asks for it
                    of[bit] = rows
                    return
                into = of[bit] if bit in of else self._new()
                tree.steps.append((np.bitwise_or, of.setdefault(bit, rows), rows, into))
                of[bit] = into
        self.free.append(rows)

    def _add(self, tree: _Tree, class_index: int, amount: dict[int, int]) -> None:
        """Add a number, bit -> set, to a class's sum."""
        total, carry = self.sums[class_index], list[int]()
        for bit in range(self.most_bits[class_index]):
            new = ([amount.pop(bit)] if bit in amount else []) + carry
            if not new and not amount:
                break
            if bit == len(total):
                total.append(new.pop() if new else self._zero(tree))
            carry = []
            for rows in new:  # two at most, and then not both of them carry
                over = self._new()
                tree.steps.append((np.bitwise_and, total[bit], rows, over))
                tree.steps.append((np.bitwise_xor, total[bit], rows, total[bit]))
                self.free.append(rows)
                if carry:
                    tree.steps.append((np.bitwise_or, carry[0], over, carry[0]))
                    self.free.append(over)
                else:
                    carry = [over]
        self.free += carry

    def _zero(self, tree: _Tree) -> int:
        none = self._new()
        tree.steps.append((np.bitwise_xor, EVERY_ROW, EVERY_ROW, none))
        return none

    def _new(self) -> int:
        """Return the number of a set whose content nothing asks for any more."""
        return self.free.pop() if self.free else self._another()

    def _another(self) -> int:
        self.numbers += 1
        return self.numbers - 1


def _splits(trees: IntegerTrees, root: int) -> list[tuple[int, int, int, int]]:
    """Return the splits of one tree."""
    return reachable(IntegerTrees(trees.nodes, [root], trees.classes))
