"""What takes a frame of any kind in bytecode: the kernel where there is no other, and for what isn't a plain buffer."""

from dibble.inference.fixed_point import MISSING
from dibble.inference.kernels.maps_words import DOWN, FACTOR, ROW_BYTES, ROWS, SCALED, SKIP, TO, ZERO

NO_READING = -32768


def take(plan, arena):
    """A frame: its readings are codes, or become such. Yields the place of the first that is missing, + 1; else 0."""
    missing = 0
    none = NO_READING if plan[SCALED] else MISSING
    while True:
        source = yield missing
        missing = i = 0
        at = plan[TO]
        for _ in range(plan[ROWS]):
            for k in range(at, at + plan[ROW_BYTES]):
                code = source[i]
                i += 1
                if code is None or code <= none:
                    missing = missing or i
                    code = 0
                if plan[SCALED]:
                    code = (code - plan[ZERO]) * plan[FACTOR] >> plan[DOWN]
                arena[k] = 0 if code < 0 else 255 if code > 255 else code
            at += plan[ROW_BYTES] + plan[SKIP]
