"""The SHT3x driver on a model of the part, and its integers against the data sheet's formulas in fractions."""

import random
from fractions import Fraction

import pytest
from dibble import SensorError
from dibble.drivers import sht3x
from dibble_tools.simulator.devices.cable import I2cCable
from dibble_tools.simulator.devices.sht3x import MEASURE_UC, Sht3x
from dibble_tools.simulator.devices.sht4x import Sht4x
from dibble_tools.simulator.node.bus import Nack, SimBus, VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def device(clock: VirtualClock) -> Sht3x:
    return Sht3x(clock.now_us)


@pytest.fixture
def driver(clock: VirtualClock, device: Sht3x) -> sht3x.Sht3x:
    return sht3x.build({"address": 0x45}, clock, SimBus({0x45: device}))


def test_humidity_equals_the_data_sheet_for_every_raw_value() -> None:
    for raw in range(65536):
        exact = Fraction(1000 * raw, 65535)
        assert sht3x.humidity_permille(raw) == (exact + Fraction(1, 2)).__floor__()


@pytest.mark.parametrize(
    ("celsius", "percent", "reading"),
    [
        (20.0, 50.0, (2000, 500)),
        (-45.0, 0.0, (-4500, 0)),
        (-2.8, 100.0, (-280, 1000)),
        (130.0, 33.3, (13000, 333)),
    ],
)
def test_read_tells_the_truth(driver, device, celsius: float, percent: float, reading: tuple[int, int]) -> None:
    device.air_temperature_c, device.humidity_percent = celsius, percent
    driver.start()
    assert driver.read() == reading


def test_a_reading_costs_one_measurement_and_sixteen_milliseconds(driver, device, clock: VirtualClock) -> None:
    driver.read()
    assert (device.charge_uc, clock.now_us()) == (MEASURE_UC, 16_000)


def test_device_in_periodic_mode_refuses_a_reset(device) -> None:
    device.periodic = True
    for command in (b"\x30\xa2", b"\xf3\x2d", b"\x24\x00"):
        with pytest.raises(Nack):
            device.write(command)


def test_start_ends_what_other_firmware_left(driver, device) -> None:
    device.periodic, device.heater_on = True, True
    driver.start()
    assert driver.read() == (2000, 500)


def test_one_lost_answer_or_bit_is_no_fault(clock: VirtualClock, device) -> None:
    cable = I2cCable(device, random.Random(1))
    driver = sht3x.build({"address": 0x45}, clock, SimBus({0x45: cable}))
    for fault in ("lose", "spoil"):
        for step in (driver.start, driver.read):
            setattr(cable, fault, 1)
            step()
            assert getattr(cable, fault) == 0
    assert driver.read() == (2000, 500)


def test_a_cable_that_loses_one_in_fifty_costs_one_reading_in_hundreds(clock: VirtualClock, device) -> None:
    cable = I2cCable(device, random.Random(2), nack_share=0.01, flip_share=0.01)
    driver = sht3x.build({"address": 0x45}, clock, SimBus({0x45: cable}))
    failed = 0
    for _ in range(3000):
        try:
            assert driver.read() == (2000, 500)
        except SensorError:
            failed += 1
    assert failed < 10


def test_device_refuses_a_driver_that_does_not_wait(driver, clock: VirtualClock) -> None:
    clock.sleep_ms = lambda ms: None
    with pytest.raises(SensorError, match="got none"):
        driver.read()


@pytest.mark.parametrize("fault", ["absent", "never_ready"])
def test_silence_is_an_error_of_start_and_read(driver, device, fault: str) -> None:
    setattr(device, fault, True)
    for step in (driver.start, driver.read):
        with pytest.raises(SensorError, match="expected an answer at I2C 0x45, got none"):
            step()


def test_damaged_word_is_an_error_of_start_and_read(driver, device) -> None:
    device.damaged = True
    for step in (driver.start, driver.read):
        with pytest.raises(SensorError, match=r"expected CRC 0x.. at I2C 0x45, got 0x.."):
            step()


def test_start_refuses_a_heater_that_stays_on(driver, device) -> None:
    device.stuck_heater = True
    with pytest.raises(SensorError, match="expected status 0x0010 in bits 0x2013 at I2C 0x45, got 0xa010"):
        driver.start()


def test_start_refuses_a_part_with_other_commands(clock: VirtualClock) -> None:
    with pytest.raises(SensorError, match="0x44"):
        sht3x.build({"address": 0x44}, clock, SimBus({0x44: Sht4x(clock.now_us)})).start()


def test_reading_survives_a_power_cycle(driver, device) -> None:
    driver.start()
    device.power_cycle()
    assert driver.read() == (2000, 500)


def test_stuck_part_repeats_itself(driver, device) -> None:
    driver.read()
    device.stuck, device.humidity_percent = True, 90.0
    assert driver.read() == (2000, 500)
