"""The water in a root zone by FAO-56's balance, a step at a time.

Numbers of equations and tables are those of FAO Irrigation and Drainage Paper 56, chapters 6 and 8. The root zone is
one bucket, so a probe anywhere in it measures its mean. Two things go beyond the paper, whose step is a day: water
above field capacity takes DRAINAGE_H to drain (never faster than saturated soil conducts), and what finds no pore
runs off. Nothing rises from the groundwater.
"""

import math
from dataclasses import dataclass

import numpy as np

from dibble_tools.common.errors import InputError

DRAINAGE_H = 12.0  # in which an excess over field capacity falls to 1/e: FAO-56 has it gone within a day or two
LEAST_FRACTION, LARGEST_FRACTION = 0.1, 0.8  # of p, below table 22
AIR_DRY = 0.5  # of the wilting point: as dry as air makes a topsoil, eq. 73


@dataclass(frozen=True)
class Soil:
    """A texture's water contents, m3 a m3, and how fast it conducts when saturated."""

    name: str
    field_capacity: float
    wilting_point: float
    saturation: float
    conductivity_mm_h: float

    def permille(self, content: float) -> float:
        """Return the reading of a faultless probe: 0 in this soil air-dry, 1000 when it is saturated, in proportion."""
        dry = AIR_DRY * self.wilting_point
        return 1000 * (content - dry) / (self.saturation - dry)


# Saxton and Rawls, Soil Sci. Soc. Am. J. 70:1569-1578, 2006, table 3, at 2.5 % organic matter.
SOILS = {
    soil.name: soil
    for soil in (
        Soil("sand", 0.10, 0.05, 0.46, 108.1),
        Soil("loamy_sand", 0.12, 0.05, 0.46, 96.7),
        Soil("sandy_loam", 0.18, 0.08, 0.45, 50.3),
        Soil("loam", 0.28, 0.14, 0.46, 15.5),
        Soil("silt_loam", 0.31, 0.11, 0.48, 16.1),
        Soil("clay_loam", 0.36, 0.22, 0.48, 4.3),
        Soil("silty_clay", 0.41, 0.27, 0.52, 3.7),
    )
}


@dataclass(frozen=True)
class Crop:
    """What drinks from the soil.

    Attributes:
        root_depth_m: effective depth of the roots.
        depletion_fraction: p of table 22, the share of the available water that is easily taken at 5 mm a day.
        days, factors: Kc at days of the year, in between on a line (figure 34).
    """

    root_depth_m: float
    depletion_fraction: float
    days: tuple[int, ...]
    factors: tuple[float, ...]

    def factor(self, day: int | np.ndarray) -> float | np.ndarray:
        """Return Kc on a day of the year."""
        return np.interp(day, self.days, self.factors)


# Apples over a grass cover, with killing frost: Kc 0.50, 1.20, 0.95 (table 12), stages of 20, 70, 90 and 30 days
# (table 11, deciduous orchard, high latitudes), begun on the first of April. Outside them the grass stays: Kc ini.
# p is table 22's; roots are shallower than its 1 to 2 m: dwarfing rootstock under drip lines.
APPLES = Crop(0.6, 0.50, (1, 91, 111, 181, 271, 301, 302, 365), (0.50, 0.50, 0.50, 1.20, 1.20, 0.95, 0.50, 0.50))


def soil_named(name: str) -> Soil:
    """Return the soil of a texture."""
    if name not in SOILS:
        raise InputError(f"expected a soil of {', '.join(SOILS)}; got {name!r}")
    return SOILS[name]


class SoilWater:
    """A root zone and what ever went in and out of it, in mm.

    Attributes:
        depletion_mm: Dr, what is missing to field capacity; below 0 while an excess drains.
        rain_mm, irrigation_mm: let in so far; evapotranspired_mm, percolated_mm, run_off_mm: gone.
    """

    def __init__(self, soil: Soil, crop: Crop = APPLES, depletion_mm: float = 0.0) -> None:
        self.soil, self.crop = soil, crop
        self.depletion_mm = depletion_mm
        self.fraction = crop.depletion_fraction
        self.rain_mm = self.irrigation_mm = 0.0
        self.evapotranspired_mm = self.percolated_mm = self.run_off_mm = 0.0
        self._depth_mm = 1000 * crop.root_depth_m
        self.available_mm = (soil.field_capacity - soil.wilting_point) * self._depth_mm
        self._most_excess_mm = (soil.saturation - soil.field_capacity) * self._depth_mm

    @property
    def readily_available_mm(self) -> float:
        """RAW: the depletion from which on the crop suffers (eq. 83)."""
        return self.fraction * self.available_mm

    @property
    def content(self) -> float:
        """Water in the root zone, m3 a m3."""
        return self.soil.field_capacity - self.depletion_mm / self._depth_mm

    @property
    def storage_mm(self) -> float:
        """Water in the root zone."""
        return self.content * self._depth_mm

    @property
    def stress(self) -> float:
        """Ks: how much of its demand the crop still gets (eq. 84)."""
        left = self.available_mm - self.depletion_mm
        return min(1.0, max(0.0, left / ((1 - self.fraction) * self.available_mm)))

    def irrigate(self, mm: float) -> None:
        """Let water in at once; what finds no pore runs off."""
        if not 0 <= mm < math.inf:
            raise ValueError(f"expected 0 mm of irrigation or more, got {mm}")
        self.irrigation_mm += mm
        self._let_in(mm)

    def step(self, hours: float, rain_mm: float, demand_mm: float, demand_mm_day: float) -> None:
        """Go on in time (eq. 85).

        Args:
            rain_mm: of these hours.
            demand_mm: ETc = Kc * ET0 of these hours, without stress (eq. 58).
            demand_mm_day: ETc of a whole day around them, which moves p (table 22's note).
        """
        moved = self.crop.depletion_fraction + 0.04 * (5 - demand_mm_day)
        self.fraction = min(LARGEST_FRACTION, max(LEAST_FRACTION, moved))
        self.rain_mm += rain_mm
        self._let_in(rain_mm)
        taken = min(self.stress * demand_mm, self.available_mm - self.depletion_mm)
        self.evapotranspired_mm += taken
        self.depletion_mm += taken
        if self.depletion_mm < 0:
            most = self.soil.conductivity_mm_h * hours
            drained = min(most, -self.depletion_mm * -math.expm1(-hours / DRAINAGE_H))
            self.percolated_mm += drained
            self.depletion_mm += drained

    def _let_in(self, mm: float) -> None:
        self.depletion_mm -= mm
        over = -self.depletion_mm - self._most_excess_mm
        if over > 0:
            self.run_off_mm += over
            self.depletion_mm += over
