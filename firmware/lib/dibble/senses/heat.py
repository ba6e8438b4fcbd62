"""A thermal array's frame minus its background, and the few numbers that tell it: integers only.

What stands out of a scene is what a node decides by: a warm body before a wall of any temperature. So each pixel has
a background of its own that follows it slowly, and what all pixels do together (the sun comes out, the array warms up)
is taken off each frame. Frame and background are in the array's own steps, whatever these are worth.
"""

from array import array

from dibble.inference.kernels.generator import started

NONE = -32768  # of a pixel that is broken
MOST = 16000  # of a reading, either way: so 16 bits hold what one is above another
FINE = 4  # bits of a background below a step
SLOW = 5  # it follows by 1/32 of what it is off
SLOWER = 9  # by 1/512 where something stands out: a stone that stays warm becomes background, a resting deer late
CLIMBS = 20  # frames in which a background that is new follows faster
SAMPLE = 64  # about so many pixels tell what all do together
_UNKNOWN = -(1 << 29)  # of a background
SUMMARY = 8  # numbers of tell()
BLOCKS = 4  # to a side


class Heat:
    """One array's background, and what stands out of it.

    Args:
        rows, columns: of the array, at most 1024 pixels.
        warm: steps above the background from which on a pixel stands out, at most 2000.
    Attributes:
        frame: array("h") of rows * columns readings, row by row, to be written before update(); within +-MOST, or
            NONE.
        above: array("h") of what of each is above the background; 0 where there is none.
        least, most, mean: of the frame's readings.
        hottest: the most that one pixel is above the background; place: which.
        warm_pixels: how many stand out; moved_pixels: how many changed by as much since the frame before.
        frames: how many it took, up to CLIMBS.
    """

    def __init__(self, rows, columns, warm):
        self.rows = rows
        self.columns = columns
        self.warm = warm
        count = rows * columns
        self.frame = array("h", [NONE] * count)
        self.above = array("h", [0] * count)
        self._background = array("i", [_UNKNOWN] * count)
        self.restart()
        # Each of these has more variables than a function has without asking the heap for them.
        self._extent = started(_extent(self, self.frame))
        self._together = started(_together(self.frame, self._background))
        self._stand_out = started(_stand_out(self, self.frame, self.above, self._background))

    def restart(self):
        """Take the next frame for the background, where the array was moved."""
        for i in range(len(self._background)):
            self._background[i] = _UNKNOWN
            self.above[i] = 0
        self.frames = 0
        self.least = self.most = self.mean = self.hottest = self.place = self.warm_pixels = self.moved_pixels = 0

    def update(self):
        """Take the frame; False where it has no pixel that isn't broken."""
        if not self._extent(None):
            return False
        self._stand_out(self._together(None))
        self.frames = min(self.frames + 1, CLIMBS)
        return True

    def tell(self, multiplier):
        """Return (least, most, mean, hottest, warm, moved, row, column): the last four in permille.

        Args:
            multiplier: what a step of the array is in the unit of the first four.
        """
        count = self.rows * self.columns
        return (
            self.least * multiplier,
            self.most * multiplier,
            self.mean * multiplier,
            self.hottest * multiplier,
            self.warm_pixels * 1000 // count,
            self.moved_pixels * 1000 // count,
            self.place // self.columns * 1000 // (self.rows - 1),
            self.place % self.columns * 1000 // (self.columns - 1),
        )

    def blocks(self, multiplier):
        """Return the most above the background in each of BLOCKS * BLOCKS parts of the frame, row by row."""
        found = []
        high, wide = self.rows // BLOCKS, self.columns // BLOCKS
        above = self.above
        for top in range(0, high * BLOCKS, high):
            for left in range(0, wide * BLOCKS, wide):
                most = -MOST
                for row in range(top, top + high):
                    at = row * self.columns + left
                    for i in range(at, at + wide):
                        if above[i] > most:
                            most = above[i]
                found.append(most * multiplier)
        return tuple(found)


def _extent(heat, frame):
    found = None
    none, furthest = NONE, MOST
    while True:
        yield found
        count = total = 0
        least, most = furthest, -furthest
        for value in frame:
            if value != none:
                count += 1
                total += value
                if value < least:
                    least = value
                if value > most:
                    most = value
        found = count > 0
        if found:
            heat.least, heat.most, heat.mean = least, most, (total + count // 2) // count


def _together(frame, background):
    """Give the median of what pixels are off their backgrounds: a few that are warm don't move it."""
    none, fine, unknown = NONE, FINE, _UNKNOWN
    pixels = len(frame)
    stride = pixels // SAMPLE | 1
    found = None
    while True:
        yield found
        least, most = -unknown, unknown
        count = i = 0
        while i < pixels:
            if frame[i] != none and background[i] != unknown:
                off = (frame[i] << fine) - background[i]
                least = off if off < least else least
                most = off if off > most else most
                count += 1
            i += stride
        while least < most:  # half of them are at most the median
            middle = least + most >> 1
            below = i = 0
            while i < pixels:
                if frame[i] != none and background[i] != unknown and (frame[i] << fine) - background[i] <= middle:
                    below += 1
                i += stride
            if 2 * below >= count:
                most = middle
            else:
                least = middle + 1
        found = least if count else 0


def _stand_out(heat, frame, above, background):
    none, fine, unknown, warm, slower = NONE, FINE, _UNKNOWN, heat.warm, SLOWER
    half = 1 << fine >> 1
    while True:
        together = yield
        quick = 1 if heat.frames < 2 else 3 if heat.frames < CLIMBS else SLOW
        hottest, place = -2 * MOST, 0
        warm_pixels = moved = i = 0
        for value in frame:
            if value == none:
                above[i] = 0
            else:
                off = (value << fine) - together
                if background[i] == unknown:
                    background[i] = off
                off -= background[i]
                steps = off + half >> fine
                if not -warm < steps - above[i] < warm:
                    moved += 1
                above[i] = steps
                if steps > hottest:
                    hottest = steps
                    place = i
                if steps >= warm:
                    warm_pixels += 1
                background[i] += together + (off >> (quick if -warm < steps < warm else slower))
            i += 1
        heat.hottest, heat.place = hottest, place
        heat.warm_pixels, heat.moved_pixels = warm_pixels, moved


def channels(unit, blocks, what="warm"):
    """Return the channels (name, unit) of an array's summary, and of its blocks where these are wanted.

    Args:
        what: what stands out of the background is called.
    """
    found = [("frame_%s_%s" % (name, unit), unit) for name in ("min", "max", "mean")]
    found.append(("%s_max_%s" % (what, unit), unit))
    found += [("%s_permille" % name, "permille") for name in (what, "moved", what + "_row", what + "_column")]
    if blocks:
        found += [("block_%d_%d_%s" % (i // BLOCKS, i % BLOCKS, unit), unit) for i in range(BLOCKS * BLOCKS)]
    return tuple(found)


def mend(frame, columns, broken):
    """Give broken pixels the mean of their neighbours to the left and right that aren't; NONE where there are none.

    Args:
        frame: array("h").
        broken: places, ascending.
    """
    for place in broken:
        total = count = 0
        for beside in (place - 1, place + 1):
            same_row = beside // columns == place // columns
            if same_row and 0 <= beside < len(frame) and beside not in broken and frame[beside] != NONE:
                total += frame[beside]
                count += 1
        frame[place] = (total + count // 2) // count if count else NONE
