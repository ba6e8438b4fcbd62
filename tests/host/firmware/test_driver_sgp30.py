"""The SGP30 driver on a model of the part: warm-up, power losses, and ticks that wrap."""

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from dibble import ConfigError, SensorError
from dibble.drivers import sgp30
from dibble.drivers.absolute_humidity import absolute_humidity_g_m3 as integer_humidity
from dibble_tools.simulator.devices.sgp30 import Sgp30, absolute_humidity_g_m3
from dibble_tools.simulator.node.bus import TICKS_PERIOD, SimBus, VirtualClock

CYCLE_MS = 600_000


class Kept:
    """A memory over resets."""

    payload: bytes | None = None

    def newest(self) -> bytes | None:
        return self.payload

    def write(self, payload: bytes) -> None:
        self.payload = payload


@pytest.fixture(params=[0, TICKS_PERIOD - 5000, TICKS_PERIOD // 2 - 5000], ids=["boot", "wrap", "half"])
def clock(request: pytest.FixtureRequest) -> VirtualClock:
    return VirtualClock(request.param * 1000)


@pytest.fixture
def device(clock: VirtualClock) -> Sgp30:
    device = Sgp30(clock.now_us)
    device.tvoc_ppb, device.eco2_ppm = 123.0, 456.0
    device.learns = False
    return device


@pytest.fixture
def driver(clock: VirtualClock, device: Sgp30) -> sgp30.Sgp30:
    return build(clock, device)


def build(clock: VirtualClock, device: Sgp30, memory: "Kept | None" = None, day: Sequence[int] = (0,)) -> sgp30.Sgp30:
    port = SimpleNamespace(
        sleep_ms=lambda ms: clock.sleep_ms(ms),
        ticks_ms=clock.ticks_ms,
        ticks_diff=clock.ticks_diff,
        memory=lambda name: memory or Kept(),
    )
    port.date = lambda: (day[0], 0)
    return sgp30.build({"address": 0x58}, port, SimBus({0x58: device}))


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


def live(driver: sgp30.Sgp30, clock: VirtualClock, hours: float, each_ms: int = 1000) -> None:
    """Let the time pass as the node does: asleep it keeps the part alive, and reads it each ten minutes."""
    for ms in range(0, int(hours * 3_600_000), each_ms):
        clock.sleep_ms(max(each_ms - sgp30.MEASURE_MS, 1))
        if ms % 600_000 < each_ms and driver.begun_ms is None:
            driver.read()
        else:
            driver.keep_alive()


@pytest.fixture
def new_part() -> tuple[VirtualClock, Sgp30]:
    clock = VirtualClock()
    device = Sgp30(clock.now_us)
    device.tvoc_ppb = 1000.0
    return clock, device


def test_a_part_asked_each_ten_minutes_never_learns(new_part) -> None:
    clock, device = new_part
    driver = build(clock, device)
    driver.start()
    live(driver, clock, 24, each_ms=600_000)
    assert not device.learnt() and driver.read()[0] > 1400


def test_a_part_kept_alive_learns_and_its_baseline_outlives_the_power(new_part) -> None:
    clock, device = new_part
    memory = Kept()
    driver = build(clock, device, memory)
    driver.start()
    live(driver, clock, 11.5)
    assert memory.payload is None and not device.learnt()
    live(driver, clock, 1)
    assert device.learnt() and memory.payload is not None
    device.power_cycle()
    clock.sleep_ms(60_000)
    driver = build(clock, device, memory)
    driver.start()
    clock.sleep_ms(16_000)
    assert driver.read()[0] == 1000


@pytest.mark.parametrize(
    ("kept", "now", "given"), [(100, 107, True), (100, 108, False), (0, 108, True), (100, 0, True)]
)
def test_a_baseline_holds_for_a_week(new_part, kept: int, now: int, given: bool) -> None:
    clock, device = new_part
    memory = Kept()
    memory.payload = b"\x8a\xae\x89\x73" + bytes((kept, 0, 0, 0))
    build(clock, device, memory, day=[now]).start()
    assert device.learnt() == given


def test_the_airs_humidity_is_told(new_part) -> None:
    clock, device = new_part
    device.learns, device.air_temperature_c, device.humidity_percent = False, 31.0, 90.0
    driver = build(clock, device)
    driver.start()
    clock.sleep_ms(16_000)
    assert driver.read()[0] > 1200
    driver.compensate(3100, 900)
    assert abs(driver.read()[0] - 1000) <= 15


def test_absolute_humidity_is_the_data_sheets_formula() -> None:
    for centi_c in range(-1000, 6000, 37):
        for permille in (50, 333, 1000):
            exact = absolute_humidity_g_m3(centi_c / 100, permille / 10)
            assert abs(integer_humidity(centi_c, permille) / 256 - exact) <= 0.015 * exact + 1 / 256
    assert integer_humidity(-3000, 500) == integer_humidity(-1000, 500)
    assert integer_humidity(8500, 1000) == 33278


def test_its_power_cant_be_switched() -> None:
    settings = {"address": 0x58, "power_pin": 15, "power_up_ms": 60000}
    with pytest.raises(ConfigError, match="expected no power_pin: an SGP30 learns for 12 hours, got power_pin 15"):
        sgp30.build(settings, None, None)
