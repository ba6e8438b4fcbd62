"""The ENS160 driver on a model of the part: validity, new data, checksum, power losses."""

import random

import pytest
from dibble import ConfigError, SensorError
from dibble.drivers import ens160
from dibble_tools.simulator.devices.cable import I2cCable
from dibble_tools.simulator.devices.ens160 import Ens160
from dibble_tools.simulator.node.bus import SimBus, VirtualClock

WARM_UP_MS = 180_010
CYCLE_MS = 600_000


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def device(clock: VirtualClock) -> Ens160:
    device = Ens160(clock.now_us)
    device.tvoc_ppb, device.eco2_ppm = 300.0, 1000.0
    device.aged = True
    return device


@pytest.fixture
def driver(clock: VirtualClock, device: Ens160) -> ens160.Ens160:
    return build(clock, device)


def build(clock: VirtualClock, device: Ens160) -> ens160.Ens160:
    return ens160.build({"address": 0x53}, clock, SimBus({0x53: device}))


@pytest.fixture
def warm(driver, clock: VirtualClock) -> ens160.Ens160:
    driver.start()
    clock.sleep_ms(WARM_UP_MS)
    return driver


@pytest.mark.parametrize(
    ("tvoc", "eco2", "reading"),
    [
        (300.0, 1000.0, (300, 1000)),
        (0.0, 400.0, (0, 400)),
        (65000.0, 65000.0, (65000, 65000)),
        (255.6, 511.4, (256, 511)),
    ],
)
def test_read_tells_the_truth(warm, device, tvoc: float, eco2: float, reading: tuple[int, int]) -> None:
    device.tvoc_ppb, device.eco2_ppm = tvoc, eco2
    assert warm.read() == reading


def test_warm_up_is_an_error_until_it_is_over(driver, clock: VirtualClock) -> None:
    driver.start()
    clock.sleep_ms(1000)
    for _ in range(179):
        with pytest.raises(SensorError, match="expected a reading at I2C 0x53, got a sensor warming up"):
            driver.read()
        clock.sleep_ms(1000)
    clock.sleep_ms(1000)
    assert driver.read() == (300, 1000)


def test_first_hour_is_an_error_that_says_so(driver, device, clock: VirtualClock) -> None:
    device.aged = False
    driver.start()
    clock.sleep_ms(3_599_000)
    with pytest.raises(SensorError, match="expected a reading at I2C 0x53, got a sensor in its first hour"):
        driver.read()
    clock.sleep_ms(1010)
    assert driver.read() == (300, 1000)


def test_zeros_of_the_first_second_are_not_taken(driver, device, clock: VirtualClock) -> None:
    """The part claims new data at once: the driver waits until it also says that it runs."""
    driver.start()
    clock.sleep_ms(50)
    with pytest.raises(SensorError, match="warming up"):
        driver.read()
    assert clock.now_us() >= 1_010_000


def test_start_after_a_failed_read_does_not_restart_the_warm_up(driver, clock: VirtualClock) -> None:
    driver.start()
    with pytest.raises(SensorError, match="warming up"):
        driver.read()
    clock.sleep_ms(100_000)
    driver.start()
    clock.sleep_ms(80_000)
    assert driver.read() == (300, 1000)


def test_booted_node_leaves_a_running_part_alone(warm, clock: VirtualClock, device) -> None:
    after_boot = build(clock, device)
    after_boot.start()
    assert after_boot.read() == (300, 1000)


def test_second_reading_in_a_second_waits_for_new_data(warm, device, clock: VirtualClock) -> None:
    warm.read()
    before_us = clock.now_us()
    device.tvoc_ppb = 301.0
    assert warm.read() == (301, 1000)
    assert 0 < clock.now_us() - before_us <= 1_000_000


def test_missing_new_data_is_an_error_after_two_seconds(warm, device, clock: VirtualClock) -> None:
    device.never_ready = True
    before_us = clock.now_us()
    with pytest.raises(SensorError, match="expected new data at I2C 0x53, got status 0x80"):
        warm.read()
    assert clock.now_us() - before_us == 2_000_000


def test_part_that_lost_its_power_warms_up_again(warm, device, clock: VirtualClock) -> None:
    warm.read()
    device.power_cycle()
    with pytest.raises(SensorError, match="expected new data at I2C 0x53, got status 0x00"):
        warm.read()
    warm.start()
    with pytest.raises(SensorError, match="warming up"):
        warm.read()
    clock.sleep_ms(CYCLE_MS)
    warm.start()
    assert warm.read() == (300, 1000)


def test_error_of_the_part_is_an_error(warm, device) -> None:
    device.failing = True
    with pytest.raises(SensorError, match="expected new data at I2C 0x53, got status 0xc2"):
        warm.read()


def test_output_that_is_not_valid_is_an_error(warm, device) -> None:
    device.invalid = True
    with pytest.raises(SensorError, match="expected a reading at I2C 0x53, got a sensor without valid output"):
        warm.read()


def test_damaged_data_are_an_error(warm, device) -> None:
    device.damaged = True
    with pytest.raises(SensorError, match=r"expected checksum 0x.. at I2C 0x53, got 0x.."):
        warm.read()


def test_less_than_fresh_air_is_an_error(warm, device) -> None:
    device.stuck, device._measured = True, (0, 399)
    with pytest.raises(SensorError, match="expected eCO2 of 400 ppm or more at I2C 0x53, got 399"):
        warm.read()


def test_stuck_part_repeats_itself(warm, device) -> None:
    warm.read()
    device.stuck, device.tvoc_ppb = True, 5000.0
    assert warm.read() == (300, 1000)


def test_start_refuses_another_part(clock: VirtualClock) -> None:
    with pytest.raises(SensorError, match="expected part id 0x0160 at I2C 0x53, got 0x0161"):
        build(clock, Ens160(clock.now_us, part_id=0x0161)).start()


def test_start_refuses_a_part_that_keeps_its_mode(driver, device) -> None:
    device.deaf = True
    with pytest.raises(SensorError, match="expected mode 0x02 at I2C 0x53, got 0x00"):
        driver.start()


def test_device_refuses_a_driver_that_does_not_wait(driver, clock: VirtualClock) -> None:
    clock.sleep_ms = lambda ms: None
    with pytest.raises(SensorError, match="expected mode 0x02"):
        driver.start()


def test_silence_is_an_error_of_start_and_read(driver, device) -> None:
    device.absent = True
    for step in (driver.start, driver.read):
        with pytest.raises(SensorError, match="expected an answer at I2C 0x53, got none"):
            step()


def test_standard_mode_draws_until_the_power_cut(driver, device, clock: VirtualClock) -> None:
    driver.start()
    clock.sleep_ms(1000)
    assert device.charge_uc == 29_000
    device.power_cycle()
    clock.sleep_ms(1000)
    assert device.charge_uc == 29_000


def test_the_first_hour_begins_anew_until_a_day_was_run(driver, device, clock: VirtualClock) -> None:
    device.aged = False
    for hours in (2, 23):
        driver.start()
        clock.sleep_ms(1_800_000)
        with pytest.raises(SensorError, match="in its first hour, which begins anew until it has run for a day"):
            driver.read()
        clock.sleep_ms(hours * 3_600_000 - 1_800_000)
        assert driver.read() == (300, 1000)
        device.power_cycle()
    driver.start()
    clock.sleep_ms(25 * 3_600_000)
    device.power_cycle()
    driver.start()
    clock.sleep_ms(WARM_UP_MS)
    assert driver.read() == (300, 1000)


@pytest.mark.parametrize(("celsius", "percent"), [(-10.0, 95.0), (25.0, 50.0), (41.37, 12.3)])
def test_the_airs_temperature_and_humidity_are_told(warm, device, celsius: float, percent: float) -> None:
    device.air_temperature_c, device.humidity_percent = celsius, percent
    warm.compensate(round(100 * celsius), round(10 * percent))
    assert warm.read() == (300, 1000)


def test_the_air_that_it_isnt_told_is_taken_for_its_gas(warm, device) -> None:
    device.air_temperature_c, device.humidity_percent = 5.0, 95.0
    assert warm.read()[0] != 300


def test_one_lost_answer_or_bit_is_no_fault(device, clock: VirtualClock) -> None:
    cable = I2cCable(device, random.Random(1))
    driver = ens160.build({"address": 0x53}, clock, SimBus({0x53: cable}))
    cable.lose = 1
    driver.start()
    clock.sleep_ms(WARM_UP_MS)
    cable.lose = 1
    assert driver.read() == (300, 1000)


def test_its_power_cant_be_switched() -> None:
    with pytest.raises(ConfigError, match="expected no power_pin: an ENS160 is warm after 3 minutes"):
        ens160.build({"address": 0x53, "power_pin": 15, "power_up_ms": 60000}, None, None)
