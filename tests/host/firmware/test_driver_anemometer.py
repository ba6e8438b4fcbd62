"""The anemometer's driver over simulated cups with a bouncing contact."""

import random
from fractions import Fraction
from math import floor

import pytest
from dibble import SensorError
from dibble.drivers import anemometer
from dibble_tools.simulator.devices.anemometer import CupAnemometer
from pin_port import PinPort, settings_of


def driver_of(device, **settings):
    return anemometer.build(settings_of(anemometer, pin=5, **settings), PinPort({5: device}), None)


class Counted:
    """A contact that closes so many times in each window asked for, evenly."""

    def __init__(self, *counts):
        self.counts = list(counts)

    def changes(self, start_us, end_us):
        if start_us == end_us:
            return []
        count = self.counts.pop(0)
        turn_us = (end_us - start_us) / max(count, 1)
        moments = [start_us + turn_us * (i + share) for i in range(count) for share in (0.5, 0.7)]
        return [(int(us), i % 2 == 0) for i, us in enumerate(moments)]


@pytest.mark.parametrize("wind_m_s", [0.5, 2.0, 5.0, 15.0, 40.0, 55.0])
def test_bounces_count_once(wind_m_s):
    cups = CupAnemometer(random.Random(3))
    cups.wind_m_s = wind_m_s
    turns = 60 * wind_m_s / cups.m_s_per_hz
    changes = cups.changes(0, 60_000_000)
    assert sum(closed for _, closed in changes) > 4 * turns
    # Locked out after each closing that counts, as it was, those at release would count: up to twice the wind.
    counted, free_us = 0, 0
    for us, closed in changes:
        if closed and us >= free_us:
            counted, free_us = counted + 1, us + 4000
    if wind_m_s < 15:
        assert counted > 1.5 * turns
    driver = driver_of(cups)
    driver.start()
    speed, gust = driver.read()
    a_closure_cm_s = 100 * cups.m_s_per_hz / 3
    assert abs(speed - 100 * wind_m_s) <= a_closure_cm_s
    assert abs(gust - 100 * wind_m_s) <= a_closure_cm_s


def test_mean_over_all_windows_and_gust_of_the_largest():
    assert driver_of(Counted(30, 60, 10), gusts=3).read() == (
        floor(Fraction(100 * 667, 9000) * 100 + Fraction(1, 2)),
        floor(Fraction(60 * 667, 3000) * 100 + Fraction(1, 2)),
    )


def test_closures_before_the_reading_do_not_count():
    cups = CupAnemometer(random.Random(3))
    port = PinPort({5: cups})
    driver = anemometer.build(settings_of(anemometer, pin=5), port, None)
    cups.wind_m_s = 30.0
    port.sleep_ms(600_000)
    driver.pulses.contact = Counted(1, 0, 0)
    assert driver.read() == (0, 0)


def test_a_reading_takes_its_windows_and_no_longer():
    port = PinPort({5: Counted(0, 0)})
    anemometer.build(settings_of(anemometer, pin=5), port, None).read()
    assert port.ticks_ms() == 6000


def test_gusts_exceed_the_mean_in_turbulent_wind():
    cups = CupAnemometer(random.Random(3))
    cups.wind_m_s, cups.turbulence = 8.0, 0.4
    driver = driver_of(cups, gusts=10)
    speed, gust = driver.read()
    assert speed < gust < 2 * speed


def test_a_contact_held_closed_is_calm():
    cups = CupAnemometer(random.Random(3))
    cups.wind_m_s, cups.held_closed = 8.0, True
    assert driver_of(cups).read() == (0, 0)


def test_calm_is_no_wind():
    assert driver_of(CupAnemometer(random.Random(3))).read() == (0, 0)


def test_the_fastest_wind_and_one_closure_more():
    # 337 closures in 3 s are 7493 cm/s.
    assert driver_of(Counted(337, 0)).read() == (3746, 7493)
    with pytest.raises(SensorError, match="expected wind of at most 7500 cm/s at pin 5, got 7515: a bouncing contact"):
        driver_of(Counted(0, 338)).read()


def test_a_contact_that_never_settles_is_an_error():
    class Chattering:
        def changes(self, start_us, end_us):
            return [(us, us // 4000 % 2 == 0) for us in range(-(-start_us // 4000) * 4000, end_us, 4000)]

    with pytest.raises(SensorError, match="a bouncing contact"):
        driver_of(Chattering()).read()
