"""What is decided on rows, and what people call its flags."""

from dataclasses import dataclass

import numpy as np

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
