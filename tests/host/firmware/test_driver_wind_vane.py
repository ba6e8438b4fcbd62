"""The wind vane's driver over a simulated one of eight resistors."""

import random

import pytest
from dibble import ConfigError, SensorError
from dibble.drivers import wind_vane
from dibble_tools.simulator.devices.analog import AnalogPin, esp32_adc
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


@pytest.mark.parametrize(("pull_up_ohm", "right"), [(10_000, False), (15_000, False), (18_000, True)])
def test_on_an_esp32_all_directions_need_18_kohm(pull_up_ohm, right):
    """Its converter bends above 2.45 V, where 10 kohm leave three of the sixteen."""
    told = []
    for sixteenth in range(16):
        vane = WindVane(random.Random(5), pull_up_ohm=pull_up_ohm)
        vane.direction_deg = 22.5 * sixteenth
        pin = AnalogPin(vane.volts, random.Random(6), transfer=esp32_adc)
        settings = settings_of(wind_vane, pin="A2", pull_up_ohm=pull_up_ohm)
        told.append(wind_vane.build(settings, PinPort({"A2": pin}), None).read()[0])
    assert (told == [45 * sixteenth // 2 for sixteenth in range(16)]) == right


def test_10_kohm_are_refused_on_an_esp32(monkeypatch):
    monkeypatch.setattr(wind_vane, "BENT", True)
    with pytest.raises(ConfigError, match="expected pull_up_ohm of 18000 to 22000, and such a resistor, at pin A2"):
        wind_vane.build(settings_of(wind_vane, pin="A2"), PinPort({"A2": None}), None)
    for enough in (18000, 22000):
        wind_vane.build(settings_of(wind_vane, pin="A2", pull_up_ohm=enough), PinPort({"A2": None}), None)
