"""The soil's water balance: FAO-56's numbers, and no drop lost."""

import math
import random

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.simulator.orchard.soil_water import APPLES, SOILS, Crop, SoilWater, soil_named

TOMATOES = Crop(0.8, 0.40, (1, 365), (1.2, 1.2))  # FAO-56, example 37


def dry(soil, mm, crop=APPLES, days=1, demand=5.0):
    """Return a root zone after days without rain."""
    water = SoilWater(SOILS[soil], crop, mm)
    for _ in range(days * 24):
        water.step(1.0, 0.0, demand / 24, demand)
    return water


@pytest.mark.parametrize("name", sorted(SOILS))
def test_water_contents_are_in_order(name):
    soil = SOILS[name]
    assert 0 < soil.wilting_point < soil.field_capacity < soil.saturation < 1
    assert [round(soil.permille(x), 9) for x in (soil.wilting_point / 2, soil.saturation)] == [0, 1000]


def test_available_water_is_the_span_between_the_points_over_the_roots():
    """Eqs. 82 and 83 in a loam: 1000 * (0.28 - 0.14) * 0.6 mm, half of it easily taken at 5 mm a day."""
    water = SoilWater(SOILS["loam"])
    assert water.available_mm == pytest.approx(84)
    assert water.readily_available_mm == pytest.approx(42)


@pytest.mark.parametrize(("demand", "fraction"), [(5, 0.5), (0, 0.7), (7.5, 0.4), (20, 0.1), (-10, 0.8)])
def test_the_easy_share_shrinks_with_the_demand(demand, fraction):
    water = SoilWater(SOILS["loam"])
    water.step(1.0, 0.0, 0.0, demand)
    assert water.fraction == pytest.approx(fraction)


@pytest.mark.parametrize(
    ("share", "stress"), [(0.0, 1.0), (0.5, 1.0), (0.75, 0.5), (0.9, 0.2), (1.0, 0.0), (-0.2, 1.0)]
)
def test_stress_begins_where_the_easy_water_ends(share, stress):
    """Eq. 84: a line from 1 at RAW to 0 at TAW."""
    water = SoilWater(SOILS["loam"])
    water.depletion_mm = share * water.available_mm
    assert water.stress == pytest.approx(stress)


def test_stress_by_the_equation_for_another_crop():
    water = SoilWater(SOILS["silt_loam"], TOMATOES, 70)
    assert water.available_mm == pytest.approx(160)
    assert water.readily_available_mm == pytest.approx(64)
    assert water.stress == pytest.approx((160 - 70) / ((1 - 0.4) * 160))


def test_without_stress_the_crop_gets_its_demand():
    water = dry("loam", 0.0, days=3)
    assert water.depletion_mm == pytest.approx(15)
    assert water.evapotranspired_mm == pytest.approx(15)


def test_roots_never_go_below_the_wilting_point():
    water = dry("sand", 0.0, days=400, demand=12)
    assert water.depletion_mm <= water.available_mm
    assert water.content == pytest.approx(SOILS["sand"].wilting_point, abs=1e-6)


def test_an_excess_drains_to_field_capacity_in_two_days():
    water = SoilWater(SOILS["loam"])
    water.irrigate(40)
    assert water.depletion_mm == -40
    for _ in range(48):
        water.step(1.0, 0.0, 0.0, 0.0)
    assert -40 * math.exp(-4) * 1.0001 < water.depletion_mm < 0
    assert water.percolated_mm + water.content * 600 == pytest.approx(0.28 * 600 + 40)


def test_a_clay_drains_no_faster_than_it_conducts():
    water = SoilWater(SOILS["silty_clay"])
    water.irrigate(60)
    water.step(1.0, 0.0, 0.0, 0.0)
    assert water.percolated_mm == SOILS["silty_clay"].conductivity_mm_h


def test_what_finds_no_pore_runs_off():
    water = SoilWater(SOILS["loam"])
    water.irrigate(200)
    assert water.content == pytest.approx(0.46)
    assert water.run_off_mm == pytest.approx(200 - (0.46 - 0.28) * 600)


@pytest.mark.parametrize("hours", [1 / 6, 1.0])
@pytest.mark.parametrize("name", sorted(SOILS))
def test_no_water_is_lost(name, hours):
    """Rain, storms and watering at random: what went in went out, or is there."""
    draw = random.Random(name)
    water = SoilWater(SOILS[name], depletion_mm=10)
    before = water.storage_mm
    for _ in range(5000):
        rain = draw.choice([0] * 20 + [0.3, 3, 40]) * draw.random()
        water.step(hours, rain, hours * draw.random(), 24 * draw.random())
        if draw.random() < 0.01:
            water.irrigate(30 * draw.random())
        gone = water.evapotranspired_mm + water.percolated_mm + water.run_off_mm
        assert water.rain_mm + water.irrigation_mm - gone == pytest.approx(water.storage_mm - before, abs=1e-8)
        assert SOILS[name].wilting_point - 1e-12 <= water.content <= SOILS[name].saturation + 1e-12


def test_six_short_steps_are_nearly_one_long_one():
    long, short = SoilWater(SOILS["loam"]), SoilWater(SOILS["loam"])
    for hour in range(24 * 30):
        rain = 5.0 if hour % 100 == 0 else 0.0
        long.step(1.0, rain, 0.2, 4.8)
        for _ in range(6):
            short.step(1 / 6, rain / 6, 0.2 / 6, 4.8)
    assert short.depletion_mm == pytest.approx(long.depletion_mm, abs=1.0)


@pytest.mark.parametrize(("day", "factor"), [(1, 0.5), (111, 0.5), (146, 0.85), (200, 1.2), (301, 0.95), (302, 0.5)])
def test_crop_factor_follows_the_stages(day, factor):
    assert APPLES.factor(day) == pytest.approx(factor)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="expected a soil of sand"):
        soil_named("peat")
    with pytest.raises(ValueError, match="got -1"):
        SoilWater(SOILS["loam"]).irrigate(-1)
