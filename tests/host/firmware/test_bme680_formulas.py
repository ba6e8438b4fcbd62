"""The BME680's driver, register by register, against the published formulas in unlimited ints (bme680_oracle.py)."""

import itertools
import random
from collections.abc import Iterator

import bme680_oracle as oracle
from dibble.drivers import bme680_compensation
from dibble.drivers.bme680 import Bme680, build
from dibble_tools.simulator.devices.bme680_physics import DUMPED_TRIM, Trim

SETTINGS = {"address": 0x77, "heater_c": 320, "heater_ms": 150}


class Registers:
    """A bus and clock with the fastest possible sensor: what it holds is always new data, valid and stable."""

    def __init__(self, trim: Trim) -> None:
        self.memory = bytearray(256)
        self.memory[0xD0] = 0x61
        for register, value in trim.registers().items():
            self.memory[register] = value

    def started(self, variant: int) -> Bme680:
        self.memory[0xF0] = variant
        driver = build(SETTINGS, self, self)
        driver.start()
        return driver

    def show(self, air_temperature: int, pressure: int, humidity: int, gas: int, gas_range: int, variant: int) -> None:
        field = b"\x80\0%b%b%b\0\0\0" % (
            (pressure << 4).to_bytes(3, "big"),
            (air_temperature << 4).to_bytes(3, "big"),
            humidity.to_bytes(2, "big"),
        )
        conversion = bytes((gas >> 2, (gas & 3) << 6 | 0x30 | gas_range))
        self.memory[0x1D:0x2E] = field + (b"\0\0" + conversion if variant else conversion + b"\0\0")

    def write(self, address: int, data: bytes) -> None:
        pass

    def sleep_ms(self, ms: int) -> None:
        pass

    def write_read_into(self, address: int, data: bytes, buffer: bytearray) -> None:
        buffer[:] = self.memory[data[0] : data[0] + len(buffer)]


def test_a_published_reading_of_the_published_sensor() -> None:
    """The sensor, counts and results of the tests of github.com/pimoroni/bme680-python; but 98711 Pa, as Bosch's C.

    The port there doubles before it divides, which C only does below 2**30.
    """
    bus = Registers(DUMPED_TRIM)
    driver = bus.started(0)
    bus.show(501240, 353485, 19019, 0, 0, 0)
    assert (*driver.read_cheap(), *driver.read_costly()) == (2669, 424, 98711, 12946860)


def valid_readings(rng: random.Random, trim: Trim, count: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield random counts of temperature, pressure and humidity that are in range, and the fine temperature."""
    while count:
        adc_t, adc_p, adc_h = rng.randrange(1 << 20), rng.randrange(1 << 20), rng.randrange(1 << 16)
        fine = oracle.fine(adc_t, trim)
        if -4000 <= oracle.centi_c(fine) <= 8500:
            pascal = oracle.pressure_pa(adc_p, fine, trim, int)
            in_c = oracle.humidity_milli_percent(adc_h, fine, trim)
            if 30000 <= pascal <= 110000 and in_c == oracle.humidity_milli_percent(adc_h, fine, trim, int):
                count -= 1
                yield adc_t, adc_p, adc_h, fine


def test_50000_random_valid_register_sets_give_what_the_published_formulas_give() -> None:
    """Temperature, humidity and gas exactly, of both variants; pressure exactly, up to 1100 hPa.

    Valid: 500 random sensors around a real one (oracle.plausible_trim), 100 readings each; every count of temperature,
    pressure and humidity that means -40..85 C and 300..1100 hPa, and for which C's int32 doesn't overflow in
    humidity; every count and range of gas. Where C's int32 overflows in pressure, always above 1000 hPa, the formula's
    meaning is the expectation.
    """
    rng = random.Random(680)
    overflows = readings = 0
    for number in range(500):
        trim = oracle.plausible_trim(rng)
        variant = number % 2
        bus = Registers(trim)
        driver = bus.started(variant)
        for adc_t, adc_p, adc_h, fine in valid_readings(rng, trim, 100):
            gas, gas_range = rng.randrange(1024), rng.randrange(16)
            bus.show(adc_t, adc_p, adc_h, gas, gas_range, variant)
            pascal = oracle.pressure_pa(adc_p, fine, trim)
            meant = oracle.pressure_pa(adc_p, fine, trim, int)
            milli = oracle.humidity_milli_percent(adc_h, fine, trim)
            ohm = oracle.gas_high_ohm(gas, gas_range) if variant else oracle.gas_low_ohm(gas, gas_range, trim)
            expected = (oracle.centi_c(fine), (milli + 50) // 100, meant, ohm)
            assert (*driver.read_cheap(), *driver.read_costly()) == expected, (trim, adc_t, adc_p, adc_h)
            assert bme680_compensation.humidity_milli_percent(adc_h, expected[0], trim.h) == milli
            readings += 1
            if pascal != meant:
                overflows += 1
                assert meant > 100_000, (trim, adc_t, adc_p)
    assert readings == 50_000
    assert 0 < overflows < 5000


def test_the_published_sensor_agrees_with_c_up_to_1060_hpa_and_with_the_formula_beyond() -> None:
    """From -35 C up; at -40 C the C overflows from 1054 hPa on."""
    trim = DUMPED_TRIM
    agreed = beyond = 0
    for celsius, adc in itertools.product(range(-35, 86, 5), range(200_000, 800_000, 401)):
        fine = celsius * 5120
        meant = oracle.pressure_pa(adc, fine, trim, int)
        if 30000 <= meant <= 110000:
            assert bme680_compensation.pressure_pa(adc, fine, trim.p) == meant
            if meant <= 106000:
                assert oracle.pressure_pa(adc, fine, trim) == meant
                agreed += 1
            else:
                beyond += 1
    assert agreed > 20_000 and beyond > 1000


def test_gas_of_every_count_and_range() -> None:
    """All 2 * 16384 of the published sensor, and the extremes of the switching error."""
    for error in (-8, 0, 7):
        trim = Trim(DUMPED_TRIM.t, DUMPED_TRIM.p, DUMPED_TRIM.h, DUMPED_TRIM.gas_heater, switching_error=error)
        factory = (0, 0, 0, 0, 0, error)
        for adc, gas_range in itertools.product(range(1024), range(16)):
            assert bme680_compensation.gas_low_ohm(adc, gas_range, factory) == oracle.gas_low_ohm(adc, gas_range, trim)
    for adc, gas_range in itertools.product(range(1024), range(16)):
        assert bme680_compensation.gas_high_ohm(adc, gas_range) == oracle.gas_high_ohm(adc, gas_range)


def test_heater_code_is_the_published_formulas() -> None:
    rng = random.Random(320)
    codes = bytearray()
    for _ in range(3000):
        trim = oracle.plausible_trim(rng)
        heater_c, ambient_c = rng.randint(200, 400), rng.randint(-40, 85)
        factory = (*trim.gas_heater, trim.heater_range, trim.heater_value, 0)
        code = bme680_compensation.heater_code(heater_c, ambient_c, factory)
        assert code == oracle.heater_code(heater_c, ambient_c, trim)
        codes.append(code)
    assert min(codes) < 50 and max(codes) > 200
