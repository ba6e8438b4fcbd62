"""A farm's fruit store: batches of apples ripen in it, and their ethylene fills its air.

A simple model, made for plausible levels rather than from measurements; all its numbers are here.
Each batch has a clock of ripeness in days at 20 deg C, which runs Q10 times slower ten degrees below. Its ethylene
rises by a logistic from a trace to the climacteric peak; the air loses it by ventilation, more while the door is used.
Levels between batches stay near those of shops and wholesale markets, 17 to 60 ppb (Wills 1999, as FIELD.md cites it);
a ripe batch brings up to some ppm. Fruit is carried in at harvest, and some is bought in at other times; it is
carried out when it is sold: before, at, or well after its peak begins.
The store is poorly insulated: a cooler holds it near COOLED_C by day and night, a frost guard above GUARDED_C.
"""

import math
import random
from dataclasses import dataclass

VOLUME_L = 60_000.0
Q10 = 2.5
BASE_C = 20.0  # of the clock and the rates
TRACE_UL_KG_H = 0.25  # of green fruit
PEAK_UL_KG_H = 60.0
RISE_DAYS = 0.8  # of the logistic
OUTDOOR_PPB = 5.0
SHUT_PER_H, USED_PER_H = 0.15, 0.6  # changes of air
DOOR_HOURS = (8, 18)  # local
COOLED_C, GUARDED_C, COOLER_BAND_K = 6.0, 2.0, 0.5
COOLER_K_H = 2.0
WALL_H = 24.0  # in which the store follows the air outside to 1/e
HARVEST = (222, 314)  # days of the year
HARVEST_GAP_DAYS, OTHER_GAP_DAYS = 6.0, 16.0  # between batches, on average
BATCH_KG = (400.0, 2000.0)
GREEN_DAYS = (5.0, 14.0)  # of ripeness to go until half the peak, when carried in
SOLD_DAYS = (-0.5, 5.0)  # of ripeness, against half the peak
HUMID_PERCENT, COOLER_DRIES_PERCENT = 93.0, 6.0
HUMIDITY_H = 2.0


@dataclass
class Batch:
    """Fruit that was carried in together.

    Attributes:
        to_go_days: of ripeness until its ethylene is half the peak; below 0 afterwards.
        sold_days: value of to_go_days at which it is carried out.
    """

    mass_kg: float
    to_go_days: float
    sold_days: float

    def ethylene_ul_h(self, speed: float) -> float:
        """Return its production; speed is Q10's factor."""
        rise = 1 / (1 + math.exp(min(self.to_go_days / RISE_DAYS, 500.0)))
        return self.mass_kg * speed * (TRACE_UL_KG_H + PEAK_UL_KG_H * rise)


class FruitStore:
    """The store's air and fruit; `seed` draws the batches."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"fruit store {seed}")
        self.batches: list[Batch] = []
        self.ethylene_ppb = OUTDOOR_PPB
        self.air_temperature_c = COOLED_C
        self.humidity_percent = HUMID_PERCENT
        self._cooling = False
        self._next_h = 0.0

    def step(self, hours: float, day: int, local_hour: float, outdoor_c: float) -> None:
        """Go on in time.

        Args:
            hours: of this step, at most 1.
            day: of the year; local_hour: 0 to 24, of the step's start.
        """
        self._climate(hours, outdoor_c)
        speed = Q10 ** ((self.air_temperature_c - BASE_C) / 10)
        made_ul_h = sum(batch.ethylene_ul_h(speed) for batch in self.batches)
        changes = USED_PER_H if DOOR_HOURS[0] <= local_hour < DOOR_HOURS[1] else SHUT_PER_H
        # Exact while production and ventilation are constant; 1 uL in 1 L is 1 ppm.
        settled = OUTDOOR_PPB + made_ul_h / VOLUME_L * 1000 / changes
        self.ethylene_ppb = settled + (self.ethylene_ppb - settled) * math.exp(-changes * hours)
        for batch in self.batches:
            batch.to_go_days -= speed * hours / 24
        self.batches = [batch for batch in self.batches if batch.to_go_days > batch.sold_days]
        self._next_h -= hours
        if self._next_h <= 0:
            self._carry_in(day)

    def _carry_in(self, day: int) -> None:
        draw = self._random
        self.batches.append(Batch(draw.uniform(*BATCH_KG), draw.uniform(*GREEN_DAYS), draw.uniform(*SOLD_DAYS)))
        gap_days = HARVEST_GAP_DAYS if HARVEST[0] <= day <= HARVEST[1] else OTHER_GAP_DAYS
        self._next_h = 24 * gap_days * draw.uniform(0.4, 1.6)

    def _climate(self, hours: float, outdoor_c: float) -> None:
        if self.air_temperature_c > COOLED_C + COOLER_BAND_K:
            self._cooling = True
        elif self.air_temperature_c < COOLED_C - COOLER_BAND_K:
            self._cooling = False
        leak = (outdoor_c - self.air_temperature_c) / WALL_H
        self.air_temperature_c += hours * (leak - COOLER_K_H * self._cooling)
        self.air_temperature_c = max(GUARDED_C, self.air_temperature_c)
        target = HUMID_PERCENT - COOLER_DRIES_PERCENT * self._cooling
        self.humidity_percent += (target - self.humidity_percent) * -math.expm1(-hours / HUMIDITY_H)
