"""What stands out of a thermal array's frames, held against the same arithmetic in NumPy over whole frames."""

from array import array

import numpy as np
import pytest
from dibble.senses.heat import CLIMBS, FINE, NONE, SAMPLE, SLOW, SLOWER, Heat


class Oracle:
    """The same in NumPy: no pixel after another."""

    def __init__(self, count: int, warm: int) -> None:
        self.warm = warm
        self.background = np.zeros(count, dtype=np.int64)
        self.known = np.zeros(count, dtype=bool)
        self.above = np.zeros(count, dtype=np.int64)
        self.frames = 0

    def update(self, frame: np.ndarray) -> tuple[int, int, int, int]:
        """Return (hottest, place, warm pixels, moved pixels)."""
        there = frame != NONE
        fine = frame.astype(np.int64) << FINE
        if not self.frames:
            self.background, self.known = np.where(there, fine, 0), there.copy()
        stride = len(frame) // SAMPLE | 1
        off = np.sort((fine - self.background)[::stride][(there & self.known)[::stride]])
        middle = int(off[(len(off) - 1) // 2]) if len(off) else 0
        fresh = there & ~self.known
        self.background[fresh] = fine[fresh] - middle
        self.known |= fresh
        off = fine - middle - self.background
        above = np.where(there, off + (1 << FINE >> 1) >> FINE, 0)
        moved = int((np.abs(above - self.above)[there] >= self.warm).sum())
        self.above = above
        quick = 1 if self.frames < 2 else 3 if self.frames < CLIMBS else SLOW
        follows = middle + (off >> np.where(np.abs(above) < self.warm, quick, SLOWER))
        self.background += np.where(there, follows, 0)
        self.frames = min(self.frames + 1, CLIMBS)
        place = int(np.argmax(np.where(there, above, -(1 << 20))))
        return int(above[place]), place, int((above[there] >= self.warm).sum()), moved


@pytest.mark.parametrize(("rows", "columns", "warm", "spread"), [(8, 8, 6, 30), (24, 32, 30, 200), (2, 5, 2000, 8000)])
def test_frames_of_noise_drift_and_warm_places(rows: int, columns: int, warm: int, spread: int) -> None:
    rng = np.random.default_rng(rows)
    count = rows * columns
    heat, oracle = Heat(rows, columns, warm), Oracle(count, warm)
    scene = rng.integers(-spread, spread, count)
    for i in range(40):
        frame = scene + rng.integers(-2, 3, count) + int(rng.integers(-spread, spread) * (i % 7 == 0))
        if i % 5 > 2:
            frame[rng.integers(0, count, count // 6 + 1)] += 3 * warm
        frame = np.clip(frame, -16000, 16000)
        frame[rng.random(count) < 0.02] = NONE
        frame[0] = 0
        heat.frame[:] = array("h", frame.tolist())
        assert heat.update()
        assert (heat.hottest, heat.place, heat.warm_pixels, heat.moved_pixels) == oracle.update(frame)
        assert list(heat.above) == oracle.above.tolist()
        there = frame[frame != NONE]
        assert (heat.least, heat.most) == (there.min(), there.max())
        assert heat.mean == int(np.floor(there.mean() + 0.5))
