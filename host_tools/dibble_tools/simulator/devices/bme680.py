"""A BME680 or BME688 at the level of its registers, over I2C.

Its physics are Bosch's float formulas, inverted: the ADC counts are those whose compensation gives the truth.
Not modelled: noise (the world adds it to the truth), the IIR filter, SPI, heater profiles of more than one step,
the fall of relative humidity in a warmed sensor.
Source: Bosch Sensortec BST-BME680-DS001 rev. 1.0; BME68x_SensorAPI v4.4.5 for the formulas, the times and variant 1.
"""

import math
from collections.abc import Callable

from dibble_tools.simulator.devices.bme680_physics import DUMPED_TRIM, Trim, count_of
from dibble_tools.simulator.node.bus import Nack

_STARTUP_US = 2000
_WAKE_US = 1000
_CONVERSION_US = 1963
_SWITCHING_US = 477 * 4
_GAS_ADC_US = 477 * 5
_CONVERSION_UA = 714  # of pressure, the hungriest of the three
_HEATER_UA = 12000
_SHORTEST_HEATING_MS = 25  # "approximately 20-30 ms are necessary" (page 19)
# A surface that was cold for minutes reads less ohm than it will: 150 ms of heating are for readings each 4 s, a second
# for each 5 min (BME680_driver issue 4). How much and how fast: chosen.
COLD_SHARE = 0.3
_CLEANING_MS = 150.0
_COOLING_US = 60e6
# How fast the heater warms the whole sensor, and in what time that fades to 1/e: chosen, not measured.
_WARMING_C_PER_S = 8.0
_FADING_US = 20e6
_OVERSAMPLING = (0, 1, 2, 4, 8, 16, 16, 16)
_WRITABLE = {*range(0x50, 0x6F), *range(0x70, 0x76), 0xE0}


class Bme680:
    """One sensor.

    Args:
        now_us: the clock.
        trim: what the factory measured; by default that of a real BME680.
        variant: 0 is a BME680, 1 a BME688.
    Attributes:
        air_temperature_c, humidity_percent, pressure_pa, gas_resistance_ohm: the truth it measures.
        charge_uc: used so far by conversions and heater.
        heater_c: what the last heating came to, by the settings it was given.
        chip_id: what register 0xD0 says.
        heater_is_weak: the heater never gets stable.
        first_is_unstable: the first reading after a reset doesn't either (Adafruit_BME680 issue 43).
        cold_share: how much less than the truth a surface that wasn't heated for minutes reads at first.
        gas_is_dummy: the gas slot is never a real conversion.
        hangs: a measurement, once started, never ends.
    """

    def __init__(self, now_us: Callable[[], int], trim: Trim = DUMPED_TRIM, variant: int = 0) -> None:
        self._now_us = now_us
        self.trim = trim
        self.variant = variant
        self.chip_id = 0x61
        self.air_temperature_c = 20.0
        self.humidity_percent = 50.0
        self.pressure_pa = 101325.0
        self.gas_resistance_ohm = 50000.0
        self.charge_uc = 0.0
        self.heater_c = 0.0
        self.heater_is_weak = False
        self.first_is_unstable = True
        self.gas_is_dummy = False
        self.cold_share = COLD_SHARE
        self.hangs = False
        self._warmth_c = 0.0  # of the sensor above the air, at _warm_us
        self._warm_us = now_us()
        self.power_cycle()

    def power_cycle(self) -> None:
        """Lose all registers and any measurement that runs."""
        self._registers = bytearray(256)
        self._registers[0x1F:0x27] = b"\x80\0\0\x80\0\0\x80\0"
        self._pointer = 0
        self._heated_us: int | None = None
        self._done_us: int | None = None
        self._deaf_until_us = self._now_us() + _STARTUP_US
        for register, value in self.trim.registers().items():
            self._registers[register] = value

    def write(self, data: bytes) -> None:
        """Take pairs of register and value, or one register to read from."""
        self._catch_up()
        if len(data) == 1:
            self._pointer = data[0]
            return
        if len(data) % 2:
            raise Nack
        for register, value in zip(data[::2], data[1::2], strict=True):
            self._set(register, value)

    def read(self, size: int) -> bytes:
        self._catch_up()
        self._registers[0xD0] = self.chip_id
        self._registers[0xF0] = self.variant
        end = self._pointer + size
        if end > 256:
            raise Nack
        return bytes(self._registers[self._pointer : end])

    def _set(self, register: int, value: int) -> None:
        if register not in _WRITABLE:
            raise Nack
        if register == 0xE0:
            if value == 0xB6:
                self.power_cycle()
        elif self._done_us is None:  # "write commands to the control registers are ignored" while it measures
            self._registers[register] = value
            if register == 0x74 and value & 3:
                if value & 3 != 1:
                    raise Nack
                self._begin()

    def _begin(self) -> None:
        """Start a forced measurement: temperature, pressure, humidity, then heating and gas."""
        r = self._registers
        conversions = sum(_OVERSAMPLING[code & 7] for code in (r[0x74] >> 5, r[0x74] >> 2, r[0x72]))
        duration_us = conversions * _CONVERSION_US + _SWITCHING_US + _WAKE_US
        self._counts = self._convert()
        self.charge_uc += duration_us * _CONVERSION_UA / 1e6
        self._gas = 0x04, 0  # a dummy: neither valid nor stable
        if r[0x71] & self._run_gas and not r[0x70] & 8:
            heating_ms = (r[0x64] & 63) << (r[0x64] >> 6) * 2
            duration_us += heating_ms * 1000 + _GAS_ADC_US
            self._heat(heating_ms, self._now_us() + duration_us)
            self._registers[0x1D] = 0x60
        else:
            self._registers[0x1D] = 0x20
        self._done_us = self._now_us() + duration_us

    def _convert(self) -> bytes:
        """Return the content of registers 0x1F to 0x26; what isn't oversampled at all is skipped."""
        r = self._registers
        codes = r[0x74] >> 2 & 7, r[0x74] >> 5, r[0x72] & 7
        trim = self.trim
        felt_c = self.air_temperature_c + self._warmth_at(self._now_us())
        adc_t = count_of(trim.air_temperature_c, felt_c, 1 << 20)
        fine_c = trim.air_temperature_c(adc_t)
        adc_p = count_of(lambda adc: -trim.pressure_pa(adc, fine_c), -self.pressure_pa, 1 << 20)
        adc_h = count_of(lambda adc: trim.humidity_percent(adc, fine_c), self.humidity_percent, 1 << 16)
        # Without the filter a result has 16 bits, and one more for each doubling of the oversampling.
        adc_p, adc_t = (
            adc >> 5 - code << 5 - code if code else 0x80000
            for adc, code in ((adc_p, min(codes[0], 5)), (adc_t, min(codes[1], 5)))
        )
        adc_h = adc_h if codes[2] else 0x8000
        return (adc_p << 4).to_bytes(3, "big") + (adc_t << 4).to_bytes(3, "big") + adc_h.to_bytes(2, "big")

    @property
    def _run_gas(self) -> int:
        return 0x20 if self.variant else 0x10

    def _heat(self, heating_ms: int, end_us: int) -> None:
        self.heater_c = self.trim.heater_c(self._registers[0x5A], self.air_temperature_c)
        self.charge_uc += heating_ms * _HEATER_UA / 1000
        self._warmth_c = self._warmth_at(end_us) + heating_ms / 1000 * _WARMING_C_PER_S
        self._warm_us = end_us
        first = self._heated_us is None and self.first_is_unstable
        pause_us = math.inf if self._heated_us is None else end_us - self._heated_us
        self._heated_us = end_us
        cold = self.cold_share * -math.expm1(-pause_us / _COOLING_US) * math.exp(-heating_ms / _CLEANING_MS)
        adc, gas_range = self.trim.gas_count(self.gas_resistance_ohm * (1 - cold), self.variant)
        valid = 0 if self.gas_is_dummy else 0x20
        stable = 0 if self.heater_is_weak or first or heating_ms < _SHORTEST_HEATING_MS else 0x10
        self._gas = adc >> 2, (adc & 3) << 6 | valid | stable | gas_range

    def _warmth_at(self, now_us: int) -> float:
        return self._warmth_c * math.exp(min((self._warm_us - now_us) / _FADING_US, 0.0))

    def _catch_up(self) -> None:
        """Do what happened since the last transaction: a measurement ended, or the sensor isn't up yet."""
        if self._now_us() < self._deaf_until_us:
            raise Nack
        if self._done_us is not None and self._now_us() >= self._done_us and not self.hangs:
            self._done_us = None
            at = 0x2C if self.variant else 0x2A
            self._registers[0x1F:0x27] = self._counts
            self._registers[at], self._registers[at + 1] = self._gas
            self._registers[0x1D] = 0x80
            self._registers[0x74] &= 0xFC  # back to sleep
