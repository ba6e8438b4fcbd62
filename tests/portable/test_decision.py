"""Decisions and their hysteresis."""

from dibble.inference.decision import NO_CLASS, NOVEL, OUT_OF_RANGE, SENSOR_FAULT, UNSURE, Decision


def held(hysteresis, steps):
    """Return the held class after each (class, flags)."""
    decision = Decision(hysteresis)
    out = []
    for class_index, flags in steps:
        decision.settle(class_index, 1, flags, -1)
        out.append(decision.held_index)
    return out


def test_new_decision_holds_nothing():
    d = Decision(2)
    assert (d.class_index, d.margin, d.flags, d.channel, d.held_index) == (NO_CLASS, 0, 0, -1, NO_CLASS)


def test_settle_records_what_it_is_given():
    d = Decision(1)
    d.settle(3, 7, OUT_OF_RANGE, 2)
    assert (d.class_index, d.margin, d.flags, d.channel, d.held_index) == (3, 7, OUT_OF_RANGE, 2, NO_CLASS)


def test_flags_are_separate_bits():
    assert (UNSURE, OUT_OF_RANGE, SENSOR_FAULT, NOVEL) == (1, 2, 4, 8)


def test_hysteresis_of_one_follows_each_trusted_decision():
    assert held(1, [(0, 0), (1, 0), (0, 0), (1, UNSURE)]) == [0, 1, 0, 0]


def test_hysteresis_of_two_waits_for_the_second_in_a_row():
    steps = [(0, 0), (0, 0), (1, 0), (0, 0), (1, 0), (1, 0), (1, 0), (0, 0)]
    assert held(2, steps) == [NO_CLASS, 0, 0, 0, 0, 1, 1, 1]


def test_hysteresis_of_three_needs_three_in_a_row():
    steps = [(2, 0), (2, 0), (1, 0), (2, 0), (2, 0), (2, 0), (1, 0), (1, 0), (1, 0)]
    assert held(3, steps) == [NO_CLASS] * 5 + [2, 2, 2, 1]


def test_each_flag_interrupts_a_row():
    for flag in (UNSURE, OUT_OF_RANGE, SENSOR_FAULT | UNSURE, SENSOR_FAULT | OUT_OF_RANGE, NOVEL):
        assert held(2, [(1, 0), (1, flag), (1, 0), (1, 0)]) == [NO_CLASS, NO_CLASS, NO_CLASS, 1]
    assert held(2, [(1, 0), (NO_CLASS, SENSOR_FAULT), (1, 0), (1, 0)]) == [NO_CLASS, NO_CLASS, NO_CLASS, 1]


def test_a_class_beside_a_sensor_fault_counts():
    """Something stands in for the reading: it is held as others are."""
    assert held(2, [(1, 0), (1, SENSOR_FAULT), (2, SENSOR_FAULT), (2, SENSOR_FAULT)]) == [NO_CLASS, 1, 1, 2]
    assert held(3, [(1, SENSOR_FAULT), (1, 0), (1, SENSOR_FAULT), (0, 0), (0, 0), (1, SENSOR_FAULT), (0, 0)]) == [
        NO_CLASS,
        NO_CLASS,
        1,
        1,
        1,
        1,
        1,
    ]


def test_after_a_sensor_fault_the_next_decision_is_told_whole():
    """A predictor that finds the held class agreed on tells no more than the margin: here flags have changed, too."""
    d = Decision(1)
    d.settle(1, 5, SENSOR_FAULT, 0)
    assert (d.held_index, d.agreed) == (1, -1)
    d.settle(1, 5, 0, -1)
    assert (d.held_index, d.agreed) == (1, 0)


def test_flagged_decision_keeps_the_held_class():
    assert held(1, [(1, 0), (NO_CLASS, SENSOR_FAULT), (0, UNSURE)]) == [1, 1, 1]


def test_reset_forgets_the_row_and_the_held_class():
    d = Decision(2)
    d.settle(1, 1, 0, -1)
    d.reset()
    d.settle(1, 1, 0, -1)
    assert d.held_index == NO_CLASS
    d.settle(1, 1, 0, -1)
    assert d.held_index == 1


def test_the_held_class_in_between_begins_anew():
    assert held(2, [(0, 0), (0, 0), (1, 0), (0, 0), (1, 0)]) == [NO_CLASS, 0, 0, 0, 0]
    assert held(2, [(1, 0), (1, UNSURE), (1, 0), (1, 0)]) == [NO_CLASS, NO_CLASS, NO_CLASS, 1]
