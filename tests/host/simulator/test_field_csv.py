"""The simulated CSV: read by `dibble train` as it is, marked as simulated, and wrong as sensors are."""

import csv
import itertools

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.data.column_channels import find_channels
from dibble_tools.data.datasets import read_dataset
from dibble_tools.demo.orchard_models import threshold_rule, timed
from dibble_tools.simulator.field_csv import CHANNELS, GATE_CHANNELS, Grower, gate_of, write_field_csv
from dibble_tools.simulator.orchard.fruit_store import Batch
from dibble_tools.simulator.orchard.noise import SPREADS, Sensors, whole_closures
from dibble_tools.simulator.orchard.truth import STATES, Field
from dibble_tools.simulator.orchard.weather import YEAR_START_S

JULY_S = YEAR_START_S + 190 * 86400
HOURLY = 3600


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    path = tmp_path_factory.mktemp("field") / "orchard.simulated.csv"
    write_field_csv(path, days=365, seed=1, nodes=3, interval_s=HOURLY)
    return path


def test_every_state_comes_at_every_node(year):
    ds = read_dataset(year, label="state", time="time", group="node")
    assert sorted(set(ds.groups)) == ["simulated-1", "simulated-2", "simulated-3"]
    for node in set(ds.groups):
        labels = ds.labels[ds.groups == node]
        assert len(labels) == 365 * 24
        assert set(labels) == set(STATES)
        assert min((labels == state).mean() for state in STATES) > 0.02


def test_train_needs_no_option_to_leave_the_mark_out(year):
    ds = read_dataset(year, label="state", time="time", group="node")
    channels, notes = find_channels(ds, [])
    assert [channel.name for channel in channels] == list(CHANNELS)
    assert [(channel.mantissa, channel.exponent) for channel in channels] == [(1, 0)] * len(CHANNELS)
    assert notes == ["column 'simulated' is always 1 in the training rows: left out"]


def test_every_row_says_that_it_is_simulated(year):
    with year.open(newline="") as file:
        assert {(row["simulated"], row["node"][:9]) for row in csv.DictReader(file)} == {("1", "simulated")}


def test_no_reading_is_missing_or_out_of_its_range(year):
    ds = read_dataset(year, label="state", time="time", group="node")
    assert np.isfinite(ds.values).all()
    for name, column in zip(CHANNELS, ds.values.T, strict=False):
        assert SPREADS[name].low <= column.min() < column.max() <= SPREADS[name].high


def test_the_same_seed_is_the_same_file(tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_field_csv(tmp_path / name, days=3, seed=seed, nodes=2)
    first, again, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == again != other


def test_the_gate_s_file_keeps_a_reading_of_ethylene_for_a_while(tmp_path):
    write_field_csv(tmp_path / "gate.csv", days=2, nodes=1, label="gate")
    header, *rows = (tmp_path / "gate.csv").read_text().splitlines()
    assert header.split(",") == ["time", "node", *GATE_CHANNELS, "simulated", "gate"]
    assert len(rows) == 2 * 144
    assert {row.rpartition(",")[2] for row in rows} <= {"look", "skip"}
    kept = [row.split(",")[-3] for row in rows]
    changes = sum(a != b for a, b in itertools.pairwise(kept))
    assert 2 * 24 / 6 <= changes <= 2 * 24


@pytest.mark.parametrize(
    ("ppb", "dry", "fruit", "gate"),
    [
        (50.0, False, True, "look"),
        (49.9, False, True, "skip"),
        (150.0, True, True, "skip"),
        (50.0, False, False, "skip"),
        (200.0, False, True, "look"),
        (201.0, False, True, "skip"),
    ],
)
def test_the_gate_looks_where_ethylene_could_decide(ppb, dry, fruit, gate):
    field = Field(start_s=JULY_S)
    field.store.ethylene_ppb = ppb
    field.store.batches = [Batch(1.0, 9.0, 0.0)] if fruit else []
    field.soil.depletion_mm = 80.0 if dry else 0.0
    field.irrigate(0)
    assert field.margins()["wind"] < 0
    assert gate_of(field) == gate


def test_a_grower_waters_before_the_trees_are_out_of_water():
    field, grower = Field(start_s=JULY_S), Grower(0, 0)
    depletions = []
    for count in range(1, 60 * 24):
        grower.tend(field, 1.0)
        field.advance(JULY_S + count * HOURLY)
        depletions.append(field.soil.depletion_mm / field.soil.available_mm)
    assert field.soil.irrigation_mm > 20
    assert max(depletions) < 0.9


def test_sensors_of_a_node_err_alike_and_those_of_others_differ():
    field = Field(start_s=JULY_S)
    field.advance(JULY_S + HOURLY)
    first, again, other = (Sensors(1, node, JULY_S).read(field) for node in (0, 0, 1))
    assert first == again != other
    assert all(type(value) is int for value in first.values())


def test_many_sensors_are_right_on_average():
    field = Field(start_s=JULY_S)
    field.store.ethylene_ppb = 400.0
    field.irrigate(0)
    rows = [Sensors(0, node, JULY_S).read(field) for node in range(400)]
    truth = {
        "air_temperature_centi_c": 100 * field.air_temperature_c,
        "humidity_permille": 10 * field.humidity_percent,
        "soil_moisture_permille": field.soil_moisture_permille,
        "ethylene_ppb": 400.0,
        "wind_speed_cm_s": 100 * field.wind_speed_m_s,
        "pressure_pa": field.pressure_pa,
        "soil_temperature_centi_c": 100 * field.soil_temperature_c,
    }
    for name, value in truth.items():
        column = np.array([row[name] for row in rows])
        assert column.mean() == pytest.approx(value, abs=4 * column.std() / 20 + 3), name
        assert column.std() > 0


def test_an_old_cell_reads_low_and_an_old_probe_high():
    field = Field(start_s=JULY_S)
    field.store.ethylene_ppb = 1000.0
    field.irrigate(0)
    for name, sign in (("ethylene_ppb", -1), ("soil_moisture_permille", 1)):
        change = [
            Sensors(0, node, JULY_S - 2 * 365 * 86400).read(field)[name] - Sensors(0, node, JULY_S).read(field)[name]
            for node in range(100)
        ]
        assert sign * np.mean(change) > 10


@pytest.mark.parametrize(("wind", "shown"), [(0.0, 0.0), (0.22, 0.0), (0.23, 2 / 9), (8.0, 8.0), (7.9, 70 / 9)])
def test_a_gust_is_a_whole_number_of_closures_in_three_seconds(wind, shown):
    assert whole_closures(wind) == pytest.approx(shown)


def test_the_rule_to_beat_is_good_and_beatable(year):
    ds = read_dataset(year, label="state", time="time", group="node")
    assert 0.8 < (threshold_rule(ds) == ds.labels).mean() < 0.9


def test_a_timer_begins_anew_with_each_node():
    starts = np.array([1, 0, 0, 0, 0, 0, 0, 1, 0, 0], bool)
    assert np.flatnonzero(timed(starts, 3)).tolist() == [0, 3, 6, 7]


def test_wrong_arguments_are_named(tmp_path):
    with pytest.raises(InputError, match="expected a label of state, gate; got 'mood'"):
        write_field_csv(tmp_path / "x.csv", label="mood")
    with pytest.raises(InputError, match="expected a soil of sand"):
        write_field_csv(tmp_path / "x.csv", soil="peat")
    with pytest.raises(InputError, match="expected 1 or more days"):
        write_field_csv(tmp_path / "x.csv", days=0)
    assert not list(tmp_path.iterdir())
