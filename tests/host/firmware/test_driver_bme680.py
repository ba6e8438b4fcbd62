"""The BME680's driver against a model of its registers: truths, errors, and what the heater does."""

import random

import pytest
from dibble import SensorError
from dibble.drivers import bme680
from dibble_tools.simulator.devices.bme680 import Bme680
from dibble_tools.simulator.devices.cable import I2cCable
from dibble_tools.simulator.node.bus import SimBus, VirtualClock

SETTINGS = {"address": 0x77, "heater_c": 320, "heater_ms": 0, "interval_s": 600}
TRUTHS = (
    (20.0, 50.0, 101325.0, 50000.0),
    (-19.37, 93.0, 95040.0, 1.2e6),
    (48.8, 11.5, 109000.0, 2345.0),
    (0.0, 100.0, 100000.0, 9e6),
    (-39.9, 3.0, 60000.0, 300000.0),
    (84.9, 0.0, 30200.0, 12000.0),
)


class Rig:
    """A driver on a bus with one sensor that has been up for a while."""

    def __init__(self, **settings: int) -> None:
        self.clock = VirtualClock()
        self.device = Bme680(self.clock.now_us, variant=settings.pop("variant", 0))
        self.bus = SimBus({0x77: self.device})
        self.driver = bme680.build({**SETTINGS, **settings}, self.clock, self.bus)
        self.clock.sleep_ms(10)

    def started(self) -> "Rig":
        self.driver.start()
        return self

    def set_truth(self, celsius: float, percent: float, pascal: float, ohm: float) -> None:
        self.device.air_temperature_c = celsius
        self.device.humidity_percent = percent
        self.device.pressure_pa = pascal
        self.device.gas_resistance_ohm = ohm


@pytest.mark.parametrize("variant", [0, 1, 2])
def test_readings_are_the_truth(variant: int) -> None:
    """Within what Bosch's ints lose against its floats, a count of the gas ADC, the newer parts' steps of 100 ohm.

    Those have a floor at 5,685 ohm.
    """
    rig = Rig(variant=variant).started()
    for truth in TRUTHS:
        rig.clock.sleep_ms(600_000)
        rig.set_truth(*truth)
        celsius, percent, pascal, ohm = truth
        got = (*rig.driver.read_cheap(), *rig.driver.read_costly())
        assert abs(got[0] - celsius * 100) <= 1.25
        assert abs(got[1] - percent * 10) <= 1
        assert abs(got[2] - pascal) <= 9
        floor = 5685 if variant else 0
        assert abs(got[3] - max(ohm, floor)) < 0.004 * ohm + (100 if variant else 0)


def test_permille_round_halves_up(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig().started()
    for milli, permille in ((0, 0), (49, 0), (50, 1), (149, 1), (150, 2), (99949, 999), (99950, 1000), (100000, 1000)):
        monkeypatch.setattr(bme680.compensation, "humidity_milli_percent", lambda *_, m=milli: m)
        assert rig.driver.read_cheap()[1] == permille


def test_air_temperature_is_measured_before_the_heater_warms_the_sensor() -> None:
    rig = Rig().started()
    assert rig.driver.read_cheap()[0] == 2000
    rig.driver.read_costly()
    assert rig.driver.read_cheap()[0] > 2100  # what a reading right after the heater would be
    rig.clock.sleep_ms(600_000)
    assert rig.driver.read_cheap()[0] == 2000


def test_heater_is_off_in_a_cheap_reading() -> None:
    rig = Rig().started()
    rig.driver.read_costly()
    spent_uc = rig.device.charge_uc
    assert spent_uc > 1700
    rig.driver.read_cheap()
    assert rig.device.charge_uc - spent_uc < 30


@pytest.mark.parametrize("celsius", [-10.0, 20.0, 45.0])
@pytest.mark.parametrize("heater_c", [200, 320, 400])
def test_heater_reaches_its_setting_in_any_weather(heater_c: int, celsius: float) -> None:
    """Within 10 C: Bosch's ints drop most of what the ambient adds."""
    rig = Rig(heater_c=heater_c).started()
    rig.device.air_temperature_c = celsius
    rig.driver.read_cheap()
    rig.driver.read_costly()
    assert abs(rig.device.heater_c - heater_c) < 10


@pytest.mark.parametrize("heater_ms", [30, 63, 64, 150, 1000, 4032])
def test_heater_stays_on_as_long_as_set(heater_ms: int) -> None:
    """Less the quarter that the register's coarse steps may lose; and the driver waits for it."""
    rig = Rig(heater_ms=heater_ms).started()
    rig.driver.read_costly()
    before_uc = rig.device.charge_uc
    rig.driver.read_costly()
    assert heater_ms * 0.75 * 12 < rig.device.charge_uc - before_uc - 3.5 <= heater_ms * 12


@pytest.mark.parametrize(("interval_s", "heater_ms"), [(4, 150), (29, 150), (30, 1000), (300, 1000), (600, 1000)])
def test_heater_is_on_as_long_as_the_interval_asks_for(interval_s: int, heater_ms: int) -> None:
    assert bme680.heating_ms({**SETTINGS, "interval_s": interval_s}) == heater_ms
    assert bme680.heating_ms({**SETTINGS, "interval_s": interval_s, "heater_ms": 77}) == 77


@pytest.mark.parametrize("variant", [0, 1])
def test_the_first_gas_reading_after_a_reset_is_one_too(variant: int) -> None:
    """The part says that its heater wasn't stable: heated again, it is."""
    rig = Rig(variant=variant).started()
    rig.driver.read_cheap()
    assert abs(rig.driver.read_costly()[0] / 50000 - 1) < 0.01


def test_short_heating_after_a_long_pause_reads_too_little() -> None:
    """Why 150 ms aren't the default at ten minutes."""
    readings = []
    for heater_ms in (150, 0):
        rig = Rig(heater_ms=heater_ms).started()
        rig.driver.read_costly()
        rig.clock.sleep_ms(600_000)
        readings.append(rig.driver.read_costly()[0] / 50000)
    assert readings[0] < 0.92 and abs(readings[1] - 1) < 0.004


def test_one_lost_answer_or_acknowledge_is_no_fault() -> None:
    rig = Rig()
    cable = rig.bus.devices[0x77] = I2cCable(rig.device, random.Random(1))
    for call in (rig.driver.start, rig.driver.read_cheap, rig.driver.read_costly, rig.driver.read_cheap):
        cable.lose = 1
        call()
    cable.lose = 99
    with pytest.raises(SensorError, match="expected an answer at I2C 0x77"):
        rig.driver.read_cheap()


def test_wrong_chip_id() -> None:
    rig = Rig()
    rig.device.chip_id = 0x60  # a BME280
    with pytest.raises(SensorError, match="expected chip id 0x61 at I2C 0x77, got 0x60"):
        rig.driver.start()
    with pytest.raises(SensorError, match="expected a started sensor"):
        rig.driver.read_cheap()


def test_unknown_variant() -> None:
    rig = Rig(variant=3)
    with pytest.raises(SensorError, match=r"expected variant 0 \(BME680\), 1 \(BME688\) or 2 \(BME690\) at .*, got 3"):
        rig.driver.start()


def test_silence() -> None:
    rig = Rig().started()
    for call in (rig.driver.start, rig.driver.read_cheap, rig.driver.read_costly):
        rig.bus.devices = {}
        with pytest.raises(SensorError, match="expected an answer at I2C 0x77"):
            call()
        rig.bus.devices = {0x77: rig.device}
        rig.driver.start()
    assert rig.driver.read_cheap()[0] == 2000


def test_a_measurement_that_never_ends_is_given_up() -> None:
    rig = Rig().started()
    rig.device.hangs = True
    for read, status in ((rig.driver.read_cheap, "0x20"), (rig.driver.read_costly, "0x20")):
        before_us = rig.clock.now_us()
        with pytest.raises(SensorError, match=f"expected new data within .* at I2C 0x77, got status {status}"):
            read()
        assert rig.clock.now_us() - before_us < 2_500_000
    rig.device.hangs = False
    rig.driver.start()
    assert rig.driver.read_cheap()[0] == 2000


def test_a_heater_that_never_gets_stable() -> None:
    rig = Rig().started()
    rig.device.heater_is_weak = True
    with pytest.raises(SensorError, match="expected a heater stable at 320 C at I2C 0x77, got an unstable one in 1000"):
        rig.driver.read_costly()
    assert rig.driver.read_cheap()[1] == 500


def test_a_heater_that_was_on_too_shortly() -> None:
    with pytest.raises(SensorError, match="expected a heater stable"):
        Rig(heater_ms=10).started().driver.read_costly()


@pytest.mark.parametrize("variant", [0, 1])
def test_a_dummy_gas_conversion(variant: int) -> None:
    rig = Rig(variant=variant).started()
    rig.device.gas_is_dummy = True
    with pytest.raises(SensorError, match="expected a valid gas reading at I2C 0x77, got none"):
        rig.driver.read_costly()


@pytest.mark.parametrize(("name", "value"), [("air_temperature_c", 87.0), ("pressure_pa", 29000.0)])
def test_what_the_sensor_cannot_measure_is_an_error(name: str, value: float) -> None:
    rig = Rig().started()
    setattr(rig.device, name, value)
    with pytest.raises(SensorError, match=r"expected \S+ \S+ at I2C 0x77, got"):
        rig.driver.read_cheap()


def test_lost_power_between_readings_recovers_through_start() -> None:
    rig = Rig().started()
    before = (*rig.driver.read_cheap(), *rig.driver.read_costly())
    rig.device.power_cycle()
    with pytest.raises(SensorError):
        rig.driver.read_cheap()  # not up yet
    rig.clock.sleep_ms(600_000)
    rig.driver.start()
    assert (*rig.driver.read_cheap(), *rig.driver.read_costly()) == before


def test_lost_power_within_a_measurement_is_an_error_not_a_value() -> None:
    rig = Rig().started()
    rig.driver.read_cheap()
    sleep_ms = rig.clock.sleep_ms
    for read in (rig.driver.read_cheap, rig.driver.read_costly):

        def sleep_and_lose_power(ms: int) -> None:
            rig.device.power_cycle()
            sleep_ms(ms)

        rig.clock.sleep_ms = sleep_and_lose_power  # type: ignore[method-assign]
        with pytest.raises(SensorError):
            read()
        rig.clock.sleep_ms = sleep_ms  # type: ignore[method-assign]
