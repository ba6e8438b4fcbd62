"""Raw samples of an accelerometer become the readings that a node would have made, bit for bit."""

from array import array
from pathlib import Path

import numpy as np
import pytest
from dibble.senses.motion import LEAST, MOST, OCTAVES, Motion
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.data.motion import motion_of
from typer.testing import CliRunner


def told_by_firmware(samples: np.ndarray) -> list[int]:
    axes = samples.shape[1]
    motion = Motion(axes)
    flat = array("h", samples.astype(np.int16).ravel().tolist())
    for at in range(0, len(samples), 31):  # in pieces, as they come
        some = samples[at : at + 31]
        motion.take(flat[at * axes : (at + len(some)) * axes], len(some))
    values = [0] * (2 * axes + OCTAVES)
    motion.tell(values)
    return values


def test_the_host_has_what_the_firmware_tells() -> None:
    rng = np.random.default_rng(0)
    for axes in (1, 2, 3):
        for count in (LEAST, 65, 100, 127, 1000, MOST + 60):
            wild = rng.integers(-32768, 32768, (count, axes))
            for samples in (wild, wild // 300, np.where(wild > 0, 32767, -32768), np.full_like(wild, -32768)):
                assert motion_of(samples) == told_by_firmware(samples), (axes, count)


def write(path: Path, rows: list[str], head: str = "x,y,z,what,cow") -> Path:
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def bring(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["import", "motion", *map(str, arguments)])
    if done.exception:
        raise done.exception
    return done.output


def test_recordings_become_a_table_that_trains(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    g = rng.integers(-900, 900, (450, 3)) / 1000
    what = ["graze"] * 250 + ["rest"] * 200
    rows = [",".join([*map(str, own), label, "7"]) for own, label in zip(g.tolist(), what, strict=True)]
    raw = write(tmp_path / "raw.csv", rows)
    out = tmp_path / "field.csv"
    said = bring(raw, "--scale", 1000, "--every", 4, "--label", "what", "--group", "cow", "--out", out)
    lines = out.read_text().splitlines()
    assert lines[0].startswith("x_mean_mg,y_mean_mg,z_mean_mg,x_span_mg") and lines[0].endswith("octave_5_mg,what,cow")
    mg = np.round(g * 1000).astype(int)
    told = [[*map(str, motion_of(mg[at : at + 100])), what[at], "7"] for at in (0, 100, 300)]
    assert [line.split(",") for line in lines[1:]] == told, "that which holds both is left out; so is what is too short"
    assert "3 readings of 4 s" in said and "dibble train" in said
    with pytest.raises(InputError, match="is there already"):
        bring(raw, "--out", out)


@pytest.mark.parametrize(
    ("rows", "arguments", "reason"),
    [
        (["1,2,3,a,1"], ["--axes", "x,w"], "expected a column 'w', got x, y, z, what, cow"),
        (["1,,3,a,1"], [], "line 2: expected a number as y, got ''"),
        (["1,2,nan,a,1"], [], "line 2: expected a number as z, got 'nan'"),
        (["1,2,40,a,1"], ["--scale", "1000"], "expected at most 32767 after --scale, got 40000"),
        (["1,2,3,a,1"] * 60, [], "expected 250 samples of one kind in a row, found none"),
        (["1,2,3,a,1"] * 60, ["--every", "2"], "expected at least 64 samples for a reading, got 50"),
        (["1,2,3,a,1"], ["--axes", "x,y,z,x"], "--axes: expected one to 3 columns, got 4"),
        (["1,2,3,a,1"], ["--scale", "0"], "--scale: expected a number above 0"),
    ],
)
def test_what_cannot_be_taken_is_told(rows: list[str], arguments: list[str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=reason):
        bring(write(tmp_path / "raw.csv", rows), "--out", tmp_path / "out.csv", *arguments)
