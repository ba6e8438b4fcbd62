"""Adafruit's library on the BME680's register model: our driver against it, and our driver by means of it."""

import math
import random
import sys
from types import SimpleNamespace

import adafruit_bme680
import bme680_oracle
import pytest
from dibble import SensorError
from dibble.drivers import bme680, bme680_adafruit
from dibble_tools.simulator.devices.bme680 import Bme680
from dibble_tools.simulator.devices.bme680_physics import DUMPED_TRIM, Trim
from dibble_tools.simulator.node.bus import Nack, SimBus, VirtualClock

SETTINGS = {"address": 0x77, "heater_c": 320, "heater_ms": 150}


class Busio:
    """CircuitPython's busio.I2C over device models."""

    def __init__(self, devices: dict[int, Bme680]) -> None:
        self.devices = devices

    def try_lock(self) -> bool:
        return True

    def unlock(self) -> None:
        pass

    def writeto(self, address: int, buffer: bytes, *, start: int = 0, end: int | None = None) -> None:
        try:
            self._device(address).write(bytes(buffer[start:end]))
        except Nack:
            raise OSError(19, "No such device") from None

    def readfrom_into(self, address: int, buffer: bytearray, *, start: int = 0, end: int | None = None) -> None:
        try:
            buffer[start:end] = self._device(address).read(len(buffer[start:end]))
        except Nack:
            raise OSError(19, "No such device") from None

    def _device(self, address: int) -> Bme680:
        if address not in self.devices:
            raise Nack
        return self.devices[address]


class Rig:
    """One sensor, on our bus and on Adafruit's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, trim: Trim = DUMPED_TRIM, variant: int = 0) -> None:
        self.clock = VirtualClock()
        self.device = Bme680(self.clock.now_us, trim, variant)
        self.device.cold_share = 0.0  # formulas are compared
        self.busio = Busio({0x77: self.device})
        self.clock.sleep_ms(10)
        time = SimpleNamespace(sleep=self._sleep, monotonic=lambda: self.clock.now_us() / 1e6)
        monkeypatch.setattr(adafruit_bme680, "time", time)

    def _sleep(self, seconds: float) -> None:
        self.clock.sleep_ms(math.ceil(seconds * 1000))

    def ours(self) -> bme680.Bme680:
        driver = bme680.build(SETTINGS, self.clock, SimBus({0x77: self.device}))
        driver.start()
        return driver

    def library(self) -> adafruit_bme680.Adafruit_BME680_I2C:
        return adafruit_bme680.Adafruit_BME680_I2C(self.busio, 0x77, refresh_rate=-1)

    def by_library(self) -> bme680_adafruit.Bme680Adafruit:
        bus = SimpleNamespace(raw=self.busio)
        return bme680_adafruit.build(SETTINGS, self.clock, bus)


def test_library_agrees_where_it_rightly_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """300 random sensors and truths, both halves of 0xE2 equal and the switching error not negative.

    The library takes the other half of 0xE2, and a negative switching error for a positive one. What is left is
    Bosch's ints against floats: 0.0125 C, 0.089 hPa, 0.11 % humidity, gas 2.5 ppm and one ohm; of a BME688, whose
    formula in ints rounds down to steps of 100 ohm, less than that step.
    """
    rng = random.Random(22)
    for number in range(300):
        plain = bme680_oracle.plausible_trim(rng)
        h = (plain.h[0], plain.h[1] & ~15 | plain.h[0] & 15, *plain.h[2:])
        trim = Trim(plain.t, plain.p, h, plain.gas_heater, switching_error=abs(plain.switching_error) % 8)
        rig = Rig(monkeypatch, trim, variant=number % 2)
        rig.device.air_temperature_c = rng.uniform(-20, 50)
        rig.device.humidity_percent = rng.uniform(5, 95)
        rig.device.pressure_pa = rng.uniform(80000, 106000)
        rig.device.gas_resistance_ohm = math.exp(rng.uniform(math.log(3000), math.log(5e6)))
        driver = rig.ours()
        ours = (*driver.read_cheap(), *driver.read_costly())
        rig.clock.sleep_ms(600_000)
        library = rig.library()
        library.set_gas_heater(None, None)
        assert abs(ours[0] / 100 - library.temperature) <= 0.0125
        assert abs(ours[1] / 10 - library.humidity) <= 0.11 + 0.05
        assert abs(ours[2] / 100 - library.pressure) <= 0.089
        library.set_gas_heater(320, 150)
        if rig.device.variant:
            assert 0 <= library.gas - ours[3] < 100
        else:
            assert abs(ours[3] - library.gas) <= 1 + 2.5e-6 * ours[3]


def test_library_takes_h1_from_the_other_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """H1 and H2 of the published sensor end in 4 and 5."""
    rig = Rig(monkeypatch)
    assert abs(rig.ours().read_cheap()[1] - 500) <= 1
    assert 0.05 < abs(rig.library().humidity - 50) < 3.4


def test_heater_settings_are_the_librarys(monkeypatch: pytest.MonkeyPatch) -> None:
    """320 C for 150 ms: registers 0x5A and 0x64, within one step of the first."""
    rig = Rig(monkeypatch)
    rig.ours().read_costly()
    rig.device.write(b"\x5a")
    ours = rig.device.read(11)
    rig.library()
    rig.device.write(b"\x5a")
    theirs = rig.device.read(11)
    assert abs(ours[0] - theirs[0]) <= 1
    assert ours[10] == theirs[10] == 101


def test_driver_by_library_gives_our_units(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch)
    driver = rig.by_library()
    driver.start()
    for celsius, ohm in ((-12.5, 4e5), (21.25, 7000.0)):
        rig.clock.sleep_ms(600_000)
        rig.device.air_temperature_c = celsius
        rig.device.gas_resistance_ohm = ohm
        cheap = driver.read_cheap()
        costly = driver.read_costly()
        assert all(type(value) is int for value in (*cheap, *costly))
        assert abs(cheap[0] - celsius * 100) <= 1
        assert abs(cheap[1] - 500) <= 34
        assert abs(cheap[2] - 101325) <= 9
        assert abs(costly[0] / ohm - 1) < 0.004


def test_driver_by_library_rounds_to_the_nearest() -> None:
    for value, nearest in ((0.0, 0), (21.374, 2137), (21.376, 2138), (-21.374, -2137), (-21.376, -2138), (-0.004, 0)):
        assert bme680_adafruit._nearest(value, 100) == nearest


def test_driver_by_library_heats_for_gas_alone_and_reads_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch)
    driver = rig.by_library()
    driver.start()
    driver.read_cheap()
    assert rig.device.charge_uc < 100
    rig.device.air_temperature_c += 5
    assert abs(driver.read_cheap()[0] - 2500) <= 1  # at once, not the library's reading of a moment ago
    driver.read_costly()
    assert rig.device.charge_uc > 1700


def test_driver_by_library_has_the_channels_of_the_other() -> None:
    assert bme680_adafruit.CHANNELS == bme680.CHANNELS
    assert bme680_adafruit.SETTINGS == bme680.SETTINGS
    assert bme680_adafruit.COSTLY_FROM == bme680.COSTLY_FROM


def test_driver_by_library_turns_every_error_into_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch)
    driver = rig.by_library()
    with pytest.raises(SensorError, match="expected a BME680 at I2C 0x77, got none started"):
        driver.read_cheap()
    rig.device.chip_id = 0x58
    with pytest.raises(SensorError, match="expected a BME680 at I2C 0x77, got Failed to find BME680! Chip ID 0x58"):
        driver.start()
    rig.device.chip_id = 0x61
    driver.start()
    rig.device.hangs = True
    with pytest.raises(SensorError, match="got Timeout while reading"):
        driver.read_cheap()
    rig.device.hangs = False
    rig.busio.devices = {}
    for call in (driver.read_cheap, driver.read_costly):
        with pytest.raises(SensorError, match="expected a BME680 at I2C 0x77, got no answer"):
            call()
    with pytest.raises(SensorError, match="got No I2C device at address: 0x77"):
        driver.start()
    rig.busio.devices = {0x77: rig.device}
    driver.start()
    assert driver.read_cheap()[0] == 2000


def test_driver_by_library_throws_the_first_gas_reading_away(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch)
    driver = rig.by_library()
    driver.start()
    driver.read_costly()
    twice_uc = rig.device.charge_uc
    driver.read_costly()
    assert abs(twice_uc / (rig.device.charge_uc - twice_uc) - 2) < 0.1


def test_driver_by_library_says_that_the_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch)
    monkeypatch.setitem(sys.modules, "adafruit_bme680", None)
    with pytest.raises(SensorError, match="expected the library adafruit_bme680 in /lib, got none"):
        rig.by_library().start()
