"""Single sounds out of a stream: rows of levels in, and when a sound has ended, its features.

A gate opens at a row that is louder than the slowly moving floor, and closes when none was for a while. What lies
between, less its quiet ends, is stretched to a fixed number of rows; their mean is taken out, so that near and far
sound alike. How long it was and how far above the floor are two features more. Loudness is the mean of a row's codes,
told as their sum.
"""

from array import array

from dibble.inference.kernels.generator import started

NAME = b"segment"  # of the part of a model file that holds a SegmentSpec
MIDDLE = 128  # the feature of a level that is the mean of all
MORE = 2  # features beside the levels


class SegmentSpec:
    """What the part of a model file says.

    Attributes:
        rows: to which a sound is stretched, 2 or more.
        on: codes above the floor that a row has to be louder to open the gate, and to keep it open.
        reach: codes below the loudest row within which the sound begins and ends.
        tail: rows in a row that aren't loud, after which the gate closes.
        least, most: rows of a sound; what goes on for `most` is noise, and moves the floor.
    """

    def __init__(self, rows, on, reach, tail, least, most):
        self.rows = rows
        self.on = on
        self.reach = reach
        self.tail = tail
        self.least = least
        self.most = most


def read(cursor):
    """Return the SegmentSpec that a model file holds at the cursor."""
    return SegmentSpec(*[cursor.byte() for _ in range(6)])


def holds(spec):
    """Tell whether a node can do what a SegmentSpec says."""
    return spec.rows > 1 and 0 < spec.tail < spec.most and 0 < spec.least <= spec.most and spec.on > 0


def features_of(spec, bands):
    """Return how many features a sound has."""
    return spec.rows * bands + MORE


def build(spec, bands):
    """Return (push, values): push(row) tells whether a sound ended just then, whose features are in `values`.

    Args:
        spec: a SegmentSpec.
        bands: codes in a row.
    push takes:
        row: bytes or bytearray, a code for each band. None: forget all, the floor too.
        Or an int: the floor from now on, the sum of a row's codes.
    push returns:
        rows that the sound took, less its quiet ends; 0 while there is none.
    """
    values = array("i", [0] * features_of(spec, bands))
    return started(_push(spec, bands, values)), values


def _push(spec, bands, values):
    on = spec.on * bands
    reach = spec.reach * bands
    tail = spec.tail
    most = spec.most
    kept = bytearray(most * bands)
    loudness = array("i", [0] * most)
    floor = -1
    is_open = False
    count = last = peak = at = found = 0
    while True:
        row = yield found
        found = 0
        if row is None or isinstance(row, int):
            floor = -1 if row is None else row
            is_open = False
            continue
        level = sum(row)
        if floor < 0:
            floor = level
        if not is_open:
            if level <= floor + on:
                if level < floor:
                    floor -= (floor - level >> 2) + 1
                else:
                    floor += level - floor >> 5
                continue
            is_open = True
            count = at = peak = 0
        for code in row:
            kept[at] = code
            at += 1
        loudness[count] = level
        count += 1
        if level > floor + on:
            last = count
            if level > peak:
                peak = level
        elif count - last >= tail:
            is_open = False
        if is_open and count < most:
            continue
        if is_open:
            is_open = False
            floor = min(loudness)
            continue
        quiet = max(floor + on, peak - reach)
        begin = 0
        while loudness[begin] < quiet:
            begin += 1
        while loudness[last - 1] < quiet:
            last -= 1
        found = last - begin
        if found < spec.least:
            found = 0
            continue
        _stretch(kept, begin, found, spec.rows, bands, values)
        values[-2] = min(found, 255)
        values[-1] = min((peak - floor) // bands, 255)


def _stretch(kept, begin, count, rows, bands, values):
    """Write the levels of `count` rows of `kept`, stretched to `rows` of them, less their mean."""
    i = total = 0
    for row in range(rows):
        place = (row * (count - 1) << 8) // (rows - 1)
        share = place & 255
        a = (begin + (place >> 8)) * bands
        b = a + bands if share else a
        for _ in range(bands):
            code = kept[a] * (256 - share) + kept[b] * share + 128 >> 8
            values[i] = code
            total += code
            i += 1
            a += 1
            b += 1
    less = total // i - MIDDLE
    while i:
        i -= 1
        code = values[i] - less
        values[i] = 0 if code < 0 else 255 if code > 255 else code
