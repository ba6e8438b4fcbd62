"""The SHT4x driver on a model of the part, and its integers against the data sheet's formulas in fractions."""

from fractions import Fraction

import pytest
from dibble import SensorError
from dibble.drivers import sht4x
from dibble.drivers.sensirion import air_temperature_centi_c, crc8
from dibble_tools.simulator.devices import sensirion
from dibble_tools.simulator.devices.sht3x import Sht3x
from dibble_tools.simulator.devices.sht4x import MEASURE_UC, Sht4x
from dibble_tools.simulator.node.bus import SimBus, VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def device(clock: VirtualClock) -> Sht4x:
    return Sht4x(clock.now_us)


@pytest.fixture
def driver(clock: VirtualClock, device: Sht4x) -> sht4x.Sht4x:
    return sht4x.build({"address": 0x44}, clock, SimBus({0x44: device}))


def nearest(value: Fraction) -> int:
    return (value + Fraction(1, 2)).__floor__()


def test_conversions_equal_the_data_sheet_for_every_raw_value() -> None:
    for raw in range(65536):
        share = Fraction(raw, 65535)
        assert air_temperature_centi_c(raw) == nearest(100 * (-45 + 175 * share))
        assert sht4x.humidity_permille(raw) == min(max(nearest(10 * (-6 + 125 * share)), 0), 1000)


def test_crc_equals_a_polynomial_division_for_every_word() -> None:
    assert crc8(b"\xbe\xef", 0, 2) == sensirion.crc8(0xBEEF) == 0x92  # data sheet
    assert all(crc8(word.to_bytes(2, "big"), 0, 2) == sensirion.crc8(word) for word in range(65536))


@pytest.mark.parametrize(
    ("celsius", "percent", "reading"),
    [
        (20.0, 50.0, (2000, 500)),
        (-39.96, 0.0, (-3996, 0)),
        (-0.01, 99.9, (-1, 999)),
        (0.0, 100.0, (0, 1000)),
        (124.99, 119.0, (12499, 1000)),
        (21.37, -6.0, (2137, 0)),
    ],
)
def test_read_tells_the_truth(driver, device, celsius: float, percent: float, reading: tuple[int, int]) -> None:
    device.air_temperature_c, device.humidity_percent = celsius, percent
    driver.start()
    assert driver.read() == reading


def test_two_probes_are_independent(clock: VirtualClock) -> None:
    devices = {0x44: Sht4x(clock.now_us), 0x45: Sht4x(clock.now_us)}
    devices[0x45].air_temperature_c = 5.0
    air, leaf = (sht4x.build({"address": address}, clock, SimBus(devices)) for address in devices)
    assert (air.read()[0], leaf.read()[0], air.read()[0]) == (2000, 500, 2000)


def test_a_reading_costs_one_measurement_and_ten_milliseconds(driver, device, clock: VirtualClock) -> None:
    driver.read()
    assert (device.charge_uc, clock.now_us()) == (MEASURE_UC, 10_000)


def test_device_refuses_a_driver_that_does_not_wait(driver, clock: VirtualClock) -> None:
    clock.sleep_ms = lambda ms: None
    with pytest.raises(SensorError, match="got none"):
        driver.read()


@pytest.mark.parametrize("fault", ["absent", "never_ready"])
def test_silence_is_an_error_of_start_and_read(driver, device, fault: str) -> None:
    setattr(device, fault, True)
    for step in (driver.start, driver.read):
        with pytest.raises(SensorError, match="expected an answer at I2C 0x44, got none"):
            step()


def test_damaged_word_is_an_error_of_start_and_read(driver, device) -> None:
    device.damaged = True
    for step in (driver.start, driver.read):
        with pytest.raises(SensorError, match=r"expected CRC 0x.. at I2C 0x44, got 0x.."):
            step()


def test_start_refuses_a_part_with_other_commands(clock: VirtualClock) -> None:
    with pytest.raises(SensorError, match="0x44"):
        sht4x.build({"address": 0x44}, clock, SimBus({0x44: Sht3x(clock.now_us)})).start()


def test_reading_survives_a_power_cycle(driver, device) -> None:
    driver.start()
    device.power_cycle()
    assert driver.read() == (2000, 500)


def test_fault_that_ends_is_forgotten(driver, device) -> None:
    device.absent = True
    with pytest.raises(SensorError):
        driver.read()
    device.absent = False
    driver.start()
    assert driver.read() == (2000, 500)


def test_stuck_part_repeats_itself(driver, device) -> None:
    driver.read()
    device.stuck, device.air_temperature_c = True, 30.0
    assert driver.read() == (2000, 500)
