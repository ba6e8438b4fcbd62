"""The battery's driver over a simulated pin."""

import random

import pytest
from dibble import SensorError
from dibble.drivers import battery
from dibble_tools.simulator.devices.analog import AnalogPin
from pin_port import PinPort, Steady, settings_of


def driver_of(device, **settings):
    return battery.build(settings_of(battery, pin=26, **settings), PinPort({26: device}), None)


@pytest.mark.parametrize(
    ("uv", "permille", "expected"),
    [
        (1_650_000, 2000, 3300),
        (2_100_249, 2000, 4200),
        (2_100_250, 2000, 4201),
        (3_298_000, 20_000, 65_960),
    ],
)
def test_voltage_through_the_divider_rounds_halves_up(uv, permille, expected):
    driver = driver_of(Steady(uv), divider_permille=permille)
    driver.start()
    assert driver.read() == (expected,)


@pytest.mark.parametrize(("uv", "got"), [(0, "0 uV: no divider"), (3_300_000, "its very end, 3300 mV")])
def test_either_end_of_the_converter_is_an_error(uv, got):
    with pytest.raises(SensorError, match=f"at pin 26, got {got}"):
        driver_of(Steady(uv)).read()


def test_noise_leaves_some_millivolts():
    driver = driver_of(AnalogPin(lambda: 3.7 / 2, random.Random(1), noise_v=0.005))
    errors = [abs(driver.read()[0] - 3700) for _ in range(300)]
    assert max(errors) <= 12
    assert sum(errors) / len(errors) < 3


def test_spikes_are_dropped_or_an_error_but_never_believed():
    pin = AnalogPin(lambda: 3.7 / 2, random.Random(1), noise_v=0.005)
    pin.spike_probability = 0.05
    driver = driver_of(pin)
    refused = 0
    for _ in range(2000):
        try:
            assert abs(driver.read()[0] - 3700) <= 30
        except SensorError:
            refused += 1
    assert refused < 40


def test_an_open_pin_is_an_error():
    for seed in range(200):
        pin = AnalogPin(lambda: 1.85, random.Random(seed))
        driver = driver_of(pin)
        driver.read()
        pin.disconnected = True
        with pytest.raises(SensorError, match=r"expected a steady voltage at pin 26, got readings from \d+ to \d+ uV"):
            driver.read()
        pin.disconnected = False
        driver.start()
        driver.read()
