"""The soil probe's driver over simulated probes, none like another."""

import random
from fractions import Fraction
from math import floor

import pytest
from dibble import ConfigError, SensorError
from dibble.drivers import soil_adc
from dibble.health import Health
from dibble_tools.simulator.devices.analog import AnalogPin, SoilProbe, esp32_adc
from hypothesis import given
from hypothesis import strategies as st
from pin_port import PinPort, Steady, settings_of


def driver_of(device, supply=None, **settings):
    if supply:
        settings = {"supply_mv_nominal": 3300, "supply_pin": "A1", **settings}
    return soil_adc.build(settings_of(soil_adc, pin="A0", **settings), PinPort({"A0": device, "A1": supply}), None)


def wired(seed, **pin):
    rng = random.Random(seed)
    probe = SoilProbe(rng)
    return probe, AnalogPin(probe.volts, rng, **pin)


@pytest.mark.parametrize("seed", range(20))
def test_each_probe_by_its_own_curve(seed):
    probe, pin = wired(seed)
    driver = driver_of(pin, probe_curve=probe.probe_curve_mv())
    driver.start()
    for probe.moisture in (0.0, 0.1, 0.25, 0.5, 0.75, 1.0):
        assert abs(driver.read()[0] - 1000 * probe.moisture) <= 3


def test_another_probe_by_the_same_curve_is_off():
    # Why each probe is measured: the spread of a batch is worth some percent of moisture.
    curve = wired(0)[0].probe_curve_mv()
    errors = []
    for seed in range(1, 20):
        probe, pin = wired(seed)
        probe.moisture = 0.5
        errors.append(abs(driver_of(pin, probe_curve=curve).read()[0] - 500))
    assert max(errors) > 50


@pytest.mark.parametrize("supply_v", [2.7, 3.0, 3.3, 3.6])
def test_a_falling_supply_is_corrected(supply_v):
    probe, pin = wired(3)
    probe.supply_v = supply_v
    supply = AnalogPin(lambda: supply_v / 2, random.Random(4))
    driver = driver_of(pin, supply, probe_curve=probe.probe_curve_mv())
    for probe.moisture in (0.1, 0.5, 0.9):
        assert abs(driver.read()[0] - 1000 * probe.moisture) <= 6


def test_a_falling_supply_without_correction_looks_wet():
    probe, pin = wired(3)
    probe.moisture, probe.supply_v = 0.5, 2.7
    assert driver_of(pin, probe_curve=probe.probe_curve_mv()).read()[0] > 700


@pytest.mark.parametrize(("supply_uv", "mv"), [(549_666, 1649), (2_200_334, 6601), (0, 0)])
def test_a_supply_far_from_the_nominal_one_is_an_error(supply_uv, mv):
    driver = driver_of(
        Steady(1_500_000), Steady(supply_uv), probe_curve=[2300, 1200], supply_divider_permille=3000
    )  # fmt: skip
    with pytest.raises(SensorError, match=f"expected a probe's supply near 3300 mV at pin A1, got {mv} mV"):
        driver.read()


@pytest.mark.parametrize("supply_uv", [550_000, 2_200_000])
def test_a_supply_of_half_or_twice_the_nominal_one_is_taken(supply_uv):
    driver = driver_of(
        Steady(875_000 * supply_uv / 1_100_000), Steady(supply_uv), probe_curve=[1150, 600],
        supply_divider_permille=3000,
    )  # fmt: skip
    assert driver.read() == (500,)


def test_the_correction_at_the_limits_of_the_settings():
    driver = driver_of(Steady(2_500_000), Steady(137_500), probe_curve=[5000, 0], supply_mv_nominal=5500,
                       supply_divider_permille=20_000)  # fmt: skip
    assert driver.read() == (0,)  # 2,500,000 uV at half the supply


def test_an_open_pin_is_an_error_whatever_it_drifts_to():
    for seed in range(500):
        probe, pin = wired(seed)
        driver = driver_of(pin, probe_curve=probe.probe_curve_mv())
        pin.disconnected = True
        for _ in range(5):
            with pytest.raises(SensorError):
                driver.read()


@pytest.mark.parametrize("uv", [0, 900_000, 2_600_000, 3_298_000])
def test_far_beyond_the_curve_is_an_error(uv):
    driver = driver_of(Steady(uv), probe_curve=[2300, 1200])
    with pytest.raises(SensorError, match=f"expected 2300 to 1200 mV of a soil probe at pin A0, got {uv // 1000} mV"):
        driver.read()


def test_creep_of_an_old_probe_is_clamped():
    probe, pin = wired(5)
    probe.age_years = 3.0
    assert driver_of(pin, probe_curve=probe.probe_curve_mv()).read() == (0,)


def test_an_esp32_bends_the_dry_end_only():
    probe, pin = wired(6, transfer=esp32_adc, noise_v=0.01)
    driver = driver_of(pin, probe_curve=probe.probe_curve_mv())
    for probe.moisture in (0.0, 0.5, 1.0):
        assert abs(driver.read()[0] - 1000 * probe.moisture) <= 10


@pytest.mark.parametrize(
    ("curve", "complaint"),
    [
        ([-1, 1200], r"probe_curve\[0\]: expected 0 to \d+, got -1"),
        ([2300, "1200"], r"probe_curve\[1\]: expected int, got '1200'"),
        ([True, 900], r"probe_curve\[0\]: expected int, got True"),
        ([2300], r"probe_curve: expected a list of 2 to 2, got \[2300\]"),
    ],
)
def test_a_curve_of_other_than_two_voltages_is_refused_by_the_schema(curve, complaint):
    with pytest.raises(ConfigError, match=complaint):
        settings_of(soil_adc, pin="A0", probe_curve=curve)


@pytest.mark.parametrize("curve", [[2300, 2201], [1200, 1299], [1200, 1200], [2300, 5001]])
def test_a_curve_that_cannot_be_is_a_configuration_error(curve):
    with pytest.raises(ConfigError, match=r"expected .*probe_curve.*, got \[.*\] at pin A0"):
        driver_of(Steady(0), probe_curve=curve)


def test_a_correction_without_a_pin_is_a_configuration_error():
    with pytest.raises(ConfigError, match="expected supply_pin"):
        driver_of(Steady(0), probe_curve=[2300, 1200], supply_mv_nominal=3300)


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 1 << 28))
def test_equals_the_line_in_fractions(dry, wet, uv):
    if abs(dry - wet) < 100:
        return
    share = (Fraction(uv, 1000) - dry) / (wet - dry)
    found = soil_adc.moisture_permille(uv, dry, wet)
    if -Fraction(1, 4) <= share <= Fraction(5, 4):
        assert found == floor(1000 * min(max(share, Fraction(0)), Fraction(1)) + Fraction(1, 2))
    else:
        assert found is None


def judged(driver, health):
    """Return what Health makes of the next reading."""
    values = list(driver.read())
    health.check_plausible(values, 0, driver.raw)
    return values[0]


@pytest.mark.parametrize("noise_mv", [0.3, 0.5, 0.8, 1.2, 2.0])
@pytest.mark.parametrize("beyond_dry_v", [0.0, 0.05])
def test_quiet_soil_that_stays_as_it_is_is_never_stuck(noise_mv, beyond_dry_v):
    """Forty probes for a day, in soil as moist throughout, or drier than the curve's dry end, which reads 0."""
    for seed in range(40):
        rng = random.Random(seed)
        volts = 2.3 + beyond_dry_v if beyond_dry_v else rng.uniform(1.2, 2.3)
        pin = AnalogPin(lambda v=volts: v, rng, noise_v=noise_mv / 1000)
        driver = driver_of(pin, probe_curve=[2300, 1200])
        health = Health(1, soil_adc.STUCK_CYCLES, ())
        readings = {judged(driver, health) for _ in range(144)}
        if beyond_dry_v:
            assert readings == {0}


def test_a_line_that_says_the_same_to_the_last_bit_is_stuck():
    probe, pin = wired(5)
    driver = driver_of(pin, probe_curve=probe.probe_curve_mv())
    health = Health(1, soil_adc.STUCK_CYCLES, soil_adc.MAX_STEP)
    for _ in range(50):
        judged(driver, health)
    pin.stuck = True
    for _ in range(soil_adc.STUCK_CYCLES):
        judged(driver, health)
        probe.moisture += 0.01
    with pytest.raises(SensorError, match="got the same 37 times: stuck"):
        judged(driver, health)
