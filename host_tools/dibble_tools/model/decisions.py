"""What is decided on rows, and what people call its flags."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dibble.inference.decision import NO_CLASS

FLAG_NAMES = ("unsure", "out of range", "sensor fault", "novel")  # from the lowest bit on


@dataclass(frozen=True)
class Decisions:
    """What the node concludes on each row: int arrays, as in firmware's Decision."""

    class_index: np.ndarray
    margin: np.ndarray
    flags: np.ndarray
    channel: np.ndarray
    held_index: np.ndarray

    def columns(self) -> np.ndarray:
        """Return all of it as one int array (rows, 5)."""
        return np.stack([self.class_index, self.margin, self.flags, self.channel, self.held_index], axis=1)


def flag_text(flags: int, otherwise: str = "") -> str:
    """Return the names of a decision's flags; `otherwise` where it has none."""
    return " + ".join(name for i, name in enumerate(FLAG_NAMES) if flags >> i & 1) or otherwise


def names_of(decisions: Decisions, classes: Sequence[str]) -> np.ndarray:
    """Return the decided class names; "" where a reading is missing."""
    names = np.array([*classes, ""])
    index = decisions.class_index
    return names[np.where(index == NO_CLASS, len(classes), index)]
