"""When the next reading is due is told, as soon as it can be."""

import pytest
from dibble_tools.console.pace import Pace


@pytest.fixture
def began(monkeypatch):
    monkeypatch.setattr("dibble_tools.console.pace.time.monotonic", lambda: 1000.0)


def test_readings_tell_how_often_they_come(began):
    pace = Pace()
    assert (pace.interval_s, pace.text(1000)) == (None, "")
    pace.arrived(1010)
    assert pace.text(1011) == "the second reading tells how often they come"
    pace.arrived(1610)
    assert pace.text(1630) == "next reading in 9:40"
    assert pace.text(2212) == "next reading any moment"
    assert pace.text(2600).startswith("a reading is overdue by 6:30")


def test_what_was_known_before_tells_until_when_to_wait(began):
    pace = Pace(600)
    assert pace.text(1020) == "within 9:40"
    pace.arrived(1300)
    assert pace.text(1300) == "next reading in 10:00"


def test_readings_that_waited_in_the_port_are_no_rhythm(began):
    pace = Pace()
    for now in (1001, 1001.1, 1001.2, 1061.2):
        pace.arrived(now)
    assert pace.interval_s == pytest.approx(60)


def test_a_board_that_hurries_is_not_counted_down(began):
    pace = Pace()
    pace.arrived(1001)
    pace.arrived(1002)
    assert pace.text(1002) == ""
