"""Readings of many rows as columns of the smallest integers that hold them: what a forest is asked about."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dibble_tools.data.channels import rounded

PIECE_ROWS = 1 << 11  # that stay in a cache while they are turned


def readings_of(rows: np.ndarray) -> np.ndarray:
    """Return integers: floats are rounded, halves up, NaN is MISSING."""
    return rounded(rows) if rows.dtype.kind == "f" else rows


@dataclass(frozen=True)
class Odd:
    """What is odd about rows, an entry each.

    Attributes:
        fault: whether a reading is missing that nothing stands in for.
        flags: those of readings that are missing or out of range.
        channel: the first of these; -1: none.
    """

    fault: np.ndarray
    flags: np.ndarray
    channel: np.ndarray

    @classmethod
    def none(cls, rows: int) -> "Odd":
        """Return that nothing is."""
        return cls(np.zeros(rows, dtype=bool), np.zeros(rows, dtype=np.int64), np.full(rows, -1))


class Columns:
    """Turns rows of readings into columns of offsets above each channel's low.

    Args:
        low, high: of each channel, int64.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray) -> None:
        self.kind = np.result_type(np.min_scalar_type(low.min()), np.min_scalar_type(high.max()))
        self.ends = np.iinfo(self.kind)
        self.unsigned = np.dtype(f"u{self.kind.itemsize}")
        self.low = low.astype(self.kind)[:, None]
        self.span = (high - low).astype(self.unsigned)[:, None]

    def of(
        self,
        rows: np.ndarray,
        to_steps: Callable[[np.ndarray], np.ndarray] | None,
        in_range: Callable[[np.ndarray], tuple[np.ndarray, Odd]],
    ) -> tuple[np.ndarray, Odd | None]:
        """Return (offsets, unsigned (channels, rows); what is odd about rows: None where nothing is).

        Args:
            rows: (rows, channels) of any numbers.
            to_steps: makes whole steps of them, floats; None where they are readings, whole or to be rounded.
            in_range: offsets of any readings, and what is odd about them.
        """
        out = np.empty((rows.shape[1], len(rows)), dtype=self.unsigned)
        odd: Odd | None = None
        for first in range(0, len(rows), PIECE_ROWS):
            piece = to_steps(rows[first : first + PIECE_ROWS]) if to_steps else rows[first : first + PIECE_ROWS]
            here = out[:, first : first + len(piece)]
            at = self._fill(here, piece)
            if len(at) > len(piece) // 8 and piece.dtype.kind == "f":  # they are to be rounded, most likely
                piece = readings_of(piece)
                at = self._fill(here, piece)
            if len(at):
                offsets, marks = in_range(readings_of(piece[at]))
                here[:, at] = offsets.T
                odd = Odd.none(len(rows)) if odd is None else odd
                for whole, part in zip(vars(odd).values(), vars(marks).values(), strict=True):
                    whole[first + at] = part
        return out, odd

    def _fill(self, out: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Write the offsets (channels, rows) of whole readings within range; return the rows that have others."""
        with np.errstate(invalid="ignore"):  # what doesn't fit isn't the same afterwards
            here = rows.astype(self.kind)
        np.subtract(here.T, self.low, out=out.view(self.kind)) if self.low.any() else np.copyto(out, here.T)
        odd: list[np.ndarray] = []
        if not (rows.dtype.kind in "iu" and self._fit(rows)) and (other := here != rows).any():
            odd.append(np.flatnonzero(other) // rows.shape[1])
        # As unsigned, what is below its low is far above its span.
        beyond = out.max(axis=1) > self.span[:, 0]
        if beyond.any():
            odd.append(np.flatnonzero((out[beyond] > self.span[beyond]).any(axis=0)))
        return np.unique(np.concatenate(odd)) if odd else np.zeros(0, dtype=np.intp)

    def _fit(self, rows: np.ndarray) -> bool:
        """Tell whether integers are of the columns' kind."""
        if not self.ends.min and rows.dtype.kind == "i":  # as unsigned, what is below 0 is far above
            return bool(rows.view(f"u{rows.itemsize}").max() <= self.ends.max)
        return bool(rows.min() >= self.ends.min and rows.max() <= self.ends.max)
