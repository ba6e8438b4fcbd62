"""Reference evapotranspiration by FAO-56: what an extensive cool grass field would evaporate.

Numbers of equations are those of Allen, Pereira, Raes and Smith, Crop evapotranspiration, FAO Irrigation and
Drainage Paper 56, 1998. Radiation isn't in the weather's series: a day's sum comes from its range of temperatures
(Hargreaves' radiation formula, eq. 50) and is spread over its hours as the sun's is above the atmosphere. Angles are
in radians; radiation in MJ/m2 a day or an hour, pressure in kPa, temperature in deg C, wind in m/s at 2 m.
All functions take numbers or arrays.
"""

import numpy as np

from dibble_tools.simulator.orchard.weather import DAY_H, HOUR_S, UTC_OFFSET_H, YEAR_H, YEAR_START_S, Weather

SOLAR_CONSTANT = 0.0820  # MJ/m2 a minute
ALBEDO = 0.23
STEFAN_BOLTZMANN = 4.903e-9  # MJ/K4/m2 a day
KELVIN = 273.16
COASTAL, INTERIOR = 0.19, 0.16  # the constant of eq. 50; all three stations lie at the sea
CALMEST_M_S = 0.5  # below it eq. 3 exaggerates the calm: FAO-56, chapter 4
WIND_HEIGHT_M = 10.0

Number = float | np.ndarray


def sun_distance(day: Number) -> Number:
    """Return the inverse relative distance to the sun on a day of the year, 1 is the first of January (eq. 23)."""
    return 1 + 0.033 * np.cos(2 * np.pi / 365 * day)


def declination(day: Number) -> Number:
    """Return the sun's declination (eq. 24)."""
    return 0.409 * np.sin(2 * np.pi / 365 * day - 1.39)


def sunset_angle(latitude: Number, day: Number) -> Number:
    """Return the hour angle of sunset (eq. 25); within the polar circles 0 or pi."""
    return np.arccos(np.clip(-np.tan(latitude) * np.tan(declination(day)), -1, 1))


def extraterrestrial_day(latitude: Number, day: Number) -> Number:
    """Return the day's radiation above the atmosphere (eq. 21)."""
    sunset, angle = sunset_angle(latitude, day), declination(day)
    geometry = sunset * np.sin(latitude) * np.sin(angle) + np.cos(latitude) * np.cos(angle) * np.sin(sunset)
    return 24 * 60 / np.pi * SOLAR_CONSTANT * sun_distance(day) * geometry


def extraterrestrial_hour(latitude: Number, longitude_deg: Number, day: Number, utc_hour: Number) -> Number:
    """Return the radiation above the atmosphere in the hour around `utc_hour` (eqs. 28 to 33), 0 at night.

    Args:
        longitude_deg: degrees, east is positive.
        day: of the year at the place; utc_hour: middle of the hour, 0 to 24.
    """
    b = 2 * np.pi * (day - 81) / 364
    correction_h = 0.1645 * np.sin(2 * b) - 0.1255 * np.cos(b) - 0.025 * np.sin(b)
    solar_h = (utc_hour + longitude_deg / 15 + correction_h) % 24  # eq. 31 for a clock on UTC
    middle = np.pi / 12 * (solar_h - 12)
    sunset, angle = sunset_angle(latitude, day), declination(day)
    first = np.clip(middle - np.pi / 24, -sunset, sunset)
    last = np.clip(middle + np.pi / 24, -sunset, sunset)
    geometry = (last - first) * np.sin(latitude) * np.sin(angle)
    geometry = geometry + np.cos(latitude) * np.cos(angle) * (np.sin(last) - np.sin(first))
    return 12 * 60 / np.pi * SOLAR_CONSTANT * sun_distance(day) * geometry


def daylight_hours(latitude: Number, day: Number) -> Number:
    """Return the hours between sunrise and sunset (eq. 34)."""
    return 24 / np.pi * sunset_angle(latitude, day)


def hargreaves_transmission(warmest_c: Number, coldest_c: Number, constant: float = COASTAL) -> Number:
    """Return the share of the radiation that reaches the ground, from a day's range of temperatures (eq. 50)."""
    return np.minimum(constant * np.sqrt(warmest_c - coldest_c), 0.75)  # no day is clearer than eq. 37's


def clear_sky_transmission(elevation_m: Number) -> Number:
    """Return the share that reaches the ground on a cloudless day (eq. 37)."""
    return 0.75 + 2e-5 * elevation_m


def pressure_at(elevation_m: Number) -> Number:
    """Return the usual pressure at an elevation (eq. 7)."""
    return 101.3 * ((293 - 0.0065 * elevation_m) / 293) ** 5.26


def saturation_vapour_pressure(temperature_c: Number) -> Number:
    """Return the vapour pressure of saturated air (eq. 11)."""
    return 0.6108 * np.exp(17.27 * temperature_c / (temperature_c + 237.3))


def vapour_pressure_slope(temperature_c: Number) -> Number:
    """Return how fast the saturation vapour pressure rises, in kPa a degree (eq. 13)."""
    return 4098 * saturation_vapour_pressure(temperature_c) / (temperature_c + 237.3) ** 2


def psychrometric(pressure_kpa: Number) -> Number:
    """Return the psychrometric constant in kPa a degree (eq. 8)."""
    return 0.665e-3 * pressure_kpa


def wind_at_2_m(speed_m_s: Number, height_m: Number = WIND_HEIGHT_M) -> Number:
    """Return the wind at 2 m above grass from that at another height (eq. 47)."""
    return speed_m_s * 4.87 / np.log(67.8 * height_m - 5.42)


def net_longwave(kelvin4: Number, vapour_kpa: Number, clearness: Number) -> Number:
    """Return the day's outgoing net longwave radiation (eq. 39).

    Args:
        kelvin4: mean fourth power of the absolute temperature.
        clearness: radiation as a share of a cloudless day's, at most 1.
    """
    return STEFAN_BOLTZMANN * kelvin4 * (0.34 - 0.14 * np.sqrt(vapour_kpa)) * (1.35 * np.minimum(clearness, 1) - 0.35)


def reference_day_mm(
    mean_c: Number, net: Number, wind_m_s: Number, saturation_kpa: Number, vapour_kpa: Number, pressure_kpa: Number
) -> Number:
    """Return the reference evapotranspiration of a day (eq. 6; the soil's heat flux is 0 over a day)."""
    slope, gamma = vapour_pressure_slope(mean_c), psychrometric(pressure_kpa)
    drying = gamma * 900 / (mean_c + 273) * wind_m_s * (saturation_kpa - vapour_kpa)
    return (0.408 * slope * net + drying) / (slope + gamma * (1 + 0.34 * wind_m_s))


def reference_hour_mm(
    mean_c: Number, humidity_percent: Number, wind_m_s: Number, shortwave: Number, clearness: Number, kpa: Number
) -> Number:
    """Return the reference evapotranspiration of an hour (eq. 53); a little below 0 in a calm night.

    Args:
        shortwave: MJ/m2 that reached the ground in this hour.
        clearness: see net_longwave; at night the day's.
        kpa: air pressure.
    """
    saturation = saturation_vapour_pressure(mean_c)
    vapour = saturation * humidity_percent / 100  # eq. 54
    net = (1 - ALBEDO) * shortwave - net_longwave((mean_c + KELVIN) ** 4, vapour, clearness) / DAY_H
    into_soil = np.where(np.asarray(shortwave) > 0, 0.1, 0.5) * net  # eqs. 45 and 46
    slope, gamma = vapour_pressure_slope(mean_c), psychrometric(kpa)
    drying = gamma * 37 / (mean_c + 273) * wind_m_s * (saturation - vapour)
    return (0.408 * slope * (net - into_soil) + drying) / (slope + gamma * (1 + 0.34 * wind_m_s))


def reference_year_mm(weather: Weather) -> np.ndarray:
    """Return the reference evapotranspiration of every hour of the weather's year; dew, below 0, counts as 0."""
    means = {name: (values + np.roll(values, -1)) / 2 for name, values in weather.hours.items()}
    hours = np.arange(YEAR_H)
    day = (hours + UTC_OFFSET_H) // DAY_H % 365
    by_day = np.roll(weather.hours["air_temperature_c"], UTC_OFFSET_H).reshape(365, DAY_H)
    through = np.asarray(hargreaves_transmission(by_day.max(axis=1), by_day.min(axis=1)))[day]
    place = weather.station
    sun = extraterrestrial_hour(np.radians(place.latitude_deg), place.longitude_deg, day + 1, hours % DAY_H + 0.5)
    wind = np.maximum(wind_at_2_m(means["wind_speed_m_s"]), CALMEST_M_S)
    clearness = through / clear_sky_transmission(place.elevation_m)
    mm = reference_hour_mm(
        means["air_temperature_c"],
        means["humidity_percent"],
        wind,
        through * sun,
        clearness,
        means["pressure_pa"] / 1000,
    )
    return np.maximum(mm, 0)


def day_of_year(time_s: float) -> int:
    """Return the local day of the year, 1 to 365."""
    return int((time_s - YEAR_START_S) // HOUR_S + UTC_OFFSET_H) // DAY_H % 365 + 1
