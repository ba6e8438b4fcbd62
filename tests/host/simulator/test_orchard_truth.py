"""The simulated field's truth: real weather, states by their definitions, and the same for whoever asks."""

import math

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.data.airport_weather import read_field_weather
from dibble_tools.simulator.orchard import truth
from dibble_tools.simulator.orchard.fruit_store import Batch
from dibble_tools.simulator.orchard.truth import Field, margin_of, state_of
from dibble_tools.simulator.orchard.weather import HOUR_S, YEAR_H, YEAR_START_S, Weather, fill

DAY_S = 24 * HOUR_S
JULY_S = YEAR_START_S + 190 * DAY_S
FAR = {"frost": -9.0, "wind": -9.0, "irrigate": -9.0, "ripening": -9.0}


@pytest.fixture(scope="module")
def weather():
    return Weather("EWR")


def test_a_whole_hour_is_the_row_of_the_file(weather):
    """A row of the package: 2013-01-01T06Z at EWR, 39.02 deg F, 59.37 %, 10.36 mph from 270, 1012 hPa."""
    state = weather.at(YEAR_START_S + 6 * HOUR_S)
    assert state.air_temperature_c == 3.90
    assert state.humidity_percent == 59.4
    assert state.wind_speed_m_s == 4.63
    assert state.wind_direction_deg == pytest.approx(270)
    assert state.pressure_pa == 101200
    assert state.rain_mm_h == 0


def test_half_an_hour_lies_half_way(weather):
    states = [weather.at(YEAR_START_S + h * HOUR_S) for h in (1000, 1000.5, 1001)]
    assert states[1].air_temperature_c == pytest.approx((states[0].air_temperature_c + states[2].air_temperature_c) / 2)


def test_the_direction_turns_the_short_way(weather):
    at = [weather.at(YEAR_START_S + h * HOUR_S).wind_direction_deg for h in range(YEAR_H)]
    north = next(h for h in range(YEAR_H - 1) if at[h] >= 340 and 0 < at[h + 1] <= 20)
    between = weather.at(YEAR_START_S + (north + 0.5) * HOUR_S).wind_direction_deg
    assert between >= 340 or between <= 20


def test_all_rain_of_the_year_falls(weather):
    table = read_field_weather()
    table = table[table["station"] == "EWR"]
    assert weather.hours["rain_mm_h"].sum() == pytest.approx(table["rain_um"].sum() / 1000)
    assert table["rain_um"].sum() == 43.88 * 25400


@pytest.mark.parametrize("years", [-1, 1, 3])
def test_the_year_repeats(weather, years):
    moment = YEAR_START_S + 123_456
    assert weather.at(moment + years * YEAR_H * HOUR_S) == weather.at(moment)


def test_no_hour_is_missing_and_no_gust_below_the_wind(weather):
    assert all(len(values) == YEAR_H and np.isfinite(values).all() for values in weather.hours.values())
    assert (weather.hours["wind_gust_m_s"] >= weather.hours["wind_speed_m_s"]).all()


def test_short_gaps_are_bridged_and_long_ones_repeat_the_day_before():
    hours = np.arange(24.0 * 4)
    holed = hours.copy()
    holed[30:36] = np.nan
    holed[60:90] = np.nan
    filled = fill(holed)
    assert filled[30:36].tolist() == hours[30:36].tolist()
    assert filled[60:90].tolist() == [*hours[36:60], *hours[36:42]]


def test_a_gap_over_new_year_is_bridged():
    holed = np.arange(48.0)
    holed[[0, 1, 47]] = np.nan
    assert fill(holed)[[47, 0, 1]].tolist() == pytest.approx([46 * 3 / 4 + 0.5, 46 / 2 + 1, 46 / 4 + 1.5])


def test_the_coldest_of_two_hours_is_at_an_end_or_a_whole_hour(weather):
    draw = np.random.default_rng(0)
    for start in YEAR_START_S + draw.uniform(0, 365 * DAY_S, 200):
        fine = [weather.at(start + s).air_temperature_c for s in range(0, 2 * HOUR_S + 1, 60)]
        found = weather.coldest_c(start, start + 2 * HOUR_S)
        assert found <= min(fine) + 1e-9
        assert found == pytest.approx(min(fine), abs=0.1)


@pytest.mark.parametrize(
    ("changed", "state", "margin"),
    [
        ({}, "ok", 9),
        ({"frost": 0.0}, "frost", 0),
        ({"wind": 0.5, "ripening": 4.0}, "wind", 0.5),
        ({"irrigate": 0.0}, "ok", 0),
        ({"irrigate": 3.0, "wind": -0.25}, "irrigate", 0.25),
        ({"irrigate": 3.0, "ripening": 7.0}, "irrigate", 3),
        ({"ripening": 7.0}, "ripening", 7),
        ({"ripening": -0.5}, "ok", 0.5),
        ({"frost": 2.0, "wind": 1.0}, "frost", 2),
    ],
)
def test_the_first_state_that_applies_wins(changed, state, margin):
    margins = {**FAR, **changed}
    assert state_of(margins) == state
    assert margin_of(margins) == margin


def test_a_dry_spell_asks_for_water_and_watering_ends_it():
    field = Field(soil="loam", start_s=JULY_S)
    before = field.soil.storage_mm
    field.soil.depletion_mm = field.soil.readily_available_mm + 1
    field.store.batches.clear()
    field.irrigate(0)
    assert field.label() == "irrigate"
    field.irrigate(10)
    assert field.label() in ("ok", "wind")
    assert field.previous_state == "irrigate"
    assert field.soil.storage_mm > before - 60


def test_ripening_needs_fruit_and_ethylene():
    field = Field(start_s=JULY_S)
    for batches, ppb, holds in (
        ([Batch(1.0, 9.0, 0.0)], 100.0, True),
        ([Batch(1.0, 9.0, 0.0)], 99.9, False),
        ([], 500.0, False),
    ):
        field.store.batches, field.store.ethylene_ppb = batches, ppb
        field.irrigate(0)
        assert (field.margins()["ripening"] >= 0) == holds


def test_states_of_a_year_agree_with_a_plain_loop_over_the_weather():
    """The oracle asks the hourly file: frost at any whole hour up to two ahead, gusts by eq. 47's factor."""
    field = Field(start_s=YEAR_START_S)
    air, gust = field.weather.hours["air_temperature_c"], field.weather.hours["wind_gust_m_s"]
    factor = 4.87 / math.log(67.8 * 10 - 5.42)
    for hour in range(1, 24 * 120):
        field.advance(YEAR_START_S + hour * HOUR_S)
        if air[hour : hour + 3].min() <= 0:
            assert field.label() == "frost"
        elif gust[hour] * factor >= truth.STRONG_GUST_M_S:
            assert field.label() == "wind"
        else:
            assert field.label() in ("ok", "irrigate", "ripening")


def test_the_truth_does_not_depend_on_who_asked_before():
    often, once = Field(3, start_s=JULY_S), Field(3, start_s=JULY_S)
    for step in range(1, 1000):
        often.advance(JULY_S + step * 97)
    once.advance(often.now_s)
    names = ("air_temperature_c", "soil_moisture_permille", "soil_temperature_c", "ethylene_ppb", "gas_resistance_ohm")
    assert [getattr(often, name) for name in names] == [getattr(once, name) for name in names]
    assert often.margins() == once.margins()


def test_no_water_is_lost_over_a_year():
    field = Field(soil="sand", start_s=YEAR_START_S)
    before = field.soil.storage_mm
    for day in range(1, 366):
        field.advance(YEAR_START_S + day * DAY_S)
        if field.label() == "irrigate":
            field.irrigate(15)
    soil = field.soil
    gone = soil.evapotranspired_mm + soil.percolated_mm + soil.run_off_mm
    assert soil.rain_mm == pytest.approx(43.88 * 25.4)
    assert soil.irrigation_mm > 0
    assert soil.rain_mm + soil.irrigation_mm - gone == pytest.approx(soil.storage_mm - before, abs=1e-8)


def test_gas_lowers_the_resistance_and_so_does_humidity():
    clean = truth.gas_resistance_ohm(0, 50)
    assert clean == truth.CLEAN_AIR_OHM
    assert clean > truth.gas_resistance_ohm(20, 50) > truth.gas_resistance_ohm(2000, 50) > 1000
    assert clean > truth.gas_resistance_ohm(0, 90)


def test_time_never_runs_back():
    field = Field(start_s=JULY_S)
    with pytest.raises(ValueError, match="expected a time from"):
        field.advance(JULY_S - 1)


def test_an_unknown_station_is_named():
    with pytest.raises(InputError, match="expected a weather station of EWR, JFK, LGA; got 'ORD'"):
        Field(station="ORD")
