"""The fruit store: ethylene is conserved, warmth hurries, and levels are those that stores have."""

import math

import pytest
from dibble_tools.simulator.orchard import fruit_store as fs
from dibble_tools.simulator.orchard.fruit_store import Batch, FruitStore

NEVER = -math.inf


def store_with(*batches, temperature_c=fs.COOLED_C):
    """Return a store that nobody carries fruit into."""
    store = FruitStore(0)
    store.batches = list(batches)
    store.air_temperature_c = temperature_c
    store._next_h = math.inf
    return store


def run(store, hours, outdoor_c=fs.COOLED_C, local_hour=0.0, step_h=1 / 6):
    for _ in range(round(hours / step_h)):
        store.step(step_h, 200, local_hour, outdoor_c)
    return store


def test_a_rate_rises_by_a_logistic_to_its_peak():
    rates = [Batch(1.0, to_go, NEVER).ethylene_ul_h(1.0) for to_go in (1e6, 0.0, -1e6)]
    assert rates == pytest.approx([fs.TRACE_UL_KG_H, fs.TRACE_UL_KG_H + fs.PEAK_UL_KG_H / 2, 60.25])


def test_ten_degrees_make_ripening_q10_times_as_fast():
    def days_gone(temperature_c):
        store = store_with(Batch(1.0, 100.0, NEVER), temperature_c=temperature_c)
        store._climate = lambda *_: None
        return 100 - run(store, 24).batches[0].to_go_days

    assert days_gone(20.0) == pytest.approx(1)
    assert days_gone(15.0) / days_gone(5.0) == pytest.approx(fs.Q10)


def test_an_empty_store_airs_to_outdoor_ethylene():
    store = store_with()
    store.ethylene_ppb = 1000.0
    run(store, 10)
    assert store.ethylene_ppb - fs.OUTDOOR_PPB == pytest.approx((1000 - fs.OUTDOOR_PPB) * math.exp(-fs.SHUT_PER_H * 10))


@pytest.mark.parametrize("step_h", [1 / 6, 1.0])
def test_ethylene_settles_where_production_equals_ventilation(step_h):
    """1000 kg at half its peak make 30250 uL/h at 20 deg C: over 60000 L and 0.15 changes an hour."""
    store = store_with(Batch(1000.0, 0.0, NEVER), temperature_c=20.0)
    store._climate = lambda *_: None
    store.batches[0].to_go_days = -1e9
    run(store, 200, step_h=step_h)
    made = 1000 * (fs.TRACE_UL_KG_H + fs.PEAK_UL_KG_H)
    assert store.ethylene_ppb == pytest.approx(fs.OUTDOOR_PPB + made / fs.VOLUME_L / fs.SHUT_PER_H * 1000)


def test_a_used_door_airs_more():
    shut, used = (run(store_with(Batch(500.0, -5.0, NEVER)), 48, local_hour=hour) for hour in (2.0, 12.0))
    assert used.ethylene_ppb < shut.ethylene_ppb / 3


def test_ripe_fruit_is_carried_out_when_its_time_has_come():
    store = store_with(Batch(500.0, 1.0, 0.9), Batch(500.0, 1.0, -3.0))
    run(store, 24)
    assert [batch.sold_days for batch in store.batches] == [-3.0]


@pytest.mark.parametrize(("outdoor_c", "low", "high"), [(33.0, 5.0, 7.0), (8.0, 5.0, 7.0), (-15.0, 2.0, 2.0)])
def test_the_air_is_held_between_cooler_and_frost_guard(outdoor_c, low, high):
    store = run(store_with(), 200, outdoor_c)
    for _ in range(300):
        run(store, 1 / 6, outdoor_c)
        assert low <= store.air_temperature_c <= high
        assert 85 < store.humidity_percent < 95


def test_a_year_s_levels_are_those_of_stores():
    """Ordinary: 17 to 60 ppb (FIELD.md, Wills 1999); ripe: some ppm at most; both must come."""
    levels = []
    for seed in range(3):
        store = FruitStore(seed)
        for hour in range(365 * 24):
            store.step(1.0, hour // 24 + 1, hour % 24, 12 + 12 * math.sin(2 * math.pi * (hour / 24 - 100) / 365))
            levels.append(store.ethylene_ppb)
    levels.sort()
    at = [levels[round(share * (len(levels) - 1))] for share in (0.0, 0.5, 0.75, 1.0)]
    assert at[0] >= fs.OUTDOOR_PPB
    assert 15 < at[1] < 60
    assert at[2] < 150
    assert 1000 < at[3] < 10_000


def test_the_same_seed_is_the_same_store():
    first, again, other = (run(FruitStore(seed), 24 * 60) for seed in (1, 1, 2))
    assert first.ethylene_ppb == again.ethylene_ppb != other.ethylene_ppb
    assert first.batches == again.batches
