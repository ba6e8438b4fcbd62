"""The ethylene cell's driver over a simulated cell, and the arithmetic it shares with others."""

import random
from fractions import Fraction
from math import floor

import pytest
from dibble import SensorError
from dibble.drivers import gas_adc
from dibble.drivers.proportion import proportion
from dibble_tools.simulator.devices.analog import AnalogPin, EthyleneCell
from dibble_tools.simulator.node.bus import TICKS_PERIOD, VirtualClock
from hypothesis import assume, given
from hypothesis import strategies as st
from pin_port import PinPort, Steady, settings_of

CELL = {"zero_uv": 400_000, "uv_per_ppm": 50_000}


def driver_of(device, clock=None, **settings):
    return gas_adc.build(settings_of(gas_adc, pin=32, **{**CELL, **settings}), PinPort({32: device}, clock), None)


@pytest.mark.parametrize(
    ("uv", "expected"),
    [(400_000, 0), (400_024, 0), (400_025, 1), (450_000, 1000), (2_999_999, 52_000), (399_999, 0), (375_000, 0)],
)
def test_ppb_by_zero_and_slope(uv, expected):
    assert driver_of(Steady(uv)).read() == (expected,)


@pytest.mark.parametrize(("uv", "ppb"), [(374_974, 501), (0, 8000)])
def test_far_below_zero_is_an_error(uv, ppb):
    with pytest.raises(SensorError, match=f"expected at most 500 ppb below zero of a gas cell at pin 32, got {ppb}"):
        driver_of(Steady(uv)).read()


def test_saturation_is_an_error():
    with pytest.raises(SensorError, match="expected less than 3000 mV of a gas cell at pin 32, got 3000 mV: saturated"):
        driver_of(Steady(3_000_000)).read()


@pytest.mark.parametrize(("slope", "expected"), [(100, 29_989_990), (10_000_000, 300)])
def test_the_steepest_and_the_flattest_cell(slope, expected):
    assert driver_of(Steady(2_999_999), zero_uv=1000, uv_per_ppm=slope).read() == (expected,)


def test_a_cell_within_its_tolerance():
    rng = random.Random(2)
    cell = EthyleneCell(rng)
    driver = driver_of(AnalogPin(cell.volts, rng, noise_v=0.001))
    driver.start()
    for cell.ethylene_ppm in (0.0, 1.0, 10.0, 40.0):
        assert abs(driver.read()[0] - 1000 * cell.ethylene_ppm * cell.sensitivity) <= 25


def test_a_zero_that_drifts_away_becomes_an_error():
    rng = random.Random(2)
    cell = EthyleneCell(rng, zero_drift_v_per_year=-0.02)
    driver = driver_of(AnalogPin(cell.volts, rng, noise_v=0.001))
    cell.age_years = 1.0
    assert driver.read() == (0,)
    cell.age_years = 2.0
    with pytest.raises(SensorError, match="unplugged, or a zero to set anew"):
        driver.read()


def test_an_open_pin_is_an_error():
    for seed in range(300):
        pin = AnalogPin(lambda: 0.5, random.Random(seed))
        pin.disconnected = True
        with pytest.raises(SensorError):
            driver_of(pin).read()


def test_warm_up_goes_on_through_restarts_and_the_ticks_wrapping():
    clock = VirtualClock((TICKS_PERIOD - 90_000) * 1000)
    driver = driver_of(Steady(450_000), clock, warm_up_s=300)
    for left in (5, 4, 3, 2, 1):
        driver.start()
        with pytest.raises(SensorError, match=f"at pin 32, got one warming up: {left} min left"):
            driver.read()
        clock.sleep_ms(60_000)
    assert clock.ticks_ms() < 300_000
    assert driver.read() == (1000,)


@given(st.integers(0, 2**30 - 1), st.integers(0, 2**30 - 1), st.integers(1, 2**28))
def test_proportion_equals_fractions(a, b, c):
    expected = floor(Fraction(a * b, c) + Fraction(1, 2))
    assume(expected < 2**30)
    assert proportion(a, b, c) == expected
