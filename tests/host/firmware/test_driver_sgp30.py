"""The SGP30 driver on a model of the part: warm-up, power losses, and ticks that wrap."""

import pytest
from dibble import SensorError
from dibble.drivers import sgp30
from dibble_tools.simulator.devices.sgp30 import Sgp30
from dibble_tools.simulator.node.bus import TICKS_PERIOD, SimBus, VirtualClock

CYCLE_MS = 600_000


@pytest.fixture(params=[0, TICKS_PERIOD - 5000, TICKS_PERIOD // 2 - 5000], ids=["boot", "wrap", "half"])
def clock(request: pytest.FixtureRequest) -> VirtualClock:
    return VirtualClock(request.param * 1000)


@pytest.fixture
def device(clock: VirtualClock) -> Sgp30:
    device = Sgp30(clock.now_us)
    device.tvoc_ppb, device.eco2_ppm = 123.0, 456.0
    return device


@pytest.fixture
def driver(clock: VirtualClock, device: Sgp30) -> sgp30.Sgp30:
    return build(clock, device)


def build(clock: VirtualClock, device: Sgp30) -> sgp30.Sgp30:
    return sgp30.build({"address": 0x58}, clock, SimBus({0x58: device}))


@pytest.fixture
def warm(driver, clock: VirtualClock) -> sgp30.Sgp30:
    driver.start()
    clock.sleep_ms(16_000)
    return driver


@pytest.mark.parametrize(
    ("tvoc", "eco2", "reading"),
    [(123.0, 456.0, (123, 456)), (0.0, 400.0, (0, 400)), (0.0, 401.0, (0, 401)), (60000.0, 60000.0, (60000, 60000))],
)
def test_read_tells_the_truth(warm, device, tvoc: float, eco2: float, reading: tuple[int, int]) -> None:
    device.tvoc_ppb, device.eco2_ppm = tvoc, eco2
    assert warm.read() == reading


def test_no_reading_in_the_first_fifteen_seconds(driver, clock: VirtualClock) -> None:
    driver.start()
    for _ in range(14):
        with pytest.raises(SensorError, match="expected a reading at I2C 0x58, got a sensor warming up"):
            driver.read()
        clock.sleep_ms(1000)
    clock.sleep_ms(1000)
    assert driver.read() == (123, 456)


def test_clean_air_needs_a_second_more_to_be_believed(driver, device, clock: VirtualClock) -> None:
    device.tvoc_ppb, device.eco2_ppm = 0.0, 400.0
    driver.start()
    clock.sleep_ms(15_500)
    with pytest.raises(SensorError, match="warming up"):
        driver.read()
    clock.sleep_ms(500)
    assert driver.read() == (0, 400)


def test_start_after_a_failed_read_does_not_restart_the_warm_up(driver, clock: VirtualClock) -> None:
    """The app starts a sensor anew after each failed read: the second cycle must have a reading."""
    driver.start()
    with pytest.raises(SensorError, match="warming up"):
        driver.read()
    clock.sleep_ms(5000)
    driver.start()
    with pytest.raises(SensorError, match="warming up"):
        driver.read()
    clock.sleep_ms(10_000)
    driver.start()
    assert driver.read() == (123, 456)


def test_booted_node_leaves_a_running_part_alone(warm, clock: VirtualClock, device) -> None:
    after_boot = build(clock, device)
    after_boot.start()
    assert after_boot.read() == (123, 456)
    device.tvoc_ppb, device.eco2_ppm = 0.0, 400.0
    in_clean_air = build(clock, device)
    in_clean_air.start()
    assert in_clean_air.read() == (0, 400)


@pytest.mark.parametrize("pause_ms", [0, CYCLE_MS, TICKS_PERIOD // 2 + 20_000, TICKS_PERIOD - 20_000])
def test_part_that_lost_its_power_warms_up_again(warm, device, clock: VirtualClock, pause_ms: int) -> None:
    assert warm.read() == (123, 456)
    clock.sleep_ms(pause_ms)
    device.power_cycle()
    with pytest.raises(SensorError, match="expected a started sensor at I2C 0x58, got one without a baseline"):
        warm.read()
    warm.start()
    with pytest.raises(SensorError, match="warming up"):
        warm.read()
    clock.sleep_ms(15_000)
    assert warm.read() == (123, 456)


def test_part_that_lost_its_power_while_warming_up_recovers(driver, device, clock: VirtualClock) -> None:
    driver.start()
    device.power_cycle()
    for _ in range(2):
        with pytest.raises(SensorError):
            driver.read()
        clock.sleep_ms(CYCLE_MS)
        driver.start()
    assert driver.read() == (123, 456)


@pytest.mark.parametrize("days", [7, 12, 13, 25])
def test_long_pause_does_not_bring_the_warm_up_back(driver, device, clock: VirtualClock, days: int) -> None:
    device.tvoc_ppb, device.eco2_ppm = 0.0, 400.0
    driver.start()
    clock.sleep_ms(days * 86_400_000)
    assert driver.read() == (0, 400)


@pytest.mark.parametrize(("feature_set", "shown"), [(0x1022, "0x1022"), (0x0010, "0x0010"), (0xF0FF, "0xf0ff")])
def test_start_refuses_another_part(driver, device, feature_set: int, shown: str) -> None:
    device.feature_set = feature_set
    with pytest.raises(SensorError, match=f"expected feature set 0x0020 or up at I2C 0x58, got {shown}"):
        driver.start()


@pytest.mark.parametrize("feature_set", [0x0020, 0x0021, 0x0022, 0x0F22])
def test_start_accepts_each_version_sold(driver, device, feature_set: int) -> None:
    device.feature_set = feature_set
    driver.start()


def test_device_refuses_a_driver_that_does_not_wait(warm, clock: VirtualClock) -> None:
    clock.sleep_ms = lambda ms: None
    with pytest.raises(SensorError, match="got none"):
        warm.read()


@pytest.mark.parametrize("fault", ["absent", "never_ready"])
def test_silence_is_an_error_of_start_and_read(driver, device, fault: str) -> None:
    setattr(device, fault, True)
    for step in (driver.start, driver.read):
        with pytest.raises(SensorError, match="expected an answer at I2C 0x58, got none"):
            step()


def test_damaged_word_is_an_error_of_start_and_read(warm, device) -> None:
    device.damaged = True
    for step in (warm.start, warm.read):
        with pytest.raises(SensorError, match=r"expected CRC 0x.. at I2C 0x58, got 0x.."):
            step()


def test_heater_draws_from_its_start_to_the_power_cut(driver, device, clock: VirtualClock) -> None:
    clock.sleep_ms(1000)
    assert device.charge_uc == 0
    driver.start()
    begun_us = clock.now_us() - 10_000
    clock.sleep_ms(1000)
    assert device.charge_uc == 48 * (clock.now_us() - begun_us) / 1000 == 48_480
    device.power_cycle()
    clock.sleep_ms(1000)
    assert device.charge_uc == 48_480
