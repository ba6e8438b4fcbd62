"""The time until a gas sensor is warm, over wrapping ticks."""

from dibble import ConfigError, SensorError
from dibble.drivers.warm_up import WarmUp, powered_warm_up_s

PERIOD = 1 << 30


class Port:
    """Ticks as on boards: 30 bits."""

    def __init__(self, now_ms):
        self.now_ms = now_ms

    def ticks_ms(self):
        return self.now_ms % PERIOD

    def ticks_diff(self, newer, older):
        return (newer - older + (PERIOD >> 1)) % PERIOD - (PERIOD >> 1)


def complaint(warm_up):
    try:
        warm_up.check()
    except SensorError as error:
        return str(error)
    return ""


def test_none_is_over_at_once():
    assert complaint(WarmUp(Port(5), 4, 0)) == ""


def test_counts_from_the_first_look():
    port = Port(1000000)
    warm_up = WarmUp(port, 4, 1800)
    text = "expected a warm gas sensor at pin 4, got one warming up: %d min left"
    assert complaint(warm_up) == text % 30
    port.now_ms += 60000
    assert complaint(warm_up) == text % 29
    port.now_ms += 1739999
    assert complaint(warm_up) == text % 1
    port.now_ms += 1
    assert complaint(warm_up) == ""


def test_stays_over():
    port = Port(0)
    warm_up = WarmUp(port, 4, 60)
    complaint(warm_up)
    port.now_ms = 60000
    assert complaint(warm_up) == ""
    port.now_ms = 0
    assert complaint(warm_up) == ""


def test_ticks_wrap_around():
    port = Port(PERIOD - 50000)
    warm_up = WarmUp(port, 4, 120)
    assert complaint(warm_up)
    port.now_ms += 60000
    assert complaint(warm_up)
    port.now_ms += 60000
    assert complaint(warm_up) == ""


def test_a_day_fits_small_ints_and_an_hour_at_a_time():
    port = Port(PERIOD - 7000000)
    warm_up = WarmUp(port, 4, 86400)
    for _ in range(24):
        assert complaint(warm_up)
        port.now_ms += 3600000
    assert complaint(warm_up) == ""


def test_a_look_half_a_period_later_counts_as_none():
    port = Port(0)
    warm_up = WarmUp(port, 4, 60)
    complaint(warm_up)
    port.now_ms += (PERIOD >> 1) + 1
    assert complaint(warm_up).endswith("1 min left")


def refusal(**settings):
    whole = {"warm_up_s": 1800, "power_up_ms": 0, "power_pin": ""}
    whole.update(settings)
    try:
        return powered_warm_up_s(whole, "a heater needs it")
    except ConfigError as error:
        return str(error)


def test_a_sensor_whose_power_is_switched_is_warm_by_its_power_up_time_or_never():
    assert refusal() == 1800  # always powered: it waits once
    assert refusal(power_pin=15) == "expected no power_pin: a heater needs it, got power_pin 15"
    text = "expected no power_pin, or power_up_ms of at least 30000: a heater needs it, got power_pin 15"
    assert refusal(power_pin=15, warm_up_s=30, power_up_ms=29999) == text
    assert refusal(power_pin=15, warm_up_s=30, power_up_ms=30000) == 0  # it is warm when it is asked
    assert refusal(power_pin=15, warm_up_s=0) == 0
