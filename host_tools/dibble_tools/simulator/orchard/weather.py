"""A year of real hourly weather at one station, whole and at any moment.

The series is that of `dibble_tools.data.airport_weather`, 2013, and repeats every 365 days. What isn't in it is filled:
a reading that is missing for up to SHORT_GAP_H hours lies on the line between its neighbours; a longer gap takes
the same hours of the day before. A gust that wasn't reported is GUST_FACTOR times the mean wind: stations report
gusts only where lulls and peaks differ much. Rain falls evenly within its hour, and what falls as snow counts as rain
at once.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.data.airport_weather import read_field_weather

YEAR_H = 365 * 24
YEAR_START_S = 1356998400  # 2013-01-01T00:00:00Z
HOUR_S = 3600
DAY_H = 24
SHORT_GAP_H = 6
GUST_FACTOR = 1.3
UTC_OFFSET_H = -5  # New York's standard time: where a local day begins


@dataclass(frozen=True)
class Station:
    """Where the weather was measured.

    Attributes:
        latitude_deg: north is positive; longitude_deg: east is positive.
        elevation_m: above the sea.
    """

    latitude_deg: float
    longitude_deg: float
    elevation_m: float


STATIONS = {
    "EWR": Station(40.69, -74.17, 5.0),
    "JFK": Station(40.64, -73.78, 4.0),
    "LGA": Station(40.78, -73.87, 6.0),
}


@dataclass(frozen=True)
class WeatherState:
    """The weather of one moment; wind at 10 m above open ground."""

    air_temperature_c: float
    humidity_percent: float
    wind_speed_m_s: float
    wind_gust_m_s: float
    wind_direction_deg: float  # where it comes from
    pressure_pa: float
    rain_mm_h: float


class Weather:
    """The hours of one station, from the start of the year on.

    Attributes:
        hours: the quantities of WeatherState as arrays of YEAR_H; the direction as (east, north) unit vectors.
    """

    def __init__(self, station: str) -> None:
        if station not in STATIONS:
            raise InputError(f"expected a weather station of {', '.join(STATIONS)}; got {station!r}")
        self.station = STATIONS[station]
        self.hours = _hours(station)
        # Lists of floats: three times as fast as numpy's scalars, a moment at a time.
        self._lists = {name: np.append(values, values[0]).tolist() for name, values in self.hours.items()}

    def at(self, time_s: float) -> WeatherState:
        """Return the weather at seconds since 1970."""
        hour, share = _place(time_s)
        lists = self._lists

        def between(name: str) -> float:
            values = lists[name]
            return values[hour] + share * (values[hour + 1] - values[hour])

        direction = np.degrees(np.arctan2(between("east"), between("north"))) % 360
        return WeatherState(
            between("air_temperature_c"),
            between("humidity_percent"),
            between("wind_speed_m_s"),
            between("wind_gust_m_s"),
            float(direction),
            between("pressure_pa"),
            lists["rain_mm_h"][hour],
        )

    def coldest_c(self, from_s: float, to_s: float) -> float:
        """Return the lowest air temperature between two moments, both included."""
        hour, share = _place(from_s)
        values = self._lists["air_temperature_c"]
        lowest = values[hour] + share * (values[hour + 1] - values[hour])
        knot = (from_s // HOUR_S + 1) * HOUR_S
        while knot < to_s:
            lowest = min(lowest, values[_place(knot)[0]])
            knot += HOUR_S
        hour, share = _place(to_s)
        return min(lowest, values[hour] + share * (values[hour + 1] - values[hour]))


def hour_of_year(time_s: float) -> int:
    """Return which of the YEAR_H hours a moment lies in."""
    return _place(time_s)[0]


def _place(time_s: float) -> tuple[int, float]:
    hours = (time_s - YEAR_START_S) % (YEAR_H * HOUR_S) / HOUR_S
    hour = min(int(hours), YEAR_H - 1)  # % of a tiny negative number may round up to the whole year
    return hour, hours - hour


@cache
def _hours(station: str) -> dict[str, np.ndarray]:
    table = read_field_weather()
    table = table[table["station"] == station]
    at = table["time"].to_numpy() - YEAR_START_S // HOUR_S

    def column(name: str) -> np.ndarray:
        values = np.full(YEAR_H, np.nan)
        values[at] = table[name].to_numpy(np.float64, na_value=np.nan)
        return values

    wind = fill(column("wind_speed_cm_s")) / 100
    reported = column("wind_gust_cm_s") / 100
    direction = np.radians(column("wind_direction_deg"))
    return {
        "air_temperature_c": fill(column("air_temperature_centi_c")) / 100,
        "humidity_percent": fill(column("humidity_permille")) / 10,
        "wind_speed_m_s": wind,
        "wind_gust_m_s": np.fmax(wind, np.where(np.isnan(reported), GUST_FACTOR * wind, reported)),
        "east": fill(np.sin(direction)),
        "north": fill(np.cos(direction)),
        "pressure_pa": fill(column("pressure_pa")),
        "rain_mm_h": np.nan_to_num(column("rain_um")) / 1000,
    }


def fill(values: np.ndarray) -> np.ndarray:
    """Return hourly values of a whole year without gaps; the year is a circle."""
    n = len(values)
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        raise InputError("expected weather with a reading, found none in a whole year")
    filled = np.interp(np.arange(n), known, values[known], period=n)
    after = np.append(known[1:], known[0] + n)
    for start, end in zip(known, after, strict=True):
        if end - start - 1 > SHORT_GAP_H:
            for hour in range(start + 1, end):
                filled[hour % n] = filled[(hour - DAY_H) % n]
    return filled
