"""A BME680, BME688 or BME690 at the level of its registers, over I2C.

Its physics are Bosch's float formulas, inverted: the ADC counts are those whose compensation gives the truth.
Not modelled: noise (the world adds it to the truth), the IIR filter, SPI, sequential mode, the fall of relative
humidity in a warmed sensor.
Source: Bosch Sensortec BST-BME680-DS001 rev. 1.0; BME68x_SensorAPI v4.4.5 for the formulas, the times and variant 1;
BME690_SensorAPI v1.0.3 for variant 2; public recordings for what a scan's place in the duty cycle does.
"""

import math
from collections.abc import Callable

from dibble_tools.simulator.devices.bme680_physics import DUMPED_TRIM, Trim, count_of
from dibble_tools.simulator.devices.bme690_physics import PLAUSIBLE_TRIM
from dibble_tools.simulator.node.bus import Nack

BME680, BME688, BME690 = range(3)  # variants
_STARTUP_US = 2000
_WAKE_US = 1000
_CONVERSION_US = 1963
_SWITCHING_US = 477 * 4
_GAS_ADC_US = 477 * 5
_SHARED_STEP_US = 477
_CONVERSION_UA = 714  # of pressure, the hungriest of the three
_HEATER_UA = 12000
_SHORTEST_HEATING_MS = 25  # "approximately 20-30 ms are necessary" (page 19)
# A surface that was cold for minutes reads less ohm than it will: 150 ms of heating are for readings each 4 s, a second
# for each 5 min (BME680_driver issue 4). How much and how fast: chosen.
COLD_SHARE = 0.3
_CLEANING_MS = 150.0
_COOLING_US = 60e6
# At lower temperatures it takes longer: the first scan of a duty cycle is 1.5 to 3.2 octaves lower at 100 C than the
# fifth. In octaves at 100 C, none from 300 C on; and in what time of heating it is forgotten to 1/e.
MEMORY_OCTAVES = 3.2
_MEMORY_FROM_C, _MEMORY_SPAN_C = 300.0, 200.0
_FORGETTING_S = 12.0
# How much more than at 320 C a surface in clean air reads at 100 C: chosen, as recordings have it.
CURVE_OCTAVES = 3.0
# How fast the heater warms the whole sensor, and in what time that fades to 1/e: chosen, not measured.
_WARMING_C_PER_S = 8.0
_MOST_WARMTH_C = 10.0
_FADING_US = 20e6
_OVERSAMPLING = (0, 1, 2, 4, 8, 16, 16, 16)
_WRITABLE = {*range(0x50, 0x6F), *range(0x70, 0x76), 0xE0}
_FIELDS = (0x1D, 0x2E, 0x3F)
_SET_POINTS = 10
_FORCED, _PARALLEL = 1, 2


def clean_air_octaves(heater_c: float) -> float:
    """Return how many octaves more than at 320 C the gas resistance of clean air is: none from 300 C on."""
    return CURVE_OCTAVES * max(0.0, _MEMORY_FROM_C - heater_c) / _MEMORY_SPAN_C


class Bme680:
    """One sensor.

    Args:
        now_us: the clock.
        trim: what the factory measured; by default that of a real BME680, or a BME690's.
        variant: BME680, BME688 or BME690.
    Attributes:
        air_temperature_c, humidity_percent, pressure_pa, gas_resistance_ohm: the truth it measures; of the gas, with
            the heater at 320 C.
        octaves: by how many octaves the gas resistance is more at another temperature of the heater.
        charge_uc: used so far by conversions and heater.
        heater_c: what the last heating came to, by the settings it was given.
        chip_id: what register 0xD0 says.
        heater_is_weak: the heater never gets stable.
        first_is_unstable: the first reading after a reset doesn't either (Adafruit_BME680 issue 43).
        cold_share: how much less than the truth a surface that wasn't heated for minutes reads at first.
        memory_octaves: by how many octaves less it reads then at 100 C, until some scans are over.
        loses: whether a step's data are lost, asked at the end of each step of a parallel scan.
        new_stays: the bit for new data stays until the field is written again: nobody says that reading clears it.
        gas_is_dummy: the gas slot is never a real conversion.
        hangs: a measurement, once started, never ends.
    """

    def __init__(self, now_us: Callable[[], int], trim: Trim | None = None, variant: int = BME680) -> None:
        self._now_us = now_us
        self.trim = trim or (PLAUSIBLE_TRIM if variant == BME690 else DUMPED_TRIM)
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
        self.memory_octaves = MEMORY_OCTAVES
        self.octaves: Callable[[float], float] = clean_air_octaves
        self.loses: Callable[[], bool] = lambda: False
        self.new_stays = True
        self.hangs = False
        self._memory = 1.0  # of the cold: 1 after minutes without heat, at _heated_us
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
        self._unit_us = 0  # of a parallel scan; 0: none runs
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
        data = bytes(self._registers[self._pointer : end])
        if not self.new_stays:
            for at in _FIELDS:
                if self._pointer <= at < end:
                    self._registers[at] &= 0x7F
        return data

    def _set(self, register: int, value: int) -> None:
        if register not in _WRITABLE:
            raise Nack
        if register == 0xE0:
            if value == 0xB6:
                self.power_cycle()
        elif self._unit_us:
            if register == 0x74 and not value & 3:  # nothing else is heard while it runs
                self._registers[register] = value
                self._unit_us = 0
        elif self._done_us is None:  # "write commands to the control registers are ignored" while it measures
            self._registers[register] = value
            mode = value & 3 if register == 0x74 else 0
            if mode == _FORCED:
                self._begin()
            elif mode == _PARALLEL and self.variant:
                self._begin_parallel()
            elif mode:
                raise Nack

    @property
    def _run_gas(self) -> int:
        return 0x20 if self.variant else 0x10

    def _conversions_us(self) -> int:
        """Return how long temperature, pressure and humidity take, by their oversampling."""
        r = self._registers
        count = sum(_OVERSAMPLING[code & 7] for code in (r[0x74] >> 5, r[0x74] >> 2, r[0x72]))
        return count * _CONVERSION_US + _SWITCHING_US

    def _begin(self) -> None:
        """Start a forced measurement: temperature, pressure, humidity, then heating and gas."""
        r = self._registers
        duration_us = self._conversions_us() + _WAKE_US
        self._counts = self._convert()
        self.charge_uc += duration_us * _CONVERSION_UA / 1e6
        self._gas = 0x04, 0  # a dummy: neither valid nor stable
        self._step = r[0x71] & 15
        if r[0x71] & self._run_gas and not r[0x70] & 8 and self._step < _SET_POINTS:
            time = r[0x64 + self._step]
            heating_ms = (time & 63) << (time >> 6) * 2
            duration_us += heating_ms * 1000 + _GAS_ADC_US
            self._heat(heating_ms, self._now_us() + duration_us)
            self._convert_gas(heating_ms)
            self._registers[0x1D] = 0x60
        else:
            self._registers[0x1D] = 0x20
        self._done_us = self._now_us() + duration_us

    def _begin_parallel(self) -> None:
        """Start to run the heater's profile over and over, a field for each unit."""
        r = self._registers
        shared = (r[0x6E] & 63) << (r[0x6E] >> 6) * 2
        if not r[0x71] & self._run_gas or r[0x70] & 8 or not 1 <= r[0x71] & 15 <= _SET_POINTS:
            raise Nack
        self._unit_us = self._conversions_us() + shared * _SHARED_STEP_US + _GAS_ADC_US
        self._next_us = self._now_us() + self._unit_us
        self._step = 0
        self._unit = 0  # of the step
        self._slot = 0
        self._index = 0

    def _convert(self) -> bytes:
        """Return the content of registers 0x1F to 0x26; what isn't oversampled at all is skipped."""
        r = self._registers
        codes = r[0x74] >> 2 & 7, r[0x74] >> 5, r[0x72] & 7
        trim = self.trim
        bits = trim.adc_bits
        felt_c = self.air_temperature_c + self._warmth_at(self._now_us())
        adc_t = count_of(trim.air_temperature_c, felt_c, 1 << bits)
        fine_c = trim.air_temperature_c(adc_t)
        adc_p = count_of(lambda adc: -trim.pressure_pa(adc, fine_c), -self.pressure_pa, 1 << bits)
        adc_h = count_of(lambda adc: trim.humidity_percent(adc, fine_c), self.humidity_percent, 1 << 16)
        # Without the filter a result has 16 bits, and one more for each doubling of the oversampling.
        adc_p, adc_t = (
            adc >> bits - 15 - code << bits - 15 - code if code else 1 << bits - 1
            for adc, code in ((adc_p, min(codes[0], 5)), (adc_t, min(codes[1], 5)))
        )
        adc_h = adc_h if codes[2] else 0x8000
        left = 24 - bits
        return (adc_p << left).to_bytes(3, "big") + (adc_t << left).to_bytes(3, "big") + adc_h.to_bytes(2, "big")

    def _heat(self, heating_ms: float, end_us: int) -> None:
        """Let the heater be on, with the set point of the step, until a moment."""
        plate_c = self.trim.heater_c(self._registers[0x5A + self._step], self.air_temperature_c)
        self.heater_c = max(plate_c, self.air_temperature_c)
        self.charge_uc += heating_ms * _HEATER_UA / 1000
        warmth_c = self._warmth_at(end_us) + heating_ms / 1000 * _WARMING_C_PER_S
        self._warmth_c = min(warmth_c, max(_MOST_WARMTH_C, heating_ms / 1000 * _WARMING_C_PER_S))
        self._warm_us = end_us
        self._was_first = self._heated_us is None and self.first_is_unstable
        pause_us = math.inf if self._heated_us is None else max(0.0, end_us - self._heated_us - heating_ms * 1000)
        self._heated_us = end_us
        self._cold = -math.expm1(-(pause_us + heating_ms * 1000) / _COOLING_US) * math.exp(-heating_ms / _CLEANING_MS)
        self._memory = 1 - (1 - self._memory) * math.exp(-pause_us / _COOLING_US)
        self._memory *= math.exp(-heating_ms / 1000 / _FORGETTING_S)

    def _convert_gas(self, heating_ms: float) -> None:
        """Measure the gas resistance after a heating."""
        far = max(0.0, _MEMORY_FROM_C - self.heater_c) / _MEMORY_SPAN_C
        octaves = self.octaves(self.heater_c) - far * self.memory_octaves * self._memory
        ohm = self.gas_resistance_ohm * (1 - self.cold_share * self._cold) * 2**octaves
        adc, gas_range = self.trim.gas_count(ohm, self.variant)
        valid = 0 if self.gas_is_dummy else 0x20
        stable = 0 if self.heater_is_weak or self._was_first or heating_ms < _SHORTEST_HEATING_MS else 0x10
        self._gas = adc >> 2, (adc & 3) << 6 | valid | stable | gas_range

    def _warmth_at(self, now_us: int) -> float:
        return self._warmth_c * math.exp(min((self._warm_us - now_us) / _FADING_US, 0.0))

    def _catch_up(self) -> None:
        """Do what happened since the last transaction: measurements ended, or the sensor isn't up yet."""
        if self._now_us() < self._deaf_until_us:
            raise Nack
        while self._unit_us and self._now_us() >= self._next_us and not self.hangs:
            self._end_unit()
        if self._done_us is not None and self._now_us() >= self._done_us and not self.hangs:
            self._done_us = None
            self._store(0x1D, 0)
            self._registers[0x74] &= 0xFC  # back to sleep

    def _end_unit(self) -> None:
        """End a unit of a parallel scan: the last of a step has a gas reading."""
        r = self._registers
        unit_ms = self._unit_us / 1000
        self._heat(unit_ms, self._next_us)
        self.charge_uc += self._conversions_us() * _CONVERSION_UA / 1e6
        self._counts = self._convert()
        self._gas = 0x04, 0
        self._unit += 1
        self._next_us += self._unit_us
        lost = False
        if last := self._unit >= max(1, r[0x64 + self._step]):
            self._convert_gas(unit_ms * self._unit)
            lost = self.loses()
        if not lost:
            self._store(_FIELDS[self._slot], self._index)
            self._slot = (self._slot + 1) % len(_FIELDS)
            self._index = (self._index + 1) % 256
        if last:
            self._unit = 0
            self._step = (self._step + 1) % (r[0x71] & 15)

    def _store(self, at: int, index: int) -> None:
        """Write a field: status, measurement index, counts, gas."""
        gas_at = at + (15 if self.variant else 13)
        self._registers[at + 1] = index
        self._registers[at + 2 : at + 10] = self._counts
        self._registers[gas_at], self._registers[gas_at + 1] = self._gas
        self._registers[at] = 0x80 | self._step
