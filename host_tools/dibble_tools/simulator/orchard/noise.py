"""What a node's sensors make of the truth: integers in the channels' units, wrong as cheap sensors are wrong.

Each sensor is drawn once a node: a zero and a slope that are a little off (a batch's spread), and a drift; each
reading adds noise and is rounded to what the sensor resolves. The soil probe's curve has a bow between its two
points, follows the temperature a little, and creeps upward as its coating ages; an electrochemical cell loses
sensitivity; anemometers stand still in a breath of air and count whole closures. The sizes are plausible for cheap
parts, not measured on one.
"""

import math
import random
from dataclasses import dataclass

from dibble_tools.simulator.orchard.truth import Field

YEAR_S = 365 * 86400
STARTS_M_S = 0.3  # of wind, before the cups turn
CLOSURE_M_S = 2.4 / 3.6  # of wind, at one closure a second (SEN-15901)
GUST_S = 3.0
PROBE_REFERENCE_C = 20.0


@dataclass(frozen=True)
class Spread:
    """How wrong a kind of sensor is: standard deviations, in the channel's unit.

    Attributes:
        zero, slope: drawn once a node; slope is a share.
        drift: drawn once a node, a year; drift_mean: of the kind.
        noise: of each reading.
        step: what it resolves.
        low, high: what it can show.
    """

    zero: float
    slope: float
    drift: float
    drift_mean: float
    noise: float
    step: int
    low: int
    high: int


SPREADS = {
    "air_temperature_centi_c": Spread(20, 0.002, 5, 0, 4, 1, -4000, 8500),
    "humidity_permille": Spread(15, 0.01, 8, 5, 4, 1, 0, 1000),
    "soil_moisture_permille": Spread(8, 0.02, 4, 6, 3, 1, 0, 1000),
    "ethylene_ppb": Spread(4, 0.08, 2, 0, 4, 2, 0, 10_000),
    "wind_speed_cm_s": Spread(0, 0.03, 0, 0, 0, 1, 0, 6000),
    "wind_gust_cm_s": Spread(0, 0.03, 0, 0, 0, 1, 0, 6000),
    "pressure_pa": Spread(60, 0, 10, 0, 6, 1, 30_000, 110_000),
    "soil_temperature_centi_c": Spread(25, 0, 0, 0, 0, 6, -5500, 12_500),
}
PROBE_BOW_PERMILLE = 10.0  # at the middle of its range
PROBE_PERMILLE_K = 0.6
CELL_LOSS_A_YEAR = 0.10  # of an electrochemical cell's sensitivity
TURBULENCE = 0.05  # of the wind, from one interval's mean to the hour's


class Sensors:
    """The sensors of one node; the same seed and node, the same errors.

    Args:
        installed_s: when their drift began, in seconds since 1970.
    """

    def __init__(self, seed: int, node: int, installed_s: float) -> None:
        self._random = random.Random(f"sensors {seed} {node}")
        self._installed_s = installed_s
        draw = self._random.gauss
        self._errors = {
            name: (draw(0, s.zero), 1 + draw(0, s.slope), draw(s.drift_mean, s.drift)) for name, s in SPREADS.items()
        }
        self._bow = draw(0, PROBE_BOW_PERMILLE)

    def read(self, field: Field) -> dict[str, int]:
        """Return one reading of every channel."""
        years = (field.now_s - self._installed_s) / YEAR_S
        wind_m_s = field.wind_speed_m_s * (1 + self._random.gauss(0, TURBULENCE))
        gust_m_s = max(wind_m_s, field.wind_gust_m_s * (1 + self._random.gauss(0, TURBULENCE)))
        truth = {
            "air_temperature_centi_c": 100 * field.air_temperature_c,
            "humidity_permille": 10 * field.humidity_percent,
            "soil_moisture_permille": self._probe(field.soil_moisture_permille, field.soil_temperature_c),
            "ethylene_ppb": field.ethylene_ppb * (1 - CELL_LOSS_A_YEAR * years),
            "wind_speed_cm_s": 100 * wind_m_s if wind_m_s >= STARTS_M_S else 0.0,
            "wind_gust_cm_s": 100 * whole_closures(gust_m_s),
            "pressure_pa": field.pressure_pa,
            "soil_temperature_centi_c": 100 * field.soil_temperature_c,
        }
        return {name: self._reading(name, value, years) for name, value in truth.items()}

    def _probe(self, permille: float, temperature_c: float) -> float:
        """Return the reading that a probe's two-point curve makes of a moisture: right at 0 and 1000, bowed between."""
        share = permille / 1000
        return permille + self._bow * 4 * share * (1 - share) + PROBE_PERMILLE_K * (temperature_c - PROBE_REFERENCE_C)

    def _reading(self, name: str, value: float, years: float) -> int:
        spread, (zero, slope, drift) = SPREADS[name], self._errors[name]
        shown = zero + slope * value + drift * years + self._random.gauss(0, spread.noise)
        return min(spread.high, max(spread.low, spread.step * math.floor(shown / spread.step + 0.5)))


def whole_closures(wind_m_s: float) -> float:
    """Return the wind that the closures within a gust's time stand for."""
    return math.floor(wind_m_s / CLOSURE_M_S * GUST_S) / GUST_S * CLOSURE_M_S
