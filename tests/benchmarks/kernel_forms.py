"""Forms that a kernel in bytecode can take, for one forest, counted: why the firmware has the ones it has.

    python tests/benchmarks/kernel_forms.py

Scikit-learn's digits, 10 trees of 100 leaves (models/digits); WebAssembly instructions of MicroPython's 32-bit
build for a prediction's votes and the winner, the mean over 20 rows. The last two are the firmware's: the model
file's bytes in pages of 128 splits, and the model as code; both with the margin. Every form's winners are compared
with the host's.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from dibble_tools.bench import counts
from dibble_tools.bench.cases import DIGITS, cases
from dibble_tools.families.forest.integer_trees import IntegerTrees
from dibble_tools.machines.replay import WASI_HEAP, WASI_MEMORY
from dibble_tools.machines.vms import run_wasi
from dibble_tools.model.content import Forest
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.reader import trees_of
from sklearn.datasets import load_digits

MODEL = Path(__file__).parents[2] / "models" / "digits"
ROWS = 20
WORD = 29  # bits of a mask that a small int of 31 bits holds beside its sign
WINNER = """
    best = -1
    i = 0
    for vote in votes:
        if vote > best:
            best = vote
            winner = i
        i += 1
    return winner
"""
ARRAYS = """
def predict(x):
    for i in range({classes}):
        votes[i] = 0
    for i in roots:
        while i >= 0:
            i = left[i] if x[feature[i]] <= threshold[i] else right[i]
        votes[-1 - i] += 1
"""
TUPLES = """
def predict(x):
    for i in range({classes}):
        votes[i] = 0
    for node in trees:
        while True:
            feature, threshold, left, right = node
            if feature < 0:
                break
            node = left if x[feature] <= threshold else right
        votes[threshold] += 1
"""
SPLITS_BY_FEATURE = """
def predict(x):
    for i in range({words}):
        alive[i] = {full}
    i = 0
    for cuts in features:
        value = x[i]
        for threshold, word, mask in cuts:
            if value <= threshold:
                break
            alive[word] &= mask
        i += 1
    for i in range({classes}):
        votes[i] = 0
    for first, last, leaves in trees:
        for word in range(first, last):
            bits = alive[word]
            if bits:
                votes[leaves[(word - first) * {bits} + place[(bits & -bits) % 59]]] += 1
                break
"""


def forms(trees: IntegerTrees) -> Iterator[tuple[str, str]]:
    """Yield (what, program with predict(x) -> winner)."""
    votes = f"votes = [0] * {trees.classes}\n"
    names = ("feature", "threshold", "left", "right")
    lists = "".join(f"{name} = {list(c)}\n" for name, c in zip(names, zip(*trees.nodes, strict=True), strict=True))
    lists += f"roots = {trees.roots}\n"
    yield "parallel lists, indexed", votes + lists + ARRAYS.format(classes=trees.classes) + WINNER
    nested = "".join(f"n{i} = ({f}, {t}, {_name(a)}, {_name(b)})\n" for i, (f, t, a, b) in enumerate(trees.nodes))
    leaves = "".join(f"l{k} = (-1, {k}, 0, 0)\n" for k in range(trees.classes))
    roots = ", ".join(map(_name, trees.roots))
    nested += f"trees = ({roots},)\n"
    yield "nested tuples", votes + leaves + nested + TUPLES.format(classes=trees.classes) + WINNER
    head = ["def predict(x):", f" for i in range({trees.classes}):", "  votes[i] = 0"]
    body = [line for root in trees.roots for line in _ifs(trees, root, 1)]
    yield "if statements, a list of votes", votes + "\n".join([*head, *body, WINNER.replace("    ", " ")])
    yield "bit vectors of leaves (QuickScorer)", votes + _quickscorer(trees) + WINNER


def _name(child: int) -> str:
    return f"n{child}" if child >= 0 else f"l{-1 - child}"


def _ifs(trees: IntegerTrees, node: int, depth: int) -> list[str]:
    if node < 0:
        return [f"{' ' * depth}votes[{-1 - node}] += 1"]
    feature, threshold, left, right = trees.nodes[node]
    lines = [f"{' ' * depth}if x[{feature}] <= {threshold}:", *_ifs(trees, left, depth + 1)]
    return [*lines, f"{' ' * depth}else:", *_ifs(trees, right, depth + 1)]


def _quickscorer(trees: IntegerTrees) -> str:
    """Return a program in which each split that a row goes right at strikes out the leaves on its left.

    Source: Lucchese et al., QuickScorer (SIGIR 2015): the first leaf left over is the row's.
    """
    by_feature: dict[int, list[tuple[int, int, int]]] = {}
    spans, words = [], 0
    for root in trees.roots:
        leaves: list[int] = []
        struck: list[tuple[int, int, int, int]] = []

        def walk(node: int, leaves: list[int] = leaves, struck: list[tuple[int, int, int, int]] = struck) -> None:
            if node < 0:
                leaves.append(-1 - node)
                return
            feature, threshold, left, right = trees.nodes[node]
            first = len(leaves)
            walk(left)
            struck.append((feature, threshold, first, len(leaves)))
            walk(right)

        walk(root)
        for feature, threshold, first, end in struck:
            for word in range(first // WORD, (end - 1) // WORD + 1):
                a, b = max(first - word * WORD, 0), min(end - word * WORD, WORD)
                mask = (1 << WORD) - 1 & ~((1 << b) - (1 << a))
                by_feature.setdefault(feature, []).append((threshold, words + word, mask))
        count = -(-len(leaves) // WORD)
        spans.append((words, words + count, bytes(leaves)))
        words += count
    features = tuple(tuple(sorted(by_feature.get(i, []))) for i in range(max(by_feature) + 1))
    place = [0] * 59
    for bit in range(WORD):
        place[(1 << bit) % 59] = bit
    text = f"alive = [0] * {words}\nplace = bytes({place})\nfeatures = {features}\ntrees = {tuple(spans)}\n"
    return text + SPLITS_BY_FEATURE.format(words=words, full=(1 << WORD) - 1, classes=trees.classes, bits=WORD)


def count(program: str, rows: np.ndarray, expected: list[int]) -> int:
    """Return the instructions of predict(row), the mean over rows; AssertionError for another winner."""
    found = []
    for times in (1, 3):
        text = f"{program}\nrows = {rows.tolist()!r}\n"
        text += "def run(answers):\n for row in rows:\n  answers.append(predict(row))\n"
        text += f"for _ in range({times}):\n a = []\n run(a)\nprint(a)\n"
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "main.py").write_text(text)
            run = run_wasi(Path(folder), "main.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY)
        assert run.instructions is not None
        assert run.stdout.strip() == str(expected), (run.stdout, expected)
        found.append(run.instructions)
    return (found[1] - found[0]) // (2 * len(rows))


def main() -> None:
    """Print a line for each form."""
    model = HostModel.open(MODEL)
    x = load_digits().data.astype(np.int64)
    rows = x[:: len(x) // ROWS][:ROWS]
    expected = model.decide(rows).class_index.tolist()
    assert isinstance(model.content.family, Forest)
    trees = trees_of(model.content.family)
    low = list(model.model.low)
    rows = np.clip(rows, low, list(model.model.high)) - low
    for what, program in forms(trees):
        print(f"{what:40}{count(program, rows, expected):>10,}", flush=True)
    case = next(case for case in cases() if case.name == DIGITS)
    print(f"{'bytes of the model file':40}{counts.kernels(case)['kernel_tables']:>10,}")
    print(f"{'an expression a tree, votes in two ints':40}{counts.code_cost(case, ranges=False):>10,}")
    print(f"{'- that also holds each range':40}{counts.code_cost(case):>10,}")


if __name__ == "__main__":
    main()
