"""--tolerate-missing: a model that decides without a sensor, and says how well; where it can't, it says that."""

from dataclasses import replace

import numpy as np
import pytest
from dibble.inference.decision import NO_CLASS, SENSOR_FAULT
from dibble.inference.fixed_point import MISSING
from dibble_tools.common.errors import InputError
from dibble_tools.data.prepare import DataOptions, prepare
from dibble_tools.machines.verify import verify
from dibble_tools.model.inspection import describe
from dibble_tools.report.html import report_files
from dibble_tools.report.tables import inspection_tables, training_tables
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.train import train
from rich.console import Console


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    """Return a file of 8 nodes: two soil probes say the same, a third column nothing; some cells are empty."""
    rng = np.random.default_rng(0)
    lines = ["node,soil_a,soil_b,noise,state"]
    for i in range(640):
        dry = rng.random() < 0.5
        cells = [f"{rng.normal(250 if dry else 450, 60):.0f}" for _ in range(2)] + [f"{rng.normal(0, 9):.0f}"]
        for k in range(3):
            if rng.random() < 0.06:
                cells[k] = ""
        lines.append(f"n{i % 8},{','.join(cells)},{'dry' if dry else 'wet'}")
    path = tmp_path_factory.mktemp("field") / "field.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


DATA = DataOptions(label="state", group="node", tolerate=True)


@pytest.fixture(scope="module")
def trained(field):
    return train(field, TrainOptions(DATA, recipe="additive:12+0@3", budget_s=1, jobs=1, refit=False))


def test_the_card_states_how_good_it_is_without_each_channel(trained):
    rows = {row["channel"]: row for row in trained.card["without_reading"]["channels"]}
    whole = trained.card["held_out"]["integer_model"]["accuracy"]
    for name in ("soil_a", "soil_b"):
        assert rows[name]["tolerated"] and 0.8 < rows[name]["held_out"] < whole
        assert abs(rows[name]["cross_validated"] - rows[name]["held_out"]) < 0.1
    assert abs(rows["noise"]["held_out"] - whole) < 0.03


def test_rows_with_a_hole_are_learned_from_and_scored(trained, field):
    card = trained.card
    assert card["split"]["scored_rows"] == card["split"]["test_rows"] == 160
    holed = card["without_reading"]["rows_held_out_with_one"]
    assert 15 < holed < 60 and 0.7 < card["without_reading"]["right_on_these"] <= 1
    assert prepare(field, replace(DATA, tolerate=False)).whole.sum() < prepare(field, DATA).whole.sum() == 640


def test_the_stated_accuracy_is_what_the_model_file_decides(trained, field):
    """The rows held out with soil_a taken away: the file itself, row by row, is as often right as the card says."""
    data = prepare(field, DATA)
    names = [channel.name for channel in data.channels]
    columns = [names.index(channel.name) for channel in trained.model.channels]
    readings = data.readings[data.split.test][:, columns].copy()
    readings[:, columns.index(names.index("soil_a"))] = MISSING
    told = trained.model.decide(readings)
    assert (told.flags & SENSOR_FAULT > 0).all() and (told.class_index != NO_CLASS).all()
    decided = np.array(trained.model.classes)[told.class_index]
    (row,) = [row for row in trained.card["without_reading"]["channels"] if row["channel"] == "soil_a"]
    assert np.mean(decided == data.ds.labels[data.split.test]) == pytest.approx(row["held_out"], abs=1e-4)


def test_vms_decide_as_the_host_on_rows_with_holes(trained, field):
    data = prepare(field, DATA)
    columns = [[c.name for c in data.channels].index(channel.name) for channel in trained.model.channels]
    found = verify(trained.model, data.readings[:, columns], None, vms=("unix",))
    assert [(one.problem, one.equal) for one in found] == [("", 640)] * 2


def test_without_its_only_sensor_nothing_is_decided(field, tmp_path):
    """One channel alone tells: a stand-in for it would be one answer for all."""
    path = tmp_path / "one.csv"
    lines = [line.split(",") for line in field.read_text().splitlines()]
    path.write_text("\n".join(",".join((c[0], c[1], c[3], c[4])) for c in lines if c[1]) + "\n")
    trained = train(path, TrainOptions(DATA, recipe="voting:3x6@2", budget_s=1, jobs=1, refit=False))
    rows = {row["channel"]: row for row in trained.card["without_reading"]["channels"]}
    assert not rows["soil_a"]["tolerated"] and rows["soil_a"]["held_out"] is None
    names = [channel.name for channel in trained.model.channels]
    assert trained.model.content.stand_ins == () or trained.model.content.stand_ins[names.index("soil_a")] is None
    readings = np.zeros((1, len(names)), dtype=int)
    readings[0, names.index("soil_a")] = MISSING
    assert trained.model.decide(readings).class_index.tolist() == [NO_CLASS]


def test_windows_and_a_network_and_all_rows(field, tmp_path):
    """A time series of a network that learns again on all rows; its channels still have what stands in for them."""
    path = tmp_path / "series.csv"
    head, *lines = field.read_text().splitlines()
    start = np.datetime64("2024-05-01T00:00")
    by_node = sorted(lines, key=lambda line: line[:2])
    timed = [f"{start + i % 80 * 60},{line}" for i, line in enumerate(by_node)]
    path.write_text("\n".join([f"when,{head}", *timed]) + "\n")
    features = tmp_path / "features.toml"
    features.write_text('[features]\n"*" = ["last", "mean:4"]\n')
    data = replace(DATA, time="when", features=features)
    trained = train(path, TrainOptions(data, recipe="mlp:3@6", budget_s=1, jobs=1))
    content = trained.model.content
    assert content.parts == ("stand_ins",) and len(content.stand_ins) == len(content.channels)
    rows = {row["channel"]: row for row in trained.card["without_reading"]["channels"]}
    assert rows["soil_a"]["held_out"] > 0.75 and rows["soil_b"]["held_out"] > 0.75


def test_people_are_told(trained, tmp_path):
    console = Console(width=140, record=True)
    console.print(*training_tables(trained.card, 140), *inspection_tables(describe(trained.model)))
    text = console.export_text()
    assert "without a reading" in text and "stands in for a missing one" in text
    files, _ = report_files(trained.card, tmp_path)
    html = files[tmp_path / "report.html"].decode()
    assert "an answer all the same" in html and "not a guess" not in html


@pytest.mark.parametrize("other", [{"usual": True, "label": None}, {"target": "soil_a", "label": None}])
def test_only_models_that_decide_a_class_are_made_so(field, other):
    with pytest.raises(InputError, match="--tolerate-missing: expected a model that decides a class"):
        train(field, TrainOptions(replace(DATA, **other), budget_s=1))
