"""An alarm for readings that are unlike those learned from: as many decisions in a row as change a class."""

from dibble.alarm import Alarm
from dibble.inference.decision import NO_CLASS, NOVEL, OUT_OF_RANGE, SENSOR_FAULT, UNSURE, Decision


def held(hysteresis, flags):
    """Return what the alarm holds after each decision of these flags."""
    decision = Decision(hysteresis)
    alarm = Alarm(decision)
    found = []
    for each in flags:
        decision.settle(NO_CLASS if each & SENSOR_FAULT else 0, 9, each, -1)
        alarm.update()
        found.append(alarm.held_index)
    return found


def test_novel_and_out_of_range_are_alarms_and_unsure_is_none():
    assert held(1, [0, NOVEL, 0, OUT_OF_RANGE, NOVEL | UNSURE, UNSURE]) == [NO_CLASS, 0, NO_CLASS, 0, 0, NO_CLASS]


def test_it_takes_so_many_in_a_row_either_way():
    assert held(3, [NOVEL, NOVEL, 0, NOVEL, NOVEL, NOVEL]) == [NO_CLASS] * 5 + [0]
    assert held(2, [NOVEL, NOVEL, 0, NOVEL, 0, 0]) == [NO_CLASS, 0, 0, 0, 0, NO_CLASS]


def test_missing_readings_tell_nothing_and_the_count_begins_anew():
    assert held(2, [NOVEL, SENSOR_FAULT, NOVEL, NOVEL]) == [NO_CLASS] * 3 + [0]
    assert held(2, [NOVEL, NOVEL, SENSOR_FAULT, 0, SENSOR_FAULT, 0]) == [NO_CLASS] + [0] * 5
