"""What a wrong decision costs: `--cost frost:ok=5`, and the row weights that make a model mind it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dibble_tools.common import portable
from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed

GRAMMAR = "TRUTH:DECIDED=COST such as frost:ok=5"
MAX_COST = 1e6


@dataclass(frozen=True)
class Costs:
    """Costs of deciding one class where another is true.

    Attributes:
        matrix: float64 (K, K), [truth, decided]; 0 on the diagonal.
    """

    matrix: np.ndarray

    def expected_cost(self, truth: np.ndarray, decided: np.ndarray) -> float:
        """Return the mean cost a row, both arrays of class indices; NaN without rows."""
        return float(self.matrix[truth, decided].mean()) if len(truth) else math.nan

    def row_weights(self, y: np.ndarray, balance: float) -> np.ndarray:
        """Return how much each row counts in training, mean 1.

        A row weighs its class's share to the power -balance, times the mean cost of missing its class.
        With two classes a model that is fitted so decides at the cheapest threshold; with more, the
        mean forgets which class was decided instead.

        Args:
            y: class indices.
            balance: 0 takes classes as they come, 1 weighs a rare class as much as a common one.
        Source: Elkan, The Foundations of Cost-Sensitive Learning, IJCAI 2001, theorem 1: weighing the
            rows of a class by its cost moves the threshold as that cost does.
        """
        counts = np.bincount(y, minlength=len(self.matrix))
        share = np.maximum(counts, 1) / len(y)  # a class without rows weighs nothing anyway
        missed = self.matrix.sum(axis=1) / (len(self.matrix) - 1)
        weights = (portable.exp(-balance * portable.log(share)) * missed)[y]
        return weights / weights.mean()


def parse_costs(texts: Sequence[str], classes: Sequence[str]) -> Costs:
    """Return the costs that `--cost` options name; any other error costs 1, a right decision nothing.

    Args:
        texts: of the form TRUTH:DECIDED=COST; a class name may hold ":" and "=".
        classes: class names, in the order of their indices.
    Raises:
        InputError: a text isn't of that form, names no class, or says what another one said.
    """
    matrix = 1.0 - np.eye(len(classes))
    given: dict[tuple[int, int], str] = {}
    for text in texts:
        head, equals, number = text.rpartition("=")
        if not equals or ":" not in head:
            raise InputError(f"--cost: expected {GRAMMAR}, got {text!r}.")
        truth, decided = _pair(head, classes, text)
        if truth == decided:
            raise InputError(f"--cost {text}: expected two classes, got {classes[truth]!r} twice: being right is free.")
        if (truth, decided) in given:
            raise InputError(f"--cost {text}: expected one cost a pair, got {given[truth, decided]!r} too: keep one.")
        given[truth, decided] = text
        matrix[truth, decided] = _cost(number, text)
    for name, row in zip(classes, matrix, strict=True):
        if len(classes) > 1 and not row.any():
            raise InputError(f"--cost: expected a cost above 0 for some error on {name!r}: else nothing learns it.")
    return Costs(matrix)


def _pair(head: str, classes: Sequence[str], text: str) -> tuple[int, int]:
    """Return (truth, decided): of all colons to split at, the one that leaves a class on both sides."""
    at = [i for i, character in enumerate(head) if character == ":"]
    pairs = [(head[:i].strip(), head[i + 1 :].strip()) for i in at]
    known = [pair for pair in pairs if pair[0] in classes and pair[1] in classes]
    if len(known) > 1:
        ways = " or ".join(f"{truth!r} decided {decided!r}" for truth, decided in known)
        raise InputError(f"--cost {text}: expected one meaning, got {ways}: rename a class.")
    if not known:
        truth, decided = max(pairs, key=lambda pair: (pair[0] in classes) + (pair[1] in classes))
        name = decided if truth in classes else truth
        raise InputError(f"--cost {text}: expected a class, got {name!r}; {listed(name, classes)}")
    return classes.index(known[0][0]), classes.index(known[0][1])


def _cost(number: str, text: str) -> float:
    try:
        cost = float(number)
    except ValueError:
        cost = math.nan
    if not 0 <= cost <= MAX_COST:
        raise InputError(f"--cost {text}: expected a cost from 0 to {MAX_COST:.0f}, got {number.strip()!r}.")
    return cost
