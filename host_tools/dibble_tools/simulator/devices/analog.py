"""Analog sensors and the ADC pin between them and a driver: volts from a truth, and what goes wrong on the way."""

import math
import random
from collections.abc import Callable

FULL_SCALE_V = 3.3
NOMINAL_SUPPLY_V = 3.3


def ideal_adc(volts: float) -> float:
    return volts


ESP32_FLOOR_V = 0.142


def esp32_adc(volts: float) -> float:
    """Return the volts of an ESP32's read_uv(): 142 mV for all below, true to 2.45 V, then ever less.

    Source: MicroPython's ESP32 reference, class ADC, attenuation of 11 dB; the floor is Espressif's curve at raw 0,
    adc1_vref_atten_offset of esp_adc_cal, seen in esp-idf#1739.
    """
    if volts <= 2.45:
        return max(volts, ESP32_FLOOR_V)
    return 2.45 + 0.65 * (1 - math.exp((2.45 - volts) / 0.65))


def esp32_trimmed_adc(volts: float) -> float:
    """Return the same of a part whose curve is straight to its end, by the tables of esp_adc_cal."""
    return min(max(volts, ESP32_FLOOR_V), 3.1)


class AnalogPin:
    """An ADC over a source of volts.

    Args:
        volts: the source.
        rng: noise and faults come from it.
        noise_v: standard deviation of one reading.
        transfer: voltage at the pin -> voltage read.
        bits: resolution over FULL_SCALE_V.
    Attributes:
        disconnected: the pin drifts and picks up hum.
        stuck: every reading is the last one.
        spike_probability: share of readings that are any voltage at all.
    """

    def __init__(
        self,
        volts: Callable[[], float],
        rng: random.Random,
        noise_v: float = 0.002,
        transfer: Callable[[float], float] = ideal_adc,
        bits: int = 12,
    ) -> None:
        self.volts = volts
        self.rng = rng
        self.noise_v = noise_v
        self.transfer = transfer
        self.steps = (1 << bits) - 1
        self.disconnected = False
        self.stuck = False
        self.spike_probability = 0.0
        self._open_v = rng.uniform(0, FULL_SCALE_V)
        self._last_uv = 0.0

    def microvolts(self) -> float:
        if not self.stuck:
            volts = min(max(self.transfer(self._pin_v()), 0.0), FULL_SCALE_V)
            self._last_uv = round(volts / FULL_SCALE_V * self.steps) / self.steps * FULL_SCALE_V * 1e6
        return self._last_uv

    def _pin_v(self) -> float:
        if self.disconnected:
            wander = self._open_v + self.rng.gauss(0, 0.25)
            self._open_v = FULL_SCALE_V - abs(FULL_SCALE_V - abs(wander))  # reflected at both rails
            return self._open_v
        if self.spike_probability and self.rng.random() < self.spike_probability:
            return self.rng.uniform(0, FULL_SCALE_V)
        return self.volts() + self.rng.gauss(0, self.noise_v)


class SoilProbe:
    """A capacitive probe, v1.2: less voltage in wetter soil, no two alike.

    Dry and wet voltages are a batch's mean and spread; an uncoated board's output creeps up as water enters its edge.

    Attributes:
        moisture: truth, 0 (as dry as its curve's first point) .. 1 (saturated).
        supply_v: the output is a share of it.
        age_years: for the creep.
    """

    def __init__(self, rng: random.Random, bend: float = 1.0, creep_v_per_year: float = 0.03) -> None:
        self.dry_v = rng.gauss(2.3, 0.08)
        self.wet_v = rng.gauss(1.2, 0.08)
        self.bend = bend
        self.creep_v_per_year = creep_v_per_year
        self.moisture = 0.0
        self.supply_v = NOMINAL_SUPPLY_V
        self.age_years = 0.0

    def probe_curve_mv(self) -> list[int]:
        """Return the curve that a grower measures with the new probe at the nominal supply: [dry, wet]."""
        return [round(1000 * self.dry_v), round(1000 * self.wet_v)]

    def volts(self) -> float:
        fresh = self.dry_v + (self.wet_v - self.dry_v) * self.moisture**self.bend
        return (fresh + self.creep_v_per_year * self.age_years) * self.supply_v / NOMINAL_SUPPLY_V


class EthyleneCell:
    """An electrochemical cell and its amplifier: linear, with a zero that drifts and depends on temperature.

    Attributes:
        ethylene_ppm, air_temperature_c, age_years: truth.
    """

    zero_v = 0.4
    v_per_ppm = 0.05
    highest_v = 3.1

    def __init__(self, rng: random.Random, zero_v_per_c: float = 0.0002, zero_drift_v_per_year: float = 0.0) -> None:
        self.sensitivity = rng.gauss(1.0, 0.05)  # loss or gain against the nominal slope
        self.zero_v_per_c = zero_v_per_c
        self.zero_drift_v_per_year = zero_drift_v_per_year
        self.ethylene_ppm = 0.0
        self.air_temperature_c = 20.0
        self.age_years = 0.0

    def volts(self) -> float:
        zero = self.zero_v + self.zero_v_per_c * (self.air_temperature_c - 20)
        zero += self.zero_drift_v_per_year * self.age_years
        gas = self.sensitivity * self.v_per_ppm * self.ethylene_ppm
        return min(max(zero + gas, 0.0), self.highest_v)


class MoxSensor:
    """A heated metal oxide above a load resistor: gas, humidity, age and a cold heater lower its resistance.

    Attributes:
        gas_ppm, humidity_percent, age_years: truth.
        heated_since_us: when its power came.
    """

    load_ohm = 10_000
    supply_v = 3.3
    exponent = 0.6  # of the power law, as in data sheets' log-log plots
    half_ppm = 1.0
    doublings_per_percent = 0.006  # of humidity
    warming_s = 400.0
    cold_doublings = 2.0

    def __init__(self, now_us: Callable[[], int], rng: random.Random, drift_doublings_per_year: float = 0.3) -> None:
        self.now_us = now_us
        self.clean_ohm = 10_000 * 10 ** rng.random()  # one decade between parts: TGS2602, 10 to 100 kohm
        self.drift_doublings_per_year = drift_doublings_per_year
        self.gas_ppm = 0.0
        self.humidity_percent = 50.0
        self.age_years = 0.0
        self.heated_since_us = now_us()

    def resistance_ohm(self) -> float:
        heated_s = (self.now_us() - self.heated_since_us) / 1e6
        doublings = -self.exponent * math.log2(1 + self.gas_ppm / self.half_ppm)
        doublings -= self.doublings_per_percent * (self.humidity_percent - 50)
        doublings -= self.drift_doublings_per_year * self.age_years
        doublings -= self.cold_doublings * math.exp(-heated_s / self.warming_s)
        return self.clean_ohm * 2**doublings

    def volts(self) -> float:
        return self.supply_v * self.load_ohm / (self.load_ohm + self.resistance_ohm())
