"""The seesaw soil driver on a model of the part: busy and lost answers, probe curve, temperature."""

from fractions import Fraction

import pytest
from dibble import ConfigError, SensorError
from dibble.drivers import seesaw_soil
from dibble_tools.simulator.devices.seesaw_soil import TOUCH_UC, SeesawSoil
from dibble_tools.simulator.node.bus import SimBus, VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def device(clock: VirtualClock) -> SeesawSoil:
    device = SeesawSoil(clock.now_us)
    clock.sleep_ms(1000)
    return device


@pytest.fixture
def driver(clock: VirtualClock, device: SeesawSoil) -> seesaw_soil.SeesawSoil:
    return build(clock, device)


def build(clock: VirtualClock, device: SeesawSoil, dry: object = 320, wet: object = 1015) -> seesaw_soil.SeesawSoil:
    return seesaw_soil.build({"address": 0x36, "probe_curve": [dry, wet]}, clock, SimBus({0x36: device}))


@pytest.mark.parametrize(
    ("percent", "celsius", "reading"),
    [
        (0.0, 0.0, (0, 0)),
        (100.0, 21.37, (1000, 2137)),
        (40.0, -0.01, (400, -1)),
        (60.0, -12.5, (600, -1250)),
        (-24.0, 85.0, (0, 8500)),
        (124.0, -40.0, (1000, -4000)),
    ],
)
def test_read_tells_the_truth(driver, device, percent: float, celsius: float, reading: tuple[int, int]) -> None:
    device.soil_moisture_percent, device.soil_temperature_c = percent, celsius
    driver.start()
    assert driver.read() == reading


def test_each_probe_has_its_own_curve(clock: VirtualClock) -> None:
    device = SeesawSoil(clock.now_us, touch_dry=200, touch_wet=2000)
    clock.sleep_ms(1000)
    device.soil_moisture_percent = 25.0
    assert build(clock, device, 200, 2000).read()[0] == 250
    assert build(clock, device, 320, 1015).read()[0] == 475  # 650 of 320..1015


def test_moisture_is_the_nearest_permille_on_every_curve() -> None:
    for dry, wet in ((320, 1015), (0, 1), (0, 4095), (200, 2000), (4094, 4095), (1, 4)):
        for touch in range(max(dry - (wet - dry) // 4, 0), min(wet + (wet - dry) // 4, 4095) + 1):
            exact = Fraction(1000 * (touch - dry), wet - dry)
            expected = min(max((exact + Fraction(1, 2)).__floor__(), 0), 1000)
            assert seesaw_soil.soil_moisture_permille(touch, dry, wet) == expected


def test_temperature_is_the_nearest_hundredth_of_every_fraction() -> None:
    for whole in (-41, -1, 0, 25, 105):
        for fraction in range(65536):
            data = (whole << 16 | fraction).to_bytes(4, "big", signed=True)
            exact = 100 * (whole + Fraction(fraction, 65536))
            assert seesaw_soil.soil_temperature_centi_c(data) == (exact + Fraction(1, 2)).__floor__()


@pytest.mark.parametrize("touch", [0, 145, 1189, 4095])
def test_touch_far_outside_the_curve_is_an_error(driver, device, touch: int) -> None:
    device.unplugged_touch = touch
    with pytest.raises(SensorError, match=f"expected touch 320..1015, give or take 1:4, got {touch}"):
        driver.read()


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_lost_answers_are_asked_for_again(driver, device, lost: int) -> None:
    device.lost_answers = lost
    assert driver.read() == (501, 1500)


def test_lost_answers_without_end_are_an_error(driver, device, clock: VirtualClock) -> None:
    device.lost_answers = 1000
    before_us = clock.now_us()
    with pytest.raises(SensorError, match=r"expected an answer to 0x0f10 at I2C 0x36, got b'\\xff\\xff'"):
        driver.read()
    assert clock.now_us() - before_us == 75_000


def test_lost_temperature_is_not_zero_degrees(driver, device) -> None:
    """All ones would be -1 : 65536 of a degree, which rounds to 0: frost that isn't there."""
    device._work = lambda command: b"\x02\x8c" if command == b"\x0f\x10" else b""
    with pytest.raises(SensorError, match="expected an answer to 0x0004 at I2C 0x36"):
        driver.read()


@pytest.mark.parametrize("spoilt", [1, 3])
def test_spoilt_answers_are_asked_for_again(driver, device, spoilt: int) -> None:
    device.spoilt_answers = spoilt
    assert driver.read() == (501, 1500)


@pytest.mark.parametrize("celsius", [-40.5, 105.5, 16383.0])
def test_temperature_that_cannot_be_is_an_error(driver, device, celsius: float) -> None:
    device.soil_temperature_c = celsius
    with pytest.raises(SensorError, match="expected -4000 to 10500 centi_c at I2C 0x36, got"):
        driver.read()


@pytest.mark.parametrize("slow_us", [1000, 10_000, 30_000])
def test_slow_part_gets_more_time(driver, device, slow_us: int) -> None:
    device.slow_us = slow_us
    assert driver.read() == (501, 1500)


def test_part_that_is_busy_without_end_is_an_error(driver, device, clock: VirtualClock) -> None:
    device.slow_us = 1 << 40
    before_us = clock.now_us()
    with pytest.raises(SensorError, match="expected an answer at I2C 0x36, got none"):
        driver.read()
    assert clock.now_us() - before_us <= 150_000


def test_device_refuses_a_driver_that_does_not_wait(driver, clock: VirtualClock) -> None:
    clock.sleep_ms = lambda ms: None
    with pytest.raises(SensorError, match="got none"):
        driver.read()


def test_silence_is_an_error_of_start_and_read(driver, device) -> None:
    device.absent = True
    for step in (driver.start, driver.read):
        with pytest.raises(SensorError, match="expected an answer at I2C 0x36, got none"):
            step()


@pytest.mark.parametrize("hardware_id", [0x55, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89])
def test_start_accepts_each_seesaw(driver, device, hardware_id: int) -> None:
    device.hardware_id = hardware_id
    driver.start()


@pytest.mark.parametrize("hardware_id", [0x00, 0x54, 0x83, 0x8A, 0xFE])
def test_start_refuses_another_part(driver, device, hardware_id: int) -> None:
    device.hardware_id = hardware_id
    with pytest.raises(SensorError, match=f"expected id 0x55 or 0x84..0x89 at I2C 0x36, got 0x{hardware_id:02x}"):
        driver.start()


def test_part_that_boots_recovers_through_start(driver, device) -> None:
    driver.read()
    device.power_cycle()
    with pytest.raises(SensorError, match="got none"):
        driver.read()
    device._now_us.__self__.sleep_ms(1000)
    driver.start()
    assert driver.read() == (501, 1500)


@pytest.mark.parametrize(("dry", "wet"), [(1015, 320), (5, 5), (-1, 5), (0, 4096), ("a", 5), (1, None), (True, 5)])
def test_build_refuses_a_curve_that_does_not_rise(clock, device, dry: object, wet: object) -> None:
    with pytest.raises(ConfigError, match=r"expected probe_curve \[dry, wet\] rising in 0..4095, got"):
        build(clock, device, dry, wet)


def test_default_curve_is_a_valid_one(clock: VirtualClock, device) -> None:
    settings = {name: default for name, _, _, _, default in seesaw_soil.SETTINGS}
    assert seesaw_soil.build(settings, clock, SimBus({0x36: device})).read() == (501, 1500)


def test_a_reading_costs_one_touch(driver, device) -> None:
    driver.read()
    assert device.charge_uc == TOUCH_UC
