"""Recordings of BME AI-Studio made into a table: each scan counted, taken or dropped for its reason."""

import contextlib
import copy
import csv
import functools
import gzip
import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import studio_files as studio
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.data.datasets import read_files
from dibble_tools.data.heater_scans.assemble import CHANGE, CUT, ERROR, HOLE, NO_READING, assemble
from dibble_tools.data.heater_scans.importing import read_files_of_studio
from dibble_tools.data.heater_scans.profiles import Profile, named_profile, shared_course
from dibble_tools.data.heater_scans.table import Choice, csv_of, parse_places, parse_sensors, take
from dibble_tools.data.roles import roles_of
from studio_files import SCAN_MS, interleaved, row, scan, write_labels, write_project, write_raw
from typer.testing import CliRunner


def scans_of(*paths: Path) -> Any:
    return assemble(read_files_of_studio(paths).recordings)


def taken(*paths: Path, **choice: Any) -> Any:
    return take(scans_of(*paths), Choice(**choice))


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["import", "bme", *map(str, arguments)])


def test_scans_of_interleaved_sensors_are_put_together(tmp_path: Path) -> None:
    rows = interleaved(
        [one for n in range(3) for one in scan(0, n * SCAN_MS)],
        [one for n in range(3) for one in scan(5, 500 + n * SCAN_MS, level=3e5)],
    )
    found = scans_of(write_raw(tmp_path / "a_1.bmerawdata", rows))
    assert not found.dropped and len(found.scans) == 6
    one = found.scans[-1]
    assert one.ohm == tuple(3e5 * 2**step for step in range(10))
    assert (one.sensor, one.index, one.place, one.label) == ("9005", 5, 3, "label 1001")
    assert one.air == (24.5, 1012.25, 45.5)


def test_each_scan_that_isnt_taken_has_a_reason(tmp_path: Path) -> None:
    hole = scan(0, 2 * SCAN_MS, steps=[0, 1, 2, 4, 5, 6, 7, 8, 9])
    late = scan(0, 3 * SCAN_MS)
    late[4]["error_code"] = 1
    change = scan(0, 4 * SCAN_MS)
    change[7]["label_tag"] = 1002
    no_reading = scan(0, 5 * SCAN_MS)
    no_reading[3]["resistance_gassensor"] = None
    stray = row(0, 7 * SCAN_MS - 500, 15)
    rows = [*scan(0, 0, steps=[7, 8, 9]), *scan(0, SCAN_MS), *hole, *late, *change, *no_reading, *scan(0, 6 * SCAN_MS)]
    rows += [stray, *scan(0, 7 * SCAN_MS, steps=range(4))]
    found = scans_of(write_raw(tmp_path / "a.bmerawdata", rows))
    assert dict(found.dropped) == {CUT: 2, HOLE: 2, ERROR: 1, CHANGE: 1}  # a row without its reading is none
    assert (len(found.scans), found.strays, found.counted) == (2, 1, 8)
    zero = scan(0, 0)
    zero[3]["resistance_gassensor"] = 0
    assert dict(scans_of(write_raw(tmp_path / "b.bmerawdata", zero)).dropped) == {NO_READING: 1}


def test_a_scan_isnt_joined_over_a_sleep(tmp_path: Path) -> None:
    rows = [*scan(0, 0, steps=range(5)), *scan(0, 60_000, steps=range(5, 10))]
    assert scans_of(write_raw(tmp_path / "a.bmerawdata", rows)).dropped == {HOLE: 2}


def test_columns_go_by_their_key_and_need_not_all_be_there(tmp_path: Path) -> None:
    keys = ["heater_profile_step_index", "resistance_gassensor", "timestamp_since_poweron", "sensor_index"]
    one = scans_of(write_raw(tmp_path / "a.bmerawdata", scan(0, 0), keys=keys)).scans[0]
    assert one.ohm[9] == 1e5 * 512 and one.sensor == "B1-0" and one.label == ""
    packed = tmp_path / "b.bmerawdata.gz"
    packed.write_bytes(
        gzip.compress(json.dumps(studio.raw_table(scan(0, 0), vectors=lambda steps: [steps]), indent=1).encode())
    )
    assert scans_of(packed).scans[0].profile.text == "hp354"


def test_a_session_split_over_files_is_one(tmp_path: Path) -> None:
    """A scan that began in one and ended in the next is whole; files of one number are two sessions."""
    whole = scan(0, 0)
    first = write_raw(tmp_path / "r_1.bmerawdata", [*whole[:6]], number=1)
    second = write_raw(tmp_path / "r_2.bmerawdata", [*whole[6:], *scan(0, SCAN_MS)], number=2)
    found = read_files_of_studio([second, first])
    assert [one.name for one in found.recordings] == ["r_1 and 1 more"]
    assert len(assemble(found.recordings).scans) == 2
    third = write_raw(tmp_path / "r_3.bmerawdata", scan(0, 0, tag=1), number=1)
    assert len(read_files_of_studio([first, second, third]).recordings) == 2


def test_the_last_name_of_a_tag_counts_and_the_description_where_it_has_none(tmp_path: Path) -> None:
    rows = [one for n, tag in enumerate((0, 1, 1001, 1002, 1003)) for one in scan(0, n * SCAN_MS, tag=tag)]
    path = write_raw(tmp_path / "a.bmerawdata", rows)
    names = [
        (1001, "Specimen 1001", " "),
        (1001, "warm-up ", " "),
        (1002, "Specimen 1002", " "),
        (1002, "Specimen 1002", "data  1 "),
    ]
    write_labels(tmp_path / "a.bmelabelinfo", names)
    assert [one.label for one in scans_of(path).scans] == ["", "Button 1", "warm-up", "data 1", "label 1003"]
    assert taken(path).dropped.total() == 1  # without a label


def test_labels_of_an_old_file_and_the_only_one_of_a_folder(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a_7.bmerawdata", scan(0, 0))
    write_labels(tmp_path / "a_4.bmelabelinfo", [(1001, "beans", "")])
    found = read_files_of_studio([path])
    assert assemble(found.recordings).scans[0].label == "beans" and "a_4.bmelabelinfo" in found.notes[0]
    (tmp_path / "a_4.bmelabelinfo").unlink()
    old = tmp_path / "b.labelinfo"
    old.write_text('FirmwareVersion:3.1\n{ "labelTag": 1001, "labelName": "air", "labelDescription": " " }\n,{ "label')
    assert scans_of(path, old).scans[0].label == "air"


def test_places_since_the_sensor_slept(tmp_path: Path) -> None:
    """Three scans, sleep, three scans; not by scanning_cycle_index, which spans several in some files."""
    rows = [one for n in (0, 1, 2, 10, 11, 12) for one in scan(0, n * SCAN_MS)]
    path = write_raw(tmp_path / "a.bmerawdata", rows, duty=(3, 7))
    assert [(one.place, one.last) for one in scans_of(path).scans] == [(1, False), (2, False), (3, True)] * 2
    for places, count in (("first", 2), ("last", 2), ("all", 6), ("2..3", 4), ("2", 2)):
        assert len(taken(path, places=places).scans) == count
    with pytest.raises(
        InputError, match=r"got none of 6 \(6: another place since the sensor slept than --scans 4..5\)"
    ):
        taken(path, places="4..5")
    for wrong in ("5..2", "0", "some", "2..x", "-1"):
        with pytest.raises(InputError, match=r"--scans: expected all, first, last, a number, or two as 2\.\.5"):
            parse_places(wrong)


def test_profiles_are_told_apart_and_named_as_the_node_names_them(tmp_path: Path) -> None:
    other = [[200, 7]] * 10
    rows = interleaved([one for n in range(2) for one in scan(0, n * SCAN_MS)], scan(1, 300))
    path = write_raw(tmp_path / "a.bmerawdata", rows, profiles={0: studio.HP354, 1: other})
    most = taken(path)
    assert most.profile.text == "hp354" and len(most.scans) == 2
    assert most.dropped["another profile, " + " ".join(["200:7"] * 10) + ": --profile takes it"] == 1
    asked = taken(path, profile=named_profile(" ".join(["200:7"] * 10)))
    assert len(asked.scans) == 1
    with pytest.raises(InputError, match=r"--profile: expected one that was recorded: hp354 \(2 scans\), 200:7"):
        taken(path, profile=named_profile("hp411"))
    with pytest.raises(InputError, match="--profile: expected 50 to 400 C, got 500 in 500:5"):
        named_profile("500:5")


def test_the_shortest_profile_of_the_same_course() -> None:
    whole = named_profile("hp354")
    assert shared_course(whole, [3, 6]).text == "320:5 100:42 200:15"
    assert shared_course(whole, [3, 6, 9]).text == "320:5 100:42 200:15 320:15"
    assert shared_course(whole, [0]).text == "320:5"
    assert shared_course(whole, [1, 3]).text == "320:5 100:2 100:40"
    assert shared_course(whole, range(10)) == Profile("", whole.steps)


def test_sensors_folders_names_and_renamed_classes(tmp_path: Path) -> None:
    for name, tag in (("Coffee", 0), ("air", 0)):
        write_raw(
            tmp_path / name / "x.bmerawdata",
            interleaved(scan(0, 0, tag=tag), scan(2, 300, tag=tag), scan(3, 600, tag=tag)),
            seed=name,
        )
    by_folder = taken(tmp_path, by="folder", sensors=parse_sensors("0,2-3"), classes={"Coffee": "coffee"})
    assert sorted({one.label for one in by_folder.scans}) == ["air", "coffee"] and len(by_folder.scans) == 6
    assert len(taken(tmp_path, label="x", sensors=parse_sensors("2")).scans) == 2
    assert {one.label for one in taken(tmp_path, by="folder", classes={"air": ""}).scans} == {"Coffee"}
    with pytest.raises(InputError, match="--sensors: expected of 0, 2, 3, got 7"):
        taken(tmp_path, label="x", sensors=parse_sensors("7"))
    with pytest.raises(InputError, match="--class: expected a label of the files, got 'tea'; there are: Coffee, air"):
        taken(tmp_path, by="folder", classes={"tea": "Tea"})
    with pytest.raises(InputError, match=r"got none of 6 .6: no label: --label names what has none"):
        taken(tmp_path)


def test_a_project_gives_its_classes_and_what_its_own_network_came_to(tmp_path: Path) -> None:
    found = read_files_of_studio([write_project(tmp_path / "project.db")])
    all_scans = assemble(found.recordings)
    assert [one.label for one in all_scans.scans] == ["Air"] * 3 + ["Coffee"] * 2 + ["Air"] * 3 + ["Coffee"] * 2
    assert all_scans.dropped == {ERROR: 2}  # the cycles that AI-Studio dropped
    assert {one.session for one in all_scans.scans} == {"morning", "evening"}
    assert {one.day for one in all_scans.scans} == {"2026-05-28"}
    assert [(one.name, one.accuracy, one.confusion) for one in found.networks] == [("nose", 0.75, [[3, 1], [1, 3]])]


def test_what_is_worth_knowing_is_told(tmp_path: Path) -> None:
    for name, level in (("banana", 2e8), ("bananna", 1e3)):
        write_raw(tmp_path / name / "x.bmerawdata", scan(0, 0, level=level), seed=name)
    notes = " | ".join(taken(tmp_path, by="folder").notes)
    assert "'banana' and 'bananna' are spelled almost alike" in notes
    assert "each class was recorded in one session" in notes
    assert "step 0: 50.0% of the scans are at 102,400,000 ohm or above: saturated" in notes
    assert "step 1: 50.0% of the scans are at 5,685 ohm or below: saturated" in notes
    one = tmp_path / "banana/x.bmerawdata"
    assert "a classifier needs two" in " | ".join(taken(one, by="folder").notes)


def test_copies_and_empty_files_are_passed_over_and_told(tmp_path: Path) -> None:
    one = write_raw(tmp_path / "a_1.bmerawdata", scan(0, 0))
    copy = tmp_path / "copy.bmerawdata"
    copy.write_bytes(one.read_bytes())
    (tmp_path / "empty.bmerawdata").touch()
    found = read_files_of_studio([one, copy, tmp_path / "empty.bmerawdata"])
    assert len(found.recordings) == 1
    assert found.notes == ["copy.bmerawdata: a copy of a_1.bmerawdata, byte for byte: passed over"]
    assert found.problems == ["empty.bmerawdata: expected a recording, got an empty file: nothing was recorded into it"]


def test_the_table_trains_by_the_coarsest_group_of_which_each_class_has_several(tmp_path: Path) -> None:
    table = tmp_path / "scans.csv"
    table.write_text(csv_of(taken(write_project(tmp_path / "project.db")), air=True))
    header = next(csv.reader(io.StringIO(table.read_text())))
    assert header[:10] == [
        "label",
        "sensor",
        "specimen",
        "day",
        "session",
        "scan",
        "profile",
        "air_temperature_centi_c",
        "humidity_permille",
        "pressure_pa",
    ]
    roles = roles_of([table], None, None, None, [])
    assert (roles.label, roles.time, roles.group, roles.profile) == ("label", None, "session", "hp354")
    data = read_files([table], label=roles.label, group=roles.group, ignore=roles.ignore)
    assert data.columns == [*header[7:10], *(f"gas_{step}_ohm" for step in range(10))]
    assert data.values[0].tolist() == [2000, 500, 100000, *(1e5 * 2**step for step in range(10))]
    asked = roles_of([table], None, None, "sensor", [])
    assert asked.group == "sensor" and set(asked.ignore) == {"specimen", "day", "session", "scan", "profile"}
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], *(line for line in lines if "morning" in line)]) + "\n")
    alone = roles_of([table], None, None, None, [])
    assert alone.group is None and "rows are held out as they come" in alone.notes[0]


def test_the_command_writes_a_table_and_the_nodes_profile(tmp_path: Path) -> None:
    rows = [one for n in (0, 1, 10, 11) for one in scan(0, n * SCAN_MS, tag=0)]
    for name in ("a", "b"):
        write_raw(tmp_path / name / "x.bmerawdata", rows, seed=name)
    config = tmp_path / "config.json"
    config.write_text('{"i2c": {"sda": 4, "scl": 5}, "sensors": [\n  {"driver": "bme680"}\n]}\n')
    out = tmp_path / "scans.csv"
    arguments = (tmp_path / "a", tmp_path / "b", "--by", "folder", "--scans", "last", "--out", out, "--config", config)
    run = invoke(*arguments)
    assert run.exit_code == 0, run.output
    said = " ".join(run.stderr.split())
    assert "counted: 8 scans, 4 taken" in said and "left out: 4: another place since the sensor slept" in said
    assert '"profile": "hp354", "scans": 2' in said
    assert len(out.read_text().splitlines()) == 5
    entry = json.loads(config.read_text())["sensors"][0]
    assert entry == {"driver": "bme680", "profile": "hp354", "scans": 2}
    again = invoke(*arguments)
    assert again.exit_code != 0 and "expected a file that isn't there yet" in str(again.exception)


def test_a_configuration_alone_gives_the_profile(tmp_path: Path) -> None:
    path = tmp_path / "Board.bmeconfig"
    path.write_text(json.dumps({**studio.raw_table([], profiles={0: studio.HP354}), "rawDataBody": None}))
    run = invoke(path, "--out", tmp_path / "none.csv")
    assert run.exit_code == 0 and '"profile": "hp354"' in " ".join(run.stderr.split())
    assert not (tmp_path / "none.csv").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.bmerawdata", b"", "expected a recording, got an empty file"),
        ("a.bmerawdata", b"\0" * 512, "expected a recording, got an empty file"),
        ("a.bmerawdata", b'{"rawDataBody": {"dataColumns": [', "got text that isn't: it ends too early: cut short"),
        ("a.bmerawdata", b"\x80\x81\x82", "got bytes that are no text"),
        ("a.bmerawdata", b"[1, 2]", "expected JSON as AI-Studio writes it, got a list"),
        ("a.bmerawdata", b"hello", "got text that isn't: Expecting value"),
        (
            "a.bmerawdata",
            b'{"cells": [], "nbformat": 4}',
            "expected rawDataBody with dataColumns and dataBlock, got the keys cells",
        ),
        (
            "a.bmerawdata",
            b'{"rawDataBody": {"dataColumns": [{"key": "sensor_index"}], "dataBlock": []}}',
            "a column with the key 'resistance_gassensor'",
        ),
        ("a.bmerawdata", b"\x1f\x8b\x08broken", "expected a readable file"),
        ("a.udf", b"\x01\x02", "which is binary"),
        ("a.csv", b"a,b\n1,2\n", "`dibble train` reads it as it is"),
        ("project.db", b"not a database", "a SQLite database, got another file"),
        ("project.db", b"SQLite format 3\0" + b"\0" * 100, "expected AI-Studio's project.db, got another database"),
        ("a.bmelabelinfo", b"{}", "expected labelInformation with tags and names, got none"),
    ],
)
def test_what_isnt_a_recording_is_one_message(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_files_of_studio([path])
    assert message in str(error.value) and name in str(error.value)


def _places(node: Any, here: tuple = ()) -> Iterator[tuple]:
    """Yield the path of each value of an object, of lists the first two."""
    yield here
    if isinstance(node, dict | list):
        for key in node if isinstance(node, dict) else range(min(2, len(node))):
            yield from _places(node[key], (*here, key))


def _read(path: Path) -> None:
    """Take all that a file holds, or be told why not in one message."""
    with contextlib.suppress(InputError):
        csv_of(take(scans_of(path), Choice(label="x")), air=True)


@pytest.mark.filterwarnings("error")
def test_no_value_of_a_file_is_taken_for_granted(tmp_path: Path) -> None:
    """Each value of a recording and of its labels in turn is something else: taken or refused, nothing else."""
    path, labels = tmp_path / "a.bmerawdata", tmp_path / "a.bmelabelinfo"
    raw = studio.raw_table([one for n in range(2) for one in scan(0, n * SCAN_MS)][:12])
    names = {"labelInformation": [{"labelTag": 1001, "labelName": "air", "labelDescription": " "}]}
    for file, table in ((path, raw), (labels, names)):
        for place in _places(table):
            for value in (None, "x", -1, 10**30, float("nan"), [], {}):
                holder: Any = {"": copy.deepcopy(table)}
                *before, last = ("", *place)
                inside = functools.reduce(lambda node, key: node[key], before, holder)
                inside[last] = value
                file.write_text(json.dumps(holder[""]))
                _read(path)
        file.write_text(json.dumps(table))
    assert len(scans_of(path).scans) == 1


@pytest.mark.filterwarnings("error")
def test_no_cell_of_a_project_is_taken_for_granted(tmp_path: Path) -> None:
    """Each column in turn holds something else, or isn't there; the file is cut off at any length."""
    whole = write_project(tmp_path / "project.db").read_bytes()
    path = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(tmp_path / "project.db")) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = [(name, one[1]) for name in tables for one in db.execute(f"PRAGMA table_info({name})")]
    for name, column in columns:
        for change in (*(f"UPDATE {name} SET {column} = {v}" for v in ("NULL", "'x'", "1e308")), "DROP"):
            path.write_bytes(whole)
            sql = f"ALTER TABLE {name} DROP COLUMN {column}" if change == "DROP" else change
            with contextlib.closing(sqlite3.connect(path)) as db, contextlib.suppress(sqlite3.Error):
                db.execute("PRAGMA synchronous = OFF")
                db.execute(sql)
                db.commit()
            _read(path)
    for length in range(0, len(whole), 4999):
        path.write_bytes(whole[:length])
        _read(path)


def test_another_programs_database_and_a_folder_without_recordings(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "other.db")
    db.execute("CREATE TABLE songs (id INTEGER)")
    db.commit()
    db.close()
    with pytest.raises(InputError, match="with the table measurement_sessions, got the tables songs"):
        read_files_of_studio([tmp_path / "other.db"])
    with pytest.raises(InputError, match=r"expected a folder with .bmerawdata files or a project.db"):
        read_files_of_studio([tmp_path])
    with pytest.raises(InputError, match="expected a file or folder of AI-Studio, got none"):
        read_files_of_studio([tmp_path / "nowhere"])


def test_a_profile_that_no_node_runs_is_said(tmp_path: Path) -> None:
    long = [[320, 300]] * 10
    path = write_raw(tmp_path / "x.bmerawdata", scan(0, 0), profiles={0: long})
    run = invoke(path, "--out", tmp_path / "s.csv")
    assert run.exit_code == 0, run.output
    assert "a node can't run it: profile: expected 1 to 255 units of 140 ms, got 300" in " ".join(run.stderr.split())


def test_wrong_options_are_refused(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "x.bmerawdata", scan(0, 0))
    for arguments, message in (
        (("--by", "day"), "--by: expected one of tag, folder, file"),
        (("--class", "air"), "--class: expected LABEL=CLASS"),
        (("--sensors", "a"), "--sensors: expected numbers on the board"),
        (("--profile", "320:5 " * 11), "--profile: expected 1 to 10 steps, got 11"),
    ):
        run = invoke(path, "--out", tmp_path / "s.csv", *arguments)
        assert message in str(run.exception)
