"""A trained model fitted to a node by labels of its own: what the file is then, and when nothing is changed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dibble.inference.fixed_point import MISSING
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import MODELS
from dibble_tools.data.channels import Channel
from dibble_tools.data.datasets import AS_IT_IS
from dibble_tools.families.additive.training import AdditiveRecipe
from dibble_tools.families.additive.training import fit as fit_additive
from dibble_tools.machines.verify import verify
from dibble_tools.model.adapted import adapted, takes_biases
from dibble_tools.model.evaluator import feature_values
from dibble_tools.model.host_model import HostModel, card_beside
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.writer import ModelSpec, export
from dibble_tools.training.adapting import NOTHING, Labelled, adapt, read_labelled
from random_models import random_case
from ratio_models import ratio_model
from typer.testing import CliRunner

CASES = [case for case in (random_case(seed, 60) for seed in range(36)) if not case.model.content.number]


def test_a_file_that_is_moved_by_nothing_decides_as_before() -> None:
    """Of every family, with windows, novelty and stand-ins or without; tables lie as aligned as they did."""
    assert {case.model.content.family_name for case in CASES} >= {"forest", "additive", "mlp"}
    for case in CASES:
        content = case.model.content
        blob = adapted(case.model.blob, [0] * len(content.channels), [0] * len(content.classes))
        again = HostModel.tested(blob)
        assert (again.decide(case.readings, case.elapsed_ms).columns() == case.expected.columns()).all(), case.name
        assert [(g.readings, g.margin) for g in again.content.golden] == [
            (g.readings, g.margin) for g in content.golden
        ]


def test_channels_move_and_scores_rise_and_nothing_else() -> None:
    """Readings moved along are decided as before; each class's score is higher by just what it was raised by."""
    made = 0
    for case in CASES:
        content = case.model.content
        shifts = [(7 * i + 3) % 250 for i in range(len(content.channels))]
        biases = [(11 * k) % 40 for k in range(len(content.classes))]
        try:
            moved = HostModel.tested(adapted(case.model.blob, shifts, [0] * len(biases)))
        except InputError:
            continue  # it lies at the end of what readings may be
        readings = np.where(case.readings == MISSING, MISSING, case.readings + np.array(shifts))
        assert (moved.decide(readings, case.elapsed_ms).columns() == case.expected.columns()).all(), case.name
        if not takes_biases(content):
            continue
        raised = HostModel.tested(adapted(case.model.blob, [0] * len(shifts), biases)).content
        low, high = (np.array([getattr(c, end) for c in content.channels]) for end in ("low", "high"))
        values = feature_values(content, np.clip(case.readings, low, high) - low)
        before, after = class_scores(content, values), class_scores(raised, values)
        inside = (before[:, 1:] > 0).all(axis=1)  # a network's scores end at 0
        rise = (after - before)[inside]
        assert (rise - rise[:, :1] == np.array(biases) - biases[0]).all(), case.name
        made += inside.any()
    assert made > 5


def test_what_can_not_be_made_anew_is_refused() -> None:
    votes = next(case.model for case in CASES if not takes_biases(case.model.content))
    channels, classes = len(votes.channels), len(votes.classes)
    with pytest.raises(InputError, match="forest of votes"):
        adapted(votes.blob, [0] * channels, [1] * classes)
    with pytest.raises(InputError, match="readings as they are"):
        adapted(ratio_model("additive").blob, [0] * 5, [0] * 3)
    heard = HostModel.open(MODELS / "four_words")
    with pytest.raises(InputError, match="four_words: expected a model that decides a class on readings as they are"):
        read_labelled(heard, Path("a file that isn't there.csv"), "label", time=None, group=None, options=AS_IT_IS)


@pytest.fixture(scope="module")
def soil() -> tuple[HostModel, float]:
    """Return a model that is dry below 330 permille, and its score steps a nat."""
    rng = np.random.default_rng(0)
    wet = rng.random(800) < 0.5
    readings = np.column_stack([300 + 60 * wet + rng.normal(0, 14, 800), rng.normal(1500, 300, 800)]).astype(int)
    channels = [Channel("soil", "permille", 1, 0, 200, 600), Channel("air", "centi_c", 1, 0, 0, 3000)]
    lows, limits = [200, 0], [400, 3000]
    fitted = fit_additive(
        np.clip(readings - lows, 0, limits),
        limits,
        lows,
        np.eye(2)[wet.astype(int)],
        np.ones(800),
        AdditiveRecipe(12, 0),
    )
    spec = ModelSpec("soil", channels, ["dry", "wet"], fitted.tables)
    return HostModel(export(spec, readings[:4].tolist())), float(fitted.tables.margin_unit)


def node_rows(offset: int, rows: int, labels: int, seed: int = 1) -> tuple[Labelled, np.ndarray]:
    """Return a node's rows whose probe reads `offset` higher, some labelled; and what all of them are."""
    rng = np.random.default_rng(seed)
    wet = rng.random(rows) < 0.5
    readings = np.column_stack([300 + offset + 60 * wet + rng.normal(0, 14, rows), rng.normal(1500, 300, rows)])
    return Labelled(readings.astype(int), None, np.arange(labels), wet[:labels].astype(int)), wet.astype(int)


def test_twenty_labels_bring_a_shifted_node_near_to_where_the_others_are(soil) -> None:
    """On average of six draws; half of the rows were right before. What cross-validation says is about what comes."""
    model, unit = soil
    before, after, stated = [], [], []
    for seed in range(6):
        labelled, y = node_rows(60, 400, 20, seed)
        found = adapt(model, labelled, unit)
        rest = labelled.readings[20:]
        assert found.how != NOTHING
        before.append(np.mean(model.decide(rest).class_index == y[20:]))
        after.append(np.mean(found.model.decide(rest).class_index == y[20:]))
        stated.append(found.after)
    assert max(before) < 0.6 and np.mean(after) > 0.9
    assert abs(np.mean(stated) - np.mean(after)) < 0.08
    checked = verify(found.model, rest[:200], None, vms=("unix",))
    assert [(one.problem, one.equal) for one in checked] == [("", 200)] * 2


def test_a_node_like_the_others_is_left_alone(soil) -> None:
    """In most of 12 draws of ten labels nothing is changed, and on average it isn't worse for it."""
    model, unit = soil
    gains, changed = [], 0
    for seed in range(12):
        labelled, y = node_rows(0, 300, 10, seed)
        found = adapt(model, labelled, unit)
        changed += found.how != NOTHING
        both = [np.mean(m.decide(labelled.readings[10:]).class_index == y[10:]) for m in (model, found.model)]
        gains.append(both[1] - both[0])
    assert changed <= 4 and np.mean(gains) > -0.01


def test_it_wants_labels_of_two_classes(soil) -> None:
    model, unit = soil
    labelled, _ = node_rows(0, 40, 20)
    with pytest.raises(InputError, match="of two classes or more, got 20 of 1"):
        adapt(model, replace(labelled, y=np.zeros(20, dtype=int)), unit)


def test_the_command_keeps_rows_without_a_label_and_says_what_it_did(soil, tmp_path) -> None:
    model, _ = soil
    (tmp_path / "field").mkdir()
    model.save(tmp_path / "field" / "model.dib")
    labelled, _ = node_rows(60, 120, 120)
    lines = ["soil,air,label"]
    for i, (row, k) in enumerate(zip(labelled.readings.tolist(), labelled.y.tolist(), strict=True)):
        lines.append(f"{row[0]},{row[1]},{model.classes[k] if i % 5 == 0 else ''}")
    (tmp_path / "node.csv").write_text("\n".join(lines) + "\n")
    run = CliRunner().invoke(
        app, ["adapt", str(tmp_path / "field"), str(tmp_path / "node.csv"), "--out", str(tmp_path / "n")]
    )
    assert run.exit_code == 0, run.output
    assert "by models adapted without them" in run.output and "soil: read as" in run.output
    card = card_beside(tmp_path / "n")
    assert card["adapted"]["by"] == "node.csv" and card["adapted"]["right_after"] > 0.8
    HostModel.open(tmp_path / "n")
    (tmp_path / "node.csv").write_text("soil,air,label\n300,1500,damp\n")
    wrong = CliRunner().invoke(
        app, ["adapt", str(tmp_path / "field"), str(tmp_path / "node.csv"), "--out", str(tmp_path / "o")]
    )
    assert wrong.exit_code != 0 and isinstance(wrong.exception, InputError) and "damp" in str(wrong.exception)
    assert not (tmp_path / "o").exists()
