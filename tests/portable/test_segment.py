"""Single sounds out of rows of levels: exact features, and when the gate opens and closes."""

from dibble.senses import segment
from support import heap_lock, heap_unlock

BANDS = 2
SPEC = segment.SegmentSpec(3, 10, 30, 2, 2, 8)


def pushed(rows, spec=SPEC):
    """Return (rows a sound took, its features) of each sound that ended, with the row it ended at."""
    push, values = segment.build(spec, BANDS)
    push(None)
    found = []
    at = 0
    for row in rows:
        row = bytes(row)
        heap_lock()
        try:
            took = push(row)
        finally:
            heap_unlock()
        if took:
            found.append((at, took, list(values)))
        at += 1
    return found


QUIET = (20, 20)


def test_a_sound_ends_after_its_tail():
    rows = [QUIET, QUIET, (70, 50), (80, 100), QUIET, QUIET, QUIET]
    # Stretched to 3 rows: the two, and halfway between them; their mean 75 becomes 128.
    assert pushed(rows) == [(5, 2, [123, 103, 128, 128, 133, 153, 2, 70])], pushed(rows)


def test_rows_far_below_the_loudest_are_no_part_of_it():
    rows = [QUIET, (40, 40), (100, 100), (110, 110), (50, 50), QUIET, QUIET]
    assert pushed(rows) == [(6, 2, [123, 123, 128, 128, 133, 133, 2, 90])], pushed(rows)


def test_what_is_too_short_is_no_sound():
    assert pushed([QUIET, (99, 99), QUIET, QUIET, QUIET]) == []


def test_what_does_not_end_is_noise_and_moves_the_floor():
    rows = [QUIET] + [(90, 90)] * 8 + [(90, 90)] * 4 + [(160, 160), (160, 160), (90, 90), (90, 90)]
    assert pushed(rows) == [(16, 2, [128, 128, 128, 128, 128, 128, 2, 70])], pushed(rows)


def test_near_and_far_sound_alike():
    def of(gain):
        return pushed([QUIET, (70 + gain, 60 + gain), (90 + gain, 80 + gain), (60 + gain, 70 + gain), QUIET, QUIET])

    near, far = of(60)[0][2], of(0)[0][2]
    assert near[:-1] == far[:-1], (near, far)
    assert near[-1] == far[-1] + 60


def test_codes_are_clamped():
    rows = [(0, 0), (255, 0), (255, 0), (0, 0), (0, 0)]
    assert pushed(rows)[0][2][:2] == [255, 1], pushed(rows)


def test_the_floor_follows_slowly_up_and_quickly_down():
    push, values = segment.build(SPEC, BANDS)
    push(400)  # the sum of a row's codes
    for _ in range(40):
        assert push(bytes((20, 20))) == 0
    assert push(bytes((60, 60))) == 0 and push(bytes((60, 60))) == 0  # loud above a floor that came down
    assert push(bytes((20, 20))) == 0
    assert push(bytes((20, 20))) == 2


def test_what_no_node_can_do():
    assert segment.holds(SPEC)
    for wrong in ((1, 10, 30, 2, 2, 8), (3, 0, 30, 2, 2, 8), (3, 10, 30, 8, 2, 8), (3, 10, 30, 0, 2, 8)):
        assert not segment.holds(segment.SegmentSpec(*wrong)), wrong
    assert not segment.holds(segment.SegmentSpec(3, 10, 30, 2, 9, 8))
    assert not segment.holds(segment.SegmentSpec(3, 10, 30, 2, 0, 8))
