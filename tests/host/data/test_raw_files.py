"""A table of scans written for BME AI-Studio: what comes back is what was written; what can't be is said."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.data.heater_scans.assemble import assemble
from dibble_tools.data.heater_scans.importing import read_files_of_studio
from dibble_tools.data.heater_scans.raw_files import raw_files
from dibble_tools.data.heater_scans.table import Choice, csv_of, take
from studio_files import SCAN_MS, interleaved, scan, write_labels, write_raw
from typer.testing import CliRunner

COLLECTED = ["time", "node", "label", "air_temperature_centi_c", "humidity_permille", "pressure_pa"]


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["export", *map(str, arguments), "--to", "bmerawdata"])


def imported(path: Path) -> list[dict[str, str]]:
    found = assemble(read_files_of_studio([path]).recordings)
    assert not found.dropped
    return list(csv.DictReader(csv_of(take(found, Choice()), air=True).splitlines()))


def collected(path: Path, rows: list[list[object]], *, steps: int = 10, name: str = "gas_{}_ohm") -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([[*COLLECTED, *(name.format(step) for step in range(steps))], *rows])
    return path


def test_an_import_of_an_export_is_the_same_table(tmp_path: Path) -> None:
    """Two sessions, sensors with a number of their own and without, two labels and none, scans with sleep between."""
    numbered = [one for n in (0, 1, 2, 5, 6, 7) for one in scan(3, n * SCAN_MS, tag=1001 + n // 5, level=2e5)]
    more = [one for n in (0, 1) for one in scan(0, n * SCAN_MS + 300, tag=1001)]
    write_raw(tmp_path / "in/morning.bmerawdata", interleaved(numbered, more))
    nameless = [{**one, "sensor_id": 0} for n in range(2) for one in scan(5, n * SCAN_MS, tag=1001, level=3e5)]
    write_raw(tmp_path / "in/evening.bmerawdata", nameless, seed="xyz")
    for name in ("morning", "evening"):
        write_labels(tmp_path / f"in/{name}.bmelabelinfo", [(1001, "air", " "), (1002, "tea, green", " ")])
    before = imported(tmp_path / "in")
    assert {row["scan"] for row in before} == {"1", "2", "3"} and {row["sensor"] for row in before} >= {"B1-5", "9003"}
    table = tmp_path / "scans.csv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, before[0])
        writer.writeheader()
        writer.writerows(before)
    run = invoke(table, "--out", tmp_path / "out")
    assert run.exit_code == 0, run.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "evening.bmelabelinfo",
        "evening.bmerawdata",
        "morning.bmelabelinfo",
        "morning.bmerawdata",
    ]
    after = imported(tmp_path / "out")
    key = lambda row: (row["session"], row["sensor"], row["scan"], row["gas_0_ohm"], row["label"])  # noqa: E731
    assert sorted(after, key=key) == sorted(before, key=key)


def test_what_was_collected_goes_by_node_and_clock(tmp_path: Path) -> None:
    rows = [[f"2026-05-0{day}T12:00:00", "nose", "air", 2150, 456, 101_320, *range(1000, 1010)] for day in (1, 2)]
    rows.append(["2026-05-03T12:00:00", "nose", "air", 2150, 456, 101_320, *range(1000, 1009), ""])
    made = raw_files(collected(tmp_path / "log.csv", rows), "hp354")
    assert (list(made.files), made.scans, made.left_out, made.notes) == (
        ["nose.bmerawdata", "nose.bmelabelinfo"],
        2,
        1,
        [],
    )
    table = json.loads(made.files["nose.bmerawdata"])
    first, tenth = (table["rawDataBody"]["dataBlock"][i] for i in (0, 9))
    assert first == [0, 0, 700, 1_777_636_800, 21.5, 1013.2, 45.6, 1000.0, 0, 1, 1, 1001, 0]
    assert tenth[2] == 10_780 and table["rawDataHeader"]["boardId"] == "nose"


def test_what_cant_be_written_is_said(tmp_path: Path) -> None:
    row = ["2026-05-01T12:00:00", "nose", "air", 2150, 456, 101_320, *range(1000, 1010)]
    good = collected(tmp_path / "log.csv", [row])
    for told, message in (
        ("", "--profile: expected the heater's profile of the scans, such as hp354, got a table that doesn't say it"),
        ("short", "--profile: expected one of 10 steps, as the scans of log.csv have, got 3"),
        ("320:5 " * 11, "--profile: expected 1 to 10 steps, got 11"),
        ("500:5", "--profile: expected 50 to 400 C, got 500 in 500:5"),
    ):
        with pytest.raises(InputError) as error:
            raw_files(good, told)
        assert str(error.value) == message
    for path, message in (
        (collected(tmp_path / "soil.csv", [row[:7]], steps=1, name="soil"), "the steps of a scan as gas_0_ohm"),
        (collected(tmp_path / "zero.csv", [[*row[:-1], 0]]), "rows with a resistance of each step, got none of 1"),
        (collected(tmp_path / "text.csv", [[*row[:-1], "high"]]), "column 'gas_9_ohm': expected numbers, got 'high'"),
    ):
        with pytest.raises(InputError) as error:
            raw_files(path, "hp354")
        assert message in str(error.value) and path.name in str(error.value)
    many = tmp_path / "many.csv"
    many.write_text("sensor,gas_0_ohm\n" + "".join(f"{i},1000\n" for i in range(9)))
    with pytest.raises(InputError, match="expected at most 8 sensors of one session, got 9"):
        raw_files(many, "320:5")


def test_options_that_dont_go_together_are_refused(tmp_path: Path) -> None:
    table = collected(tmp_path / "log.csv", [["2026-05-01", "n", "air", 1, 1, 1, *range(1, 11)]])
    assert "expected --out, --profile and --force only" in str(invoke(table, "--out", tmp_path, "--check").exception)
    (tmp_path / "n.bmerawdata").write_text("mine")
    run = invoke(table, "--out", tmp_path, "--profile", "hp354")
    assert "expected a file that isn't there yet" in str(run.exception)
    assert (tmp_path / "n.bmerawdata").read_text() == "mine"
