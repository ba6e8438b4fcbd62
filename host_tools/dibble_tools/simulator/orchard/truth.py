"""The truth of the simulated field: an orchard and its fruit store in real weather, and what state they are in.

The node stands in the orchard: its air, wind and soil are the trees'; its gas sensor hangs in the store next to it.
Soil and store go on in steps of STEP_S on a fixed grid, so that the truth of a moment doesn't depend on who asked
before; the weather is that of the moment itself.

States, the first that applies; each is a fact of the model, whatever a sensor shows:
    frost     the air is at or below 0 deg C now or will be within FROST_AHEAD_H
    wind      gusts at 2 m reach STRONG_GUST_M_S
    irrigate  the depletion of the root zone exceeds the readily available water
    ripening  the store holds fruit, and its air RIPENING_PPB of ethylene or more
    ok        none of these
What can't wait comes first: frost kills in half an hour, a gust breaks branches and drifts spray, a dry soil is
watered within the day, and fruit ripens for days.
"""

import math

import numpy as np

from dibble_tools.simulator.orchard.evapotranspiration import day_of_year, reference_year_mm, wind_at_2_m
from dibble_tools.simulator.orchard.fruit_store import FruitStore
from dibble_tools.simulator.orchard.soil_water import APPLES, Crop, Soil, SoilWater, soil_named
from dibble_tools.simulator.orchard.weather import (
    DAY_H,
    HOUR_S,
    UTC_OFFSET_H,
    YEAR_H,
    YEAR_START_S,
    Weather,
    hour_of_year,
)

STEP_S = 600
STORE_WARM_UP_DAYS = 60  # the store is in use when the simulation begins
SOIL_LAG_H = 40.0  # in which soil at the probe's depth follows the air to 1/e
STATES = ("frost", "wind", "irrigate", "ripening", "ok")
FROST_C, FROST_AHEAD_H = 0.0, 2
STRONG_GUST_M_S = 8.0
RIPENING_PPB = 100.0  # "commonly considered threshold", Wills 1999
# One unit of a margin: what a fair sensor may be wrong by.
FROST_UNIT_K, WIND_UNIT_M_S, SOIL_UNIT, RIPENING_UNIT = 0.5, 1.0, 0.05, math.log(1.25)
CLEAN_AIR_OHM = 250_000.0  # of the metal oxide sensor
VOC_PPB, VOC_POWER = 50.0, 0.6
HUMIDITY_POWER = 0.008  # a percent

_WIND_FACTOR = float(wind_at_2_m(1.0))


class Field:
    """An orchard and its store; see the module for what is where.

    Args:
        seed: draws the store's batches.
        soil: a name in SOILS, or a soil.
        start_s: seconds since 1970; the soil is at field capacity then.

    Attributes, those of the moment advanced to:
        air_temperature_c, humidity_percent, pressure_pa, rain_mm_h: of the weather.
        wind_speed_m_s, wind_gust_m_s: at 2 m; wind_direction_deg: where it comes from.
        soil_moisture_permille: see Soil.permille; soil_temperature_c.
        store_temperature_c, store_humidity_percent, ethylene_ppb, gas_resistance_ohm: in the store.
        state, previous_state: and since when, state_since_s.
    """

    def __init__(
        self,
        seed: int = 0,
        soil: str | Soil = "loam",
        station: str = "EWR",
        start_s: float = YEAR_START_S,
        crop: Crop = APPLES,
    ) -> None:
        self.weather = Weather(station)
        self.soil = SoilWater(soil_named(soil) if isinstance(soil, str) else soil, crop)
        self.store = FruitStore(seed)
        days = (np.arange(YEAR_H) + UTC_OFFSET_H) // DAY_H % 365 + 1
        demand = reference_year_mm(self.weather) * crop.factor(days)
        whole_day = np.cumsum(np.concatenate([demand[-DAY_H:], demand]))
        self._demand_mm_h = demand.tolist()
        self._demand_mm_day = (whole_day[DAY_H:] - whole_day[:-DAY_H]).tolist()  # of the 24 hours up to this one
        self._grid_s = math.floor(start_s / STEP_S) * STEP_S
        self.soil_temperature_c = float(np.mean([self._air_c(self._grid_s - h * HOUR_S) for h in range(3 * DAY_H)]))
        for step in range(-STORE_WARM_UP_DAYS * DAY_H * HOUR_S // STEP_S, 0):
            before_s = self._grid_s + step * STEP_S
            self._step_store(before_s, self._air_c(before_s))
        self.now_s = start_s
        self.state = self.previous_state = ""
        self.state_since_s = start_s
        self._observe()
        self.previous_state = self.state

    def advance(self, to_time_s: float) -> None:
        """Go on to a moment, in seconds since 1970."""
        if to_time_s < self.now_s:
            raise ValueError(f"expected a time from {self.now_s} on, got {to_time_s}")
        while self._grid_s + STEP_S <= to_time_s:
            self._step(self._grid_s)
            self._grid_s += STEP_S
        self.now_s = to_time_s
        self._observe()

    def irrigate(self, mm: float) -> None:
        """Water the root zone; one mm is a litre a square metre."""
        self.soil.irrigate(mm)
        self._observe()

    def label(self) -> str:
        """Return the state of the moment."""
        return self.state

    def margins(self) -> dict[str, float]:
        """Return for each state but ok how far it is from its boundary: above 0 it applies, 1 is a sensor's error."""
        coldest = self.weather.coldest_c(self.now_s, self.now_s + FROST_AHEAD_H * HOUR_S)
        dry_mm = self.soil.depletion_mm - self.soil.readily_available_mm
        ripe = math.log(self.ethylene_ppb / RIPENING_PPB) / RIPENING_UNIT if self.store.batches else -math.inf
        return {
            "frost": (FROST_C - coldest) / FROST_UNIT_K,
            "wind": (self.wind_gust_m_s - STRONG_GUST_M_S) / WIND_UNIT_M_S,
            "irrigate": dry_mm / self.soil.available_mm / SOIL_UNIT,
            "ripening": ripe,
        }

    def margin(self) -> float:
        """Return how far the state is from another one: 0 on a boundary, 1 is a sensor's error."""
        return margin_of(self.margins())

    def _observe(self) -> None:
        weather = self.weather.at(self.now_s)
        self.air_temperature_c = weather.air_temperature_c
        self.humidity_percent = weather.humidity_percent
        self.pressure_pa = weather.pressure_pa
        self.rain_mm_h = weather.rain_mm_h
        self.wind_speed_m_s = weather.wind_speed_m_s * _WIND_FACTOR
        self.wind_gust_m_s = weather.wind_gust_m_s * _WIND_FACTOR
        self.wind_direction_deg = weather.wind_direction_deg
        self.soil_moisture_permille = self.soil.soil.permille(self.soil.content)
        self.store_temperature_c = self.store.air_temperature_c
        self.store_humidity_percent = self.store.humidity_percent
        self.ethylene_ppb = self.store.ethylene_ppb
        self.gas_resistance_ohm = gas_resistance_ohm(self.ethylene_ppb, self.store_humidity_percent)
        state = state_of(self.margins())
        if state != self.state:
            self.previous_state, self.state, self.state_since_s = self.state, state, self.now_s

    def _step(self, at_s: float) -> None:
        hours = STEP_S / HOUR_S
        hour, weather = hour_of_year(at_s), self.weather.at(at_s)
        self.soil.step(hours, weather.rain_mm_h * hours, self._demand_mm_h[hour] * hours, self._demand_mm_day[hour])
        warmer_k = weather.air_temperature_c - self.soil_temperature_c
        self.soil_temperature_c += warmer_k * -math.expm1(-hours / SOIL_LAG_H)
        self._step_store(at_s, weather.air_temperature_c)

    def _step_store(self, at_s: float, air_c: float) -> None:
        local_hour = (at_s / HOUR_S + UTC_OFFSET_H) % DAY_H
        self.store.step(STEP_S / HOUR_S, day_of_year(at_s), local_hour, air_c)

    def _air_c(self, at_s: float) -> float:
        return self.weather.at(at_s).air_temperature_c


def state_of(margins: dict[str, float]) -> str:
    """Return the first state that applies. The depletion has to exceed its limit, the others have to reach theirs."""
    for state in STATES[:-1]:
        if margins[state] > 0 or (margins[state] == 0 and state != "irrigate"):
            return state
    return STATES[-1]


def margin_of(margins: dict[str, float]) -> float:
    """Return how little would change the state: its own condition ending, or one that comes before it beginning."""
    state = state_of(margins)
    before = [-margins[name] for name in STATES[: STATES.index(state)]]
    return min([*before, margins[state]] if state in margins else before)


def gas_resistance_ohm(ethylene_ppb: float, humidity_percent: float) -> float:
    """Return the resistance that a metal oxide sensor like the BME680's might show.

    A toy: ripening fruit's vapours, taken to go with its ethylene, lower the resistance by a power law, and so does
    humidity. The part's data sheet promises no such curve.
    """
    vapours = (1 + ethylene_ppb / VOC_PPB) ** -VOC_POWER
    return CLEAN_AIR_OHM * vapours * math.exp(-HUMIDITY_POWER * (humidity_percent - 50))
