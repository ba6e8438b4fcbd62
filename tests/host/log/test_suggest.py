"""Which rows to label next: doubtful, unlike the known ones, spread over days; what comes out labels the log."""

from pathlib import Path

import numpy as np
import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.log.suggest import choose, suggest
from typer.testing import CliRunner

HEAD = "time,sequence,class,held,margin,flags,action,battery,soil_moisture_permille,air_temperature_centi_c"
LOG = f"""{HEAD}
,1,dry,,1,unsure,0,,100,-50
2026-05-01 06:00:00,2,ok,ok,50,,0,3700,200,-50
2026-05-01 06:10:00,3,ok,ok,3,,0,3700,210,-40
2026-05-01 07:00:00,4,ok,ok,40,,0,3700,205,-45
2026-05-01 08:00:00,5,,,0,sensor fault,0,3700,,70
2026-05-02 06:00:00,6,dry,ok,60,out of range,0,3700,900,-45
2026-05-02 07:00:00,7,ok,ok,70,,0,3700,210,-40
"""
HOUR = 3_600_000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log.csv").write_text(LOG)
    return tmp_path / "log.csv"


def test_a_flagged_row_comes_first_and_neighbours_in_time_not_at_all(log) -> None:
    found = suggest(log, 9, None, 1800)
    assert found.columns == [
        "time", "label", "why", "said", "margin", "soil_moisture_permille", "air_temperature_centi_c"
    ]  # fmt: skip
    assert found.rows[0] == ["2026-05-02 06:00:00", "", "out of range", "dry", "60", "900", "-45"]
    assert [row[0][8:16] for row in found.rows[1:]] == ["01 06:00", "01 07:00", "02 07:00"]  # not 06:10, ten minutes on
    assert found.free == 5  # a row without a time and one without a reading teach nothing
    everything = {row[0][8:16]: row[2] for row in suggest(log, 9, None, 60).rows}
    assert everything["01 06:10"] == "a close call"
    assert len(everything) == 5


def test_of_rows_as_far_apart_the_most_doubtful_comes_first() -> None:
    spots, times = np.eye(4) / np.sqrt(2), np.arange(4)
    nothing, all_rows = np.zeros(4, bool), np.ones(4, bool)
    assert choose(np.array([0.1, 0.9, 0.5, 0.2]), spots, times, nothing, all_rows, 0, 9) == [1, 2, 3, 0]
    assert choose(np.array([0.1, 0.9, 0.5, 0.2]), spots, times, nothing, all_rows, 3, 9) == [1]


def test_what_is_labelled_already_is_left_out(log, tmp_path) -> None:
    seen = tmp_path / "seen.csv"
    seen.write_text("time,label\n2026-05-02 06:00,dry\n2026-05-01 06:00,ok\n")
    assert [row[0][8:16] for row in suggest(log, 9, seen, 1800).rows] == ["01 07:00", "02 07:00"]


def test_days_are_drawn_from_alike() -> None:
    rng = np.random.default_rng(0)
    times = np.arange(240) * HOUR
    spots = rng.random((240, 2)) / np.sqrt(2)
    nothing, all_rows = np.zeros(240, bool), np.ones(240, bool)
    chosen = choose(np.zeros(240), spots, times, nothing, all_rows, 0, 20)
    assert len(set(chosen)) == 20
    assert np.bincount([i // 24 for i in chosen], minlength=10).tolist() == [2] * 10
    known = times < 5 * 24 * HOUR
    later = choose(np.zeros(240), spots, times, known, ~known, 0, 5)
    assert sorted(i // 24 for i in later) == [5, 6, 7, 8, 9]


def test_a_kind_of_weather_without_labels_is_found() -> None:
    """Of 15 suggestions, more are of it than of 15 drawn rows, by far; it is 3 % of the log."""
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        rows = rng.normal(0, 1, (600, 3))
        rare = np.arange(600) % 33 == 20
        rows[rare] += [4, 0, 4]
        known = ~rare & (rng.random(600) < 0.05)
        ranks = rows.argsort(axis=0).argsort(axis=0) / 600 / np.sqrt(3)
        chosen = choose(np.zeros(600), ranks, np.arange(600) * HOUR, known, ~known, 0, 15)
        found.append(rare[chosen].sum())
    assert np.mean(found) > 2 * 15 * 0.03


def test_what_comes_out_is_observations_once_it_is_filled_in(log, tmp_path) -> None:
    def run(*arguments: object) -> str:
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        return f"{result.exit_code} {result.output} {result.exception or ''}"

    ask, out = tmp_path / "ask.csv", tmp_path / "labelled.csv"
    zone = ("--time-zone", "Europe/Berlin", "--tolerance", "5m")
    said = run("label", log, "--suggest", 2, "--out", ask, *zone)
    assert said.startswith("0 ")
    assert "2 of 5 rows: 1 out of range, 1 unlike the others" in " ".join(said.split())
    lines = ask.read_text().splitlines()
    assert lines[1].startswith("2026-05-02 08:00:00+02:00,,out of range")
    assert "fill it in, or drop the line" in " ".join(run("label", log, ask, "--out", out, *zone).split())
    ask.write_text("\n".join([lines[0], lines[1].replace(",,", ",dry,", 1), lines[2].replace(",,", ",ok,", 1)]))
    assert "dry 1, ok 1" in run("label", log, ask, "--out", out, *zone)
    assert "or --suggest N" in " ".join(run("label", log, "--out", tmp_path / "x.csv").split())
    assert "--time-zone" in run("label", log, "--suggest", 2, "--out", tmp_path / "y.csv", "--time-zone", "Mars/Base")


def test_a_log_without_readings_is_refused(tmp_path) -> None:
    (tmp_path / "log.csv").write_text("time,sequence\n2026-05-01 06:00,1\n")
    with pytest.raises(InputError, match="rows with a time and readings"):
        suggest(tmp_path / "log.csv", 3, None, 60)
