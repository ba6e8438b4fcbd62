"""Evapotranspiration against the worked examples of FAO Irrigation and Drainage Paper 56."""

import numpy as np
import pytest
from dibble_tools.simulator.orchard import evapotranspiration as et
from dibble_tools.simulator.orchard.weather import STATIONS, UTC_OFFSET_H, YEAR_H, YEAR_START_S, Weather


def degrees(whole, minutes):
    return np.radians(whole + minutes / 60)


def test_example_2_pressure_and_psychrometric_constant_at_1800_m():
    pressure = et.pressure_at(1800)
    assert round(pressure, 1) == 81.8
    assert round(et.psychrometric(pressure), 3) == 0.054


def test_example_3_mean_saturation_vapour_pressure():
    assert [round(et.saturation_vapour_pressure(t), 3) for t in (24.5, 15.0)] == [3.075, 1.705]


def test_example_8_radiation_above_the_atmosphere_at_20_south_on_3_september():
    latitude = degrees(-20, 0)
    assert round(et.sun_distance(246), 3) == 0.985
    assert round(et.declination(246), 3) == 0.120
    assert round(et.sunset_angle(latitude, 246), 3) == 1.527
    assert round(et.extraterrestrial_day(latitude, 246), 1) == 32.2


def test_example_9_daylight_hours_at_20_south_on_3_september():
    assert round(et.daylight_hours(degrees(-20, 0), 246), 1) == 11.7


def test_example_11_net_longwave_radiation_at_rio_in_may():
    mean = ((25.1 + et.KELVIN) ** 4 + (19.1 + et.KELVIN) ** 4) / 2
    assert round(et.net_longwave(mean, 2.1, 14.5 / 18.8), 1) == 3.5


def test_example_14_wind_at_2_m_from_10_m():
    assert round(et.wind_at_2_m(3.2, 10), 1) == 2.4


def test_example_15_radiation_from_temperatures_at_lyon_in_july():
    reached = et.hargreaves_transmission(26.6, 14.8, et.INTERIOR) * et.extraterrestrial_day(degrees(45, 43), 196)
    assert reached == pytest.approx(22.3, abs=0.1)


def test_example_18_a_day_in_july_at_uccle():
    """6 July, 21.5 and 12.3 deg C, 84 and 63 %, 2.78 m/s at 10 m, 9.25 hours of sun; published: 3.9 mm."""
    latitude, day = degrees(50, 48), 187
    warm, cold = (et.saturation_vapour_pressure(t) for t in (21.5, 12.3))
    vapour = (cold * 84 + warm * 63) / 200
    above = et.extraterrestrial_day(latitude, day)
    clear = et.clear_sky_transmission(100) * above
    reached = (0.25 + 0.50 * 9.25 / et.daylight_hours(latitude, day)) * above
    longwave = et.net_longwave(np.mean([(t + et.KELVIN) ** 4 for t in (21.5, 12.3)]), vapour, reached / clear)
    net = (1 - et.ALBEDO) * reached - longwave
    found = [above, clear, reached, longwave, net]
    assert found == pytest.approx([41.09, 30.90, 22.07, 3.71, 13.28], abs=0.02)
    wind = et.wind_at_2_m(2.78)
    assert round(wind, 3) == 2.079
    mm = et.reference_day_mm(16.9, net, wind, (warm + cold) / 2, vapour, et.pressure_at(100))
    assert round(mm, 1) == 3.9
    assert mm == pytest.approx(3.88, abs=0.01)


def test_example_19_an_hour_of_the_day_and_one_of_the_night_at_ndiaye():
    """1 October; 14 to 15 o'clock of a clock one hour behind UTC, whose meridian is 15 deg west."""
    latitude, longitude, kpa = degrees(16, 13), -16.25, et.pressure_at(8)
    above = et.extraterrestrial_hour(latitude, longitude, 274, 15.5)
    assert above == pytest.approx(3.543, abs=0.002)
    clear = et.clear_sky_transmission(8) * above
    assert clear == pytest.approx(2.658, abs=0.002)
    assert round(float(et.reference_hour_mm(38, 52, 3.3, 2.450, 2.450 / clear, kpa)), 2) == 0.63
    assert et.extraterrestrial_hour(latitude, longitude, 274, 3.5) == 0
    assert round(float(et.reference_hour_mm(28, 90, 1.9, 0.0, 0.8, kpa)), 2) == 0.00


@pytest.mark.parametrize("latitude", [-60, -20, 0, 40.7, 60])
@pytest.mark.parametrize("day", [1, 80, 172, 246, 355])
def test_hours_add_up_to_the_day(latitude, day):
    hours = et.extraterrestrial_hour(np.radians(latitude), 12.3, day, np.arange(24) + 0.5)
    assert hours.sum() == pytest.approx(et.extraterrestrial_day(np.radians(latitude), day), rel=0.005)


def test_the_sun_is_highest_at_the_place_s_noon():
    place = STATIONS["JFK"]
    utc = np.arange(0, 24, 0.25)
    sun = et.extraterrestrial_hour(np.radians(place.latitude_deg), place.longitude_deg, 105, utc)
    assert utc[sun.argmax()] == pytest.approx(12 - place.longitude_deg / 15, abs=0.25)


@pytest.mark.parametrize("station", sorted(STATIONS))
def test_a_year_at_a_station_is_plausible(station):
    mm = et.reference_year_mm(Weather(station))
    assert mm.shape == (YEAR_H,)
    assert mm.min() == 0
    local = np.roll(mm, UTC_OFFSET_H).reshape(365, 24)
    assert 950 < local.sum() < 1200
    assert local.sum(axis=1).max() < 9
    assert local[150:240].sum(axis=1).mean() > 3 * local[:30].sum(axis=1).mean()
    assert local[:, 12].sum() > 8 * local[:, 2].sum()


@pytest.mark.parametrize(("hours", "day"), [(0, 365), (5, 1), (28, 1), (29, 2), (YEAR_H + 5, 1)])
def test_a_local_day_begins_at_five_utc(hours, day):
    assert et.day_of_year(YEAR_START_S + hours * 3600) == day
