"""Many readings of an analog pin -> one."""

from dibble import SensorError
from dibble.drivers.oversampling import STEADY_UV, steady_uv


class Port:
    """The port and the ADC in one: readings in turn, and the time slept."""

    def __init__(self, readings):
        self.readings = list(readings)
        self.slept_ms = 0

    def read_uv(self):
        return self.readings.pop(0)

    def sleep_ms(self, ms):
        self.slept_ms += ms


def mean(readings):
    port = Port(readings)
    return steady_uv(port, port, "A0", len(port.readings))


def test_equal_readings_are_their_mean():
    assert mean([1234567] * 16) == 1234567


def test_the_extremes_are_dropped():
    assert (
        mean([0, 0, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 5000000, 5000000]) == 1006
    )
    assert mean([5000000, 7, 0]) == 7


def test_the_mean_rounds_halves_up():
    assert mean([0, 1, 2, 9]) == 2
    assert mean([0, 2, 2, 1, 9]) == 2
    assert mean([0, 2, 1, 1, 9]) == 1


def test_order_does_not_matter():
    assert mean([9, 3, 1, 7, 5, 2]) == mean([1, 2, 3, 5, 7, 9]) == 4


def test_as_many_readings_as_allowed_fit_small_ints():
    assert mean([5000000] * 64) == 5000000
    assert 48 * 5000000 < 1 << 30


def test_readings_are_a_millisecond_apart():
    port = Port([1] * 16)
    steady_uv(port, port, 3, 16)
    assert (port.slept_ms, port.readings) == (16, [])


def test_a_steady_voltage_may_wander_just_so_far():
    assert mean([0, 1000, 1000 + STEADY_UV, 5000000]) == 51000


def test_a_wandering_voltage_is_an_error():
    try:
        mean([0, 1000, 1001 + STEADY_UV, 5000000])
    except SensorError as error:
        assert str(error) == (
            "expected a steady voltage at pin A0, got readings from 1000 to 101001 uV: disconnected?"
        ), error
    else:
        raise AssertionError
