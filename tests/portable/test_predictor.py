"""A predictor as a whole: rows in, decisions out, and no allocation between."""

from array import array

from dibble import ModelError
from dibble.inference.features import ABOVE, DELTA, EMA, LAST, MAX, MEAN, MIN, SLOPE
from dibble.inference.fixed_point import MISSING
from dibble.inference.forest import forest
from dibble.inference.kernels.choice import KIND
from support import heap_lock, heap_unlock, in_file
from vm_predictor import predictor

ALL = (LAST, MEAN, MIN, MAX, DELTA, SLOPE, EMA, ABOVE)


def stump(low, high, windows, interval_ms, width, threshold, unsure_below, hysteresis):
    """Return a node that asks one question about its first feature: class 1 above the threshold."""
    features = len(windows or low)
    table = bytes([threshold >> 8 * i & 255 for i in range(width)])
    file, nodes = in_file([b"\0", b"\0", b"\x80", b"\x81"], bytes(4) + table)
    tables = tuple(nodes) + (array("i", [0]), array("i"), 130, 1, bytes([0, 1]), b"\1\1", array("H", [0, 0]))
    least = array("i", [0] * features if windows else low)
    spans = [0x3FFFFFFF] * features if windows else [high[i] - low[i] for i in range(features)]
    score, _ = forest(file, [(0, width, 4, 1)], tables, least, spans)
    return predictor(low, high, windows, interval_ms, score, unsure_below, hysteresis)


def plain(unsure_below=0, hysteresis=1):
    return stump([-50, 0], [50, 9], None, 0, 1, 60, unsure_below, hysteresis)


def result(d):
    return d.class_index, d.margin, d.flags, d.channel, d.held_index


def test_reading_equal_to_the_threshold_goes_left():
    node = plain()
    assert result(node.predict([10, 0])) == (0, 1, 0, -1, 0)
    assert result(node.predict([11, 0])) == (1, 1, 0, -1, 1)


def test_missing_reading_is_a_sensor_fault():
    node = plain()
    node.predict([11, 0])
    assert result(node.predict([11, None])) == (255, 0, 4, 1, 1)
    assert result(node.predict([MISSING, None])) == (255, 0, 4, 0, 1)


def test_reading_out_of_range_is_clamped_and_flagged():
    node = plain()
    assert result(node.predict([51, 0])) == (1, 1, 2, 0, 255)
    assert result(node.predict([0, 10])) == (0, 1, 2, 1, 255)
    assert result(node.predict([-51, -1])) == (0, 1, 2, 0, 255)


def test_long_ints_are_clamped():
    node = plain()
    assert result(node.predict([1 << 40, 0])) == (1, 1, 2, 0, 255)
    assert result(node.predict([-(1 << 40), 0])) == (0, 1, 2, 0, 255)


def test_small_margin_is_unsure():
    assert result(plain(1).predict([0, 0])) == (0, 1, 0, -1, 0)
    assert result(plain(2).predict([0, 0])) == (0, 1, 1, -1, 255)
    assert result(plain(2).predict([0, 10])) == (0, 1, 3, 1, 255)


def test_wrong_number_of_readings_is_told():
    try:
        plain().predict([1, 2, 3])
        message = "nothing raised"
    except ModelError as error:
        message = error.args[0]
    assert message == "expected 2 readings, got 3"


def refuse(node, row):
    try:
        node.predict(row)
        raise AssertionError(row)
    except TypeError:
        pass


def test_what_is_no_int_is_told_and_the_next_row_is_decided():
    node = plain()
    for bad in ("11", 1.5, (), b"1"):
        refuse(node, [bad, 0])
        assert result(node.predict([11, 0]))[:3] == (1, 1, 0)


def test_what_is_no_int_is_no_reading_of_a_window():
    node = stump([0], [200], [(0, MEAN, 2)], 1000, 1, 100, 0, 1)
    node.predict([0])
    refuse(node, ["0"])
    assert node.predict([200]).class_index == 0  # the mean of both is 100
    assert node.predict([200]).class_index == 1


def test_own_readings_are_predicted_as_they_stand():
    node = plain()
    node.readings[0] = 11
    node.readings[1] = 3
    assert result(node.predict()) == (1, 1, 0, -1, 1)
    assert result(node.predict(node.readings)) == (1, 1, 0, -1, 1)


def test_what_follows_an_odd_row_of_the_held_class_is_told_anew():
    node = plain(0, 2)
    rows = [11, 0], [12, 0], [13, 0], [51, 0], [11, 0], [10, 0], [11, 0], [None, 0], [11, 0], [11, 0]
    assert [result(node.predict(row))[2:] for row in rows] == [
        (0, -1, 255),
        (0, -1, 1),
        (0, -1, 1),
        (2, 0, 1),
        (0, -1, 1),
        (0, -1, 1),
        (0, -1, 1),
        (4, 0, 1),
        (0, -1, 1),
        (0, -1, 1),
    ]
    assert [node.predict(row).class_index for row in rows] == [1, 1, 1, 1, 1, 0, 1, 255, 1, 1]


def test_gap_restarts_windows_and_hysteresis():
    node = stump([0], [200], [(0, MEAN, 2)], 1000, 1, 100, 0, 2)
    assert node.predict([0], 1000).class_index == 0
    assert result(node.predict([190], 1000)) == (0, 1, 0, -1, 0)
    assert result(node.predict([190], 1501)) == (1, 1, 0, -1, 0)
    assert result(node.predict([190], 1500)) == (1, 1, 0, -1, 1)


def test_restart_forgets_the_past():
    node = stump([0], [200], [(0, MEAN, 2)], 1000, 1, 100, 0, 1)
    node.predict([0])
    node.restart()
    assert result(node.predict([190])) == (1, 1, 0, -1, 1)


def test_predicting_allocates_nothing():
    windows = [(i & 1, kind, 4) for i, kind in enumerate(ALL)]
    node = stump([-5000000] * 2, [5000000] * 2, windows, 600000, 4, 5000000, 0, 3)
    small = plain(1, 2)
    rows = ([5000000, -5000000], [-5000000, 5000000], [None, 0], [5000001, -5000001], [4999999, 4999998])
    d = node.decision
    seen = array("i", [0] * len(rows))
    heap_lock()
    try:
        i = 0
        while i < len(rows):
            node.predict(rows[i], 600000)
            small.predict(rows[i])
            seen[i] = d.class_index
            i += 1
        node.predict()
        node.predict(None, 5)
    finally:
        heap_unlock()
    assert list(seen) == [1, 0, 255, 1, 1]


def test_rows_of_every_kind_are_decided_alike():
    decide_every_kind(plain(2, 2))


def test_a_newer_vm_whose_objects_nobody_looked_up_decides_them_alike():
    """Where kernels are machine code; in bytecode no object's layout is asked for."""
    if KIND == "bytecode":
        return decide_every_kind(plain(2, 2))
    from dibble.inference.kernels import rows_plan

    newest, rows_plan.NEWEST = rows_plan.NEWEST, (1, 0)
    try:
        node = plain(2, 2)
        assert node.rows.take is not rows_plan.take
        decide_every_kind(node)
    finally:
        rows_plan.NEWEST = newest


def decide_every_kind(node):
    for row in ([10, 0], [11, 9], [11, None], [MISSING, 3], [51, 0], [-51, 10], [0, 1], [100, -5], [11, 0], [11, 0]):
        told = []
        ints = [MISSING if reading is None else reading for reading in row]
        kinds = [row, tuple(row), array("i", ints)]
        if MISSING not in ints:
            kinds.append(array("h", ints))
            kinds.append(array("b", [max(-128, reading) for reading in ints]))
        for kind in kinds:
            node.restart()
            node.predict([0, 0])
            node.predict([0, 0])
            heap_lock()
            try:
                node.predict(kind)
            finally:
                heap_unlock()
            told.append(result(node.decision))
        node.restart()
        node.predict([0, 0])
        node.predict([0, 0])
        for i in range(2):
            node.readings[i] = ints[i]
        told.append(result(node.predict(node.readings)))
        assert told == [told[0]] * len(told), (row, told)


def test_rows_of_another_length_are_told_in_every_kind():
    for row in ([1], (1, 2, 3), array("i", [1]), array("h", [1, 2, 3]), [], ()):
        node = plain()
        try:
            node.predict(row)
            raise AssertionError(row)
        except ModelError as error:
            assert error.args[0] == "expected 2 readings, got %d" % len(row)


def test_other_readings_in_their_place_are_predicted():
    node = plain()
    node.readings = array("i", [11, 3])
    assert result(node.predict()) == (1, 1, 0, -1, 1)
    node.readings = [10, 3]
    assert result(node.predict()) == (0, 1, 0, -1, 0)
