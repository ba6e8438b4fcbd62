"""What stands out of a thermal array's frames, in exact integers; and that it allocates nothing, within small ints."""

from array import array

from dibble.senses.heat import MOST, NONE, Heat, channels, mend
from support import heap_lock, heap_unlock


def frames(heat, *rows):
    """Update with frames; return what each told, a step worth 1."""
    told = []
    for row in rows:
        heat.frame[:] = array("h", row)
        assert heat.update()
        told.append(heat.tell(1))
    return told


def test_first_frame_is_the_background():
    heat = Heat(2, 3, 4)
    assert frames(heat, [10, 11, 12, 13, 14, 15]) == [(10, 15, 13, 0, 0, 0, 0, 0)]
    assert list(heat.above) == [0] * 6


def test_a_warm_pixel_stands_out_with_its_place():
    heat = Heat(3, 3, 4)
    still = [20] * 9
    warm = [20] * 5 + [40] + [20] * 3
    told = frames(heat, still, warm, warm)
    assert told[1] == (20, 40, 22, 20, 111, 111, 500, 1000)
    assert told[2][4:6] == (111, 0)  # still there, but it doesn't move
    assert list(heat.above)[5] == 20


def test_what_all_do_together_stands_out_nowhere():
    """The sun comes out, or the array warms up: by any amount."""
    for rise in (1, 3, 30, -100):
        heat = Heat(4, 4, 4)
        told = frames(heat, list(range(16)), [value + rise for value in range(16)])
        assert told[1][3:6] == (0, 0, 0)


def test_a_third_of_the_frame_may_be_warm_and_still_stands_out():
    heat = Heat(4, 4, 4)
    told = frames(heat, [20] * 16, [60] * 5 + [20] * 11)
    assert told[1][4] == 312 and told[1][3] > 30
    assert min(heat.above[5:]) > -4


def test_what_stays_becomes_background_and_what_is_warm_does_so_slowly():
    heat = Heat(2, 2, 4)
    frames(heat, [20] * 4)
    frames(heat, *[[20, 20, 20, 22]] * 60)
    assert heat.above[3] == 0
    frames(heat, *[[20, 20, 20, 60]] * 60)
    assert heat.above[3] > 25


def test_broken_pixels_are_left_out_until_they_are_mended():
    heat = Heat(2, 2, 4)
    told = frames(heat, [NONE, 20, 20, 21], [NONE, 20, 20, 21])
    assert told[1] == (20, 21, 20, 0, 0, 0, 0, 1000)  # the first of equals that is there
    assert frames(heat, [50, 20, 20, 21])[0][3] == 0  # it has no background yet
    heat.frame[:] = array("h", [NONE] * 4)
    assert not heat.update()


def test_mending_takes_the_neighbours_of_the_same_row():
    frame = array("h", [1, 0, 4, 9, 0, 0, 7, 8])
    mend(frame, 4, [1, 4, 5])
    assert list(frame) == [1, 3, 4, 9, NONE, 7, 7, 8]
    frame = array("h", [0, 0])
    mend(frame, 2, [0, 1])
    assert list(frame) == [NONE, NONE]


def test_blocks_are_the_most_of_each_part():
    heat = Heat(8, 8, 4)
    warm = [20] * 64
    warm[8 * 7 + 7] = 50
    frames(heat, [20] * 64, warm)
    assert heat.blocks(25) == (0,) * 15 + (750,)


def test_channels_are_named_for_a_unit():
    assert len(channels("counts", False)) == 8 and len(channels("counts", True)) == 24
    assert channels("centi_c", False)[3] == ("warm_max_centi_c", "centi_c")


def test_the_furthest_readings_stay_small_ints_and_nothing_is_allocated():
    heat = Heat(24, 32, 2000)
    low, high = array("h", [-MOST] * 768), array("h", [MOST] * 768)
    mixed = array("h", [MOST if i % 3 else -MOST for i in range(768)])
    heat.frame[:] = low
    heat.update()
    for row in (high, low, mixed, high, mixed, low):
        for i in range(768):
            heat.frame[i] = row[i]
        heap_lock()
        try:
            heat.update()
        finally:
            heap_unlock()
    assert heat.least == -MOST and heat.mean == -MOST
