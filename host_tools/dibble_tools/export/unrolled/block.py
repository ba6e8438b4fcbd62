"""Lines of Python, one space a level."""

from collections.abc import Sequence

SMALL_INT_BITS = 30


class Block:
    """Lines of a function's body at some depth."""

    def __init__(self, depth: int = 0) -> None:
        self.depth = depth
        self.lines: list[str] = []

    def add(self, line: str, deeper: int = 0) -> None:
        """Append a line, `deeper` levels below the block's own."""
        self.lines.append(" " * (self.depth + deeper) + line)


class Packed:
    """Sums of several classes side by side in one small int.

    Args:
        classes: those that share it, ascending.
        highest: the most any of them can reach.
    """

    def __init__(self, classes: Sequence[int], highest: int) -> None:
        self.classes = list(classes)
        self.bits = max(highest.bit_length(), 1)

    def fits(self) -> bool:
        """Tell whether a small int of a 32-bit board holds them."""
        return len(self.classes) * self.bits <= SMALL_INT_BITS

    def of(self, class_index: int, amount: int) -> int:
        """Return an amount of one class, in its place."""
        return amount << self.bits * self.classes.index(class_index)

    def score(self, name: str, class_index: int) -> str:
        """Return the expression of one class's sum, for a variable's name."""
        shift = self.bits * self.classes.index(class_index)
        text = f"{name} >> {shift}" if shift else name
        return text if class_index == self.classes[-1] else f"{text} & {(1 << self.bits) - 1}"


def top_two(out: Block, scores: Sequence[str]) -> None:
    """Append what makes w, m and s of the scores: the first of the highest, its score and the runner-up's."""
    out.add("w = 0")
    out.add(f"m = {scores[0]}")
    if len(scores) == 1:
        out.add("s = -1")
    for k, score in enumerate(scores[1:], 1):
        if not score.isidentifier():
            out.add(f"e = {score}")
            score = "e"
        out.add(f"if {score} > m:")
        for line in ("s = m", f"m = {score}", f"w = {k}"):
            out.add(line, 1)
        out.add("else:" if k == 1 else f"elif {score} > s:")
        out.add(f"s = {score}", 1)
