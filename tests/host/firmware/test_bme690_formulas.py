"""The BME690's compensation against Bosch's published 64-bit formulas, in 31 bits; and its simulation's floats."""

import random
from pathlib import Path

import bme690_oracle as oracle
import pytest
from dibble.drivers import bme690_compensation
from dibble_tools.simulator.devices.bme690_physics import PLAUSIBLE_TRIM, Bme690Trim
from small_ints import within_31_bits

CHECKED = within_31_bits(Path(bme690_compensation.__file__))
COLDEST, HOTTEST = -4000, 8500


def pressure_meant(adc: int, fine: int, p: tuple[int, ...]) -> int:
    pascal = oracle.pressure_pa(adc, fine, p)
    return pascal if 0 < pascal < 1 << 20 else 0


def test_any_registers_at_all_give_what_the_published_formulas_mean_in_31_bits() -> None:
    """2,500 sensors of random bits and ends; two thirds of the temperatures are a plausible sensor's."""
    rng = random.Random(690)
    inside = pressures = 0
    for number in range(2500):
        any_one = oracle.any_coefficients(rng)
        adc = oracle.bits(rng, 24)
        t = any_one.t
        if number % 3:
            t = rng.randint(20000, 30000), rng.randint(15000, 40000), rng.randint(-100, 100)
            adc = min((t[0] << 8) + rng.randint(-2_000_000, 4_000_000), (1 << 24) - 1)
        fine = CHECKED.fine_of(adc, t)
        centi_c = CHECKED.centi_c_of(fine)
        meant = oracle.fine(adc, t)
        if not COLDEST <= oracle.centi_c(meant) <= HOTTEST:
            assert not COLDEST <= centi_c <= HOTTEST
            continue
        assert (fine, centi_c) == (meant, oracle.centi_c(meant)), (adc, t)
        adc_p, adc_h = oracle.bits(rng, 24), oracle.bits(rng, 16)
        expected = pressure_meant(adc_p, fine, any_one.p)
        assert CHECKED.pressure_pa(adc_p, fine, any_one.p) == expected, (adc_p, fine, any_one.p)
        wet = oracle.humidity_1024ths(adc_h, centi_c, any_one.h)
        assert CHECKED.humidity_1024ths(adc_h, centi_c, any_one.h) == wet, (adc_h, centi_c, any_one.h)
        inside += 1
        pressures += expected > 0
    assert inside > 1200 and pressures > 500


def test_a_sensor_over_its_whole_range() -> None:
    """Every 32,768th count of temperature within -40..85 C, some of pressure and humidity."""
    trim = PLAUSIBLE_TRIM
    compared = 0
    for adc in range(0, 1 << 24, 32768):
        fine = oracle.fine(adc, trim.t)
        if COLDEST <= oracle.centi_c(fine) <= HOTTEST:
            assert bme690_compensation.fine_of(adc, trim.t) == fine
            for adc_p in range(0, 1 << 24, 1 << 21):
                assert bme690_compensation.pressure_pa(adc_p, fine, trim.p) == pressure_meant(adc_p, fine, trim.p)
            for adc_h in range(0, 1 << 16, 1 << 12):
                centi_c = oracle.centi_c(fine)
                wet = bme690_compensation.humidity_1024ths(adc_h, centi_c, trim.h)
                assert wet == oracle.humidity_1024ths(adc_h, centi_c, trim.h)
            compared += 1
    assert compared > 150


@pytest.mark.parametrize(("centi_c", "percent", "hectopascal"), [(-1500, 80, 950), (0, 5, 1013), (2500, 55, 720)])
def test_ints_mean_what_the_published_floats_mean(centi_c: int, percent: float, hectopascal: float) -> None:
    """Where the C's ints are right: within 0.01 C, 0.05 % and 2 Pa."""
    trim = PLAUSIBLE_TRIM
    adc = next(a for a in range(6_000_000, 1 << 24, 64) if trim.air_temperature_c(a) * 100 >= centi_c)
    fine = bme690_compensation.fine_of(adc, trim.t)
    assert abs(bme690_compensation.centi_c_of(fine) - trim.air_temperature_c(adc) * 100) <= 1
    celsius = trim.air_temperature_c(adc)
    adc_p = next(a for a in range(0, 1 << 24, 512) if trim.pressure_pa(a, celsius) <= hectopascal * 100)
    assert abs(bme690_compensation.pressure_pa(adc_p, fine, trim.p) - trim.pressure_pa(adc_p, celsius)) <= 2
    adc_h = next(a for a in range(1 << 16) if trim.humidity_percent(a, celsius) >= percent)
    wet = bme690_compensation.humidity_1024ths(adc_h, centi_c, trim.h)
    assert abs(wet / 1024 - trim.humidity_percent(adc_h, celsius)) < 0.05


def test_c_wraps_where_its_square_has_32_bits() -> None:
    """Bosch's C loses the third-order term of the pressure: up to 10 hPa of this sensor, which its floats don't."""
    trim = PLAUSIBLE_TRIM
    adc, fine = 7_300_000, 20 << 16
    ours = bme690_compensation.pressure_pa(adc, fine, trim.p)
    assert abs(ours - trim.pressure_pa(adc, 20.0)) <= 2
    assert abs(oracle.pressure_pa(adc, fine, trim.p, wrapping=True) - ours) > 50


def test_trim_is_taken_apart() -> None:
    """Every coefficient at its ends and at random, through the registers."""
    rng = random.Random(1)
    for _ in range(300):
        any_one = oracle.any_coefficients(rng)
        heater = (oracle.bits(rng, -8), oracle.bits(rng, -16), oracle.bits(rng, -8))
        trim = Bme690Trim(any_one.t, any_one.p, any_one.h, heater, rng.randrange(4), oracle.bits(rng, -8))
        memory = bytearray(256)
        for register, value in trim.registers().items():
            memory[register] = value
        registers = bytes(memory[0x8A:0xA1] + memory[0xE1:0xEF] + memory[0x00:0x05])
        expected = (any_one.t, any_one.p, any_one.h, (*heater, trim.heater_range, trim.heater_value, 0))
        assert bme690_compensation.trim_of(registers) == expected
