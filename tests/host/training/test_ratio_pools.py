"""Ratios are offered where they help on other groups, which steps matter is told, and the shortest profile."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dibble.inference.decision import OUT_OF_RANGE
from dibble_tools.data.heater_scans.profiles import named_profile
from dibble_tools.data.prepare import DataOptions, prepare
from dibble_tools.data.roles import roles_of
from dibble_tools.report.scan import scan_words
from dibble_tools.report.tables import training_tables
from dibble_tools.training.api import train
from dibble_tools.training.other_sensors import with_margins
from dibble_tools.training.ratio_pools import with_ratios

STEPS = 4
PROFILE = "320:5 100:5 200:5 320:5"


def write_scans(path: Path, *, drifting: bool) -> Path:
    """Write scans of six sensors, two odours: what tells them is the step 1 over step 2.

    Args:
        drifting: each sensor's level is its own, by octaves; else all have one, and step 1 tells as well.
    """
    rng = np.random.default_rng(3)
    lines = ["label,sensor,specimen,day,session,scan,profile," + ",".join(f"gas_{i}_ohm" for i in range(STEPS))]
    for sensor in range(6):
        level = 2.0 ** (rng.uniform(-3, 3) if drifting else 0.0)
        for row in range(48):
            odour = row % 2
            ohm = level * 1e5 * 2.0 ** (np.array([0, 2, 1, 0]) + 0.05 * rng.standard_normal(STEPS))
            ohm[1] *= 2.0 ** (0.4 * odour)
            where = f"s{sensor},x{row // 12},d,session {sensor},1,{PROFILE}"
            lines.append(f"{'ab'[odour]},{where}," + ",".join(str(round(value)) for value in ohm))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("drifting", [True, False])
def test_ratios_are_taken_where_levels_drift(tmp_path: Path, drifting: bool) -> None:
    trained = train(write_scans(tmp_path / "scans.csv", drifting=drifting), group="sensor", recipe="additive:4+0@3")
    scan = trained.card["scan"]
    reached = scan["accuracy"]
    assert trained.card["data"]["group"] == "sensor"
    if drifting:
        assert scan["chosen"] in ("ratios", "steps and ratios")
        assert reached["ratios"] > 0.95 > 0.7 > reached["one step"]
        assert trained.card["held_out"]["integer_model"]["accuracy"] > 0.9
        assert trained.model.content.parts == ("ratios",)
        assert any("ratios" in note and "taken" in note for note in trained.notes)
        told = {row["step"] for row in scan["steps"]}
        assert "gas_1_ohm" in told
    else:
        assert scan["chosen"] == "steps" and trained.model.content.parts == ()
        assert [row["step"] for row in scan["steps"]] == ["gas_1_ohm"] and scan["up_to"] == "gas_1_ohm"
        assert scan["shortest"] == {"text": "320:5 100:5", "seconds": 1.4, "mah": 0.0047}
        assert scan["profile"]["seconds"] == pytest.approx(named_profile(PROFILE).seconds)
        words = " ".join(scan_words(trained.card))
        assert '"320:5 100:5", 1.4 s and 0.005 mAh a scan for 2.8 s' in words
    assert training_tables(trained.card, 100)[-1].row_count == len(scan_words(trained.card)) >= 2


def test_what_isnt_a_scan_has_no_ratios(tmp_path: Path) -> None:
    path = write_scans(tmp_path / "one.csv", drifting=False)
    text = path.read_text().replace("gas_0_ohm", "a").replace("gas_1_ohm", "b").replace("gas_2_ohm", "c")
    path.write_text(text.replace("gas_3_ohm", "d"))
    trained = train(path, group="sensor", recipe="additive:4+0@3")
    assert trained.card["scan"] is None and scan_words(trained.card) == []


def test_parts_of_one_class_tell_nothing_and_are_left_out(tmp_path: Path) -> None:
    """Each class recorded in a session of its own: without one, there is nothing to tell apart."""
    path = write_scans(tmp_path / "scans.csv", drifting=True)
    roles = roles_of([path], None, None, "sensor", ())
    data = prepare(path, DataOptions(label="label", group="sensor", ignore=roles.ignore))
    assert data.ds.labels is not None
    y = np.unique(data.ds.labels, return_inverse=True)[1]
    rows = np.arange(len(y))
    of_one = rows[y == 0], rows[y == 1]
    assert with_ratios(data, y, [of_one], rows, 0) == (data, None)
    pools = with_ratios(
        data, y, [of_one, (rows[::2], rows[1::2]), (rows[: len(y) // 2], rows[len(y) // 2 :])], rows, 0
    )[1]
    assert pools is not None and len(pools.parts) == 1 and pools.chosen != "steps"


def test_a_sensor_beside_those_of_training_is_told_by_its_ratios(tmp_path: Path) -> None:
    """Up to two octaves beyond all readings of training ratios are right; beyond, it is out of range."""
    path = write_scans(tmp_path / "scans.csv", drifting=True)
    model = train(path, group="sensor", recipe="additive:4+0@3", refit=False).model
    names = [channel.name for channel in model.channels]
    table = pd.read_csv(path)
    highest = table[table.sensor == table.sensor[table.gas_0_ohm.idxmax()]]
    for octaves, flags in ((1.8, 0), (2.5, OUT_OF_RANGE)):
        decided = model.decide((highest[names].to_numpy() * 2**octaves).astype(int))
        assert set(decided.flags & OUT_OF_RANGE) == {flags}
        if not flags:
            labels = np.array(model.classes)[decided.class_index]
            assert np.mean(labels == highest.label) > 0.9


def test_margins_are_of_scans_alone_and_end_where_the_converter_does(tmp_path: Path) -> None:
    path = write_scans(tmp_path / "scans.csv", drifting=False)
    roles = roles_of([path], None, None, "sensor", ())
    data = prepare(path, DataOptions(label="label", group="sensor", ignore=roles.ignore))
    wide = with_margins(data, ["gas_1_ohm=ohm:1:50000:900000"])
    for i, (before, after) in enumerate(zip(data.channels, wide.channels, strict=True)):
        assert (after == before) == (i == 1)  # a range that the user gave stays
        if i != 1:
            assert (after.low, after.high) == (before.low // 4, before.high * 4)
    assert (wide.values + [c.low for c in wide.channels])[data.split.train].tolist() == data.readings[
        data.split.train
    ].tolist()
    ends = [replace(channel, low=6_000, high=90_000_000) for channel in data.channels]
    assert {(c.low, c.high) for c in with_margins(replace(data, channels=ends), []).channels} == {(5_685, 102_400_000)}
    others = replace(data, channels=[replace(channel, unit="mv") for channel in data.channels])
    assert with_margins(others, []) is others
