"""The wind vane's driver over a simulated one of eight resistors."""

import random

import pytest
from dibble import ConfigError, SensorError
from dibble.drivers import wind_vane
from dibble.drivers.wind_vane import direction_deg
from dibble_tools.simulator.devices.analog import AnalogPin, esp32_adc, esp32_trimmed_adc
from dibble_tools.simulator.devices.wind_vane import WindVane
from pin_port import PinPort, Steady, settings_of


def driver_of(device, **settings):
    return wind_vane.build(settings_of(wind_vane, pin="A2", **settings), PinPort({"A2": device}), None)


@pytest.mark.parametrize("pull_up_ohm", [4700, 10_000, 22_000])
@pytest.mark.parametrize("sixteenth", range(16))
def test_every_direction_with_real_resistors(pull_up_ohm, sixteenth):
    for seed in range(10):
        rng = random.Random(seed)
        vane = WindVane(rng, pull_up_ohm)
        vane.direction_deg = 22.5 * sixteenth + rng.uniform(-11, 11)
        driver = driver_of(AnalogPin(vane.volts, rng), pull_up_ohm=pull_up_ohm)
        driver.start()
        assert driver.read() == (int(22.5 * sixteenth),)


def test_the_table_is_that_of_eight_resistors():
    vane = WindVane(random.Random(0), tolerance=0.0)
    for sixteenth in range(16):
        vane.direction_deg = 22.5 * sixteenth
        uv = 1e6 * vane.volts()
        nearest = min(driver_of(Steady(0)).table_uv, key=lambda entry: abs(entry - uv))
        assert abs(nearest - uv) < 1500


def test_an_esp32_reads_all_but_the_highest_voltages():
    # Its ADC bends above 2.45 V, where four of the sixteen are with 10 kohm; a smaller supply avoids that.
    wrong = []
    for supply_mv in (3300, 2500):
        vane = WindVane(random.Random(1), supply_v=supply_mv / 1000)
        driver = driver_of(AnalogPin(vane.volts, random.Random(1), transfer=esp32_adc), supply_mv=supply_mv)
        found = []
        for sixteenth in range(16):
            vane.direction_deg = 22.5 * sixteenth
            found.append(driver.read() == (int(22.5 * sixteenth),))
        wrong.append(found.count(False))
    assert wrong[0] > 0
    assert wrong[1] == 0


@pytest.mark.parametrize("uv", [0, 180_000, 3_140_000, 3_298_000])
def test_unplugged_or_shorted_is_an_error(uv):
    with pytest.raises(SensorError, match=f"expected 212 to 3046 mV of a wind vane at pin A2, got {uv // 1000} mV"):
        driver_of(Steady(uv)).read()


def test_an_open_pin_is_an_error():
    for seed in range(300):
        pin = AnalogPin(lambda: 1.0, random.Random(seed))
        pin.disconnected = True
        with pytest.raises(SensorError):
            driver_of(pin).read()


def told_on_an_esp32(pull_up_ohm, transfer, seed=5):
    """Return (truth, told) of sixteen directions."""
    told = []
    for sixteenth in range(16):
        vane = WindVane(random.Random(seed), pull_up_ohm=pull_up_ohm)
        vane.direction_deg = 22.5 * sixteenth
        pin = AnalogPin(vane.volts, random.Random(6), transfer=transfer)
        settings = settings_of(wind_vane, pin="A2", pull_up_ohm=pull_up_ohm)
        told.append((45 * sixteenth // 2, wind_vane.build(settings, PinPort({"A2": pin}), None).read()[0]))
    return told


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("transfer", [esp32_adc, esp32_trimmed_adc])
def test_on_an_esp32_15_kohm_tell_all_directions(monkeypatch, transfer, seed):
    """Whether its converter is trimmed, with a floor at 142 mV, or bends above 2.45 V."""
    monkeypatch.setattr(wind_vane, "BENT", True)
    assert all(truth == told for truth, told in told_on_an_esp32(15_000, transfer, seed))


@pytest.mark.parametrize("transfer", [esp32_adc, esp32_trimmed_adc])
def test_on_an_esp32_22_kohm_never_fail_and_are_a_sixteenth_off_at_most(monkeypatch, transfer):
    """Three of the sixteen are at the converter's floor then, all of them around east."""
    monkeypatch.setattr(wind_vane, "BENT", True)
    wrong = [(truth, told) for truth, told in told_on_an_esp32(22_000, transfer) if truth != told]
    assert wrong == [(67, 90), (112, 90)]
    assert direction_deg(0, driver_of(Steady(0), pull_up_ohm=22_000).table_uv, True) == 112  # a part without that floor


@pytest.mark.parametrize("given", [1000, 4700, 10_000, 13_500, 23_000, 47_000])
def test_what_leaves_directions_outside_is_refused_on_an_esp32(monkeypatch, given):
    monkeypatch.setattr(wind_vane, "BENT", True)
    with pytest.raises(
        ConfigError, match="expected pull_up_ohm of 14000 to 22000, best 15000, and such a resistor, at"
    ):
        wind_vane.build(settings_of(wind_vane, pin="A2", pull_up_ohm=given), PinPort({"A2": None}), None)
    for enough in (14_000, 15_000, 18_000, 22_000):
        wind_vane.build(settings_of(wind_vane, pin="A2", pull_up_ohm=enough), PinPort({"A2": None}), None)
