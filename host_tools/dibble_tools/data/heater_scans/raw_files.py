"""A table of scans -> `.bmerawdata` and `.bmelabelinfo`, which BME AI-Studio imports.

The table is what `dibble collect` or `dibble import bme` wrote, a row a scan. A file for each session, or each node:
its sensors get places 0 to 7 of a board. What the files need and the table hasn't is 0, which is told.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.data.csv_table import Table, bytes_of, decode, scan
from dibble_tools.data.heater_scans.profiles import UNIT_MS, Profile, named_profile
from dibble_tools.data.heater_scans.rawdata import LABELS, RAW
from dibble_tools.data.heater_scans.table import AIR, PLACE, PROFILE
from dibble_tools.data.roles import LABEL, NODE, TIME
from dibble_tools.data.times import parse_times

GAS = re.compile(r"gas(?:_resistance)?_(\d+)_ohm")
SENSOR, SESSION, SPECIMEN, DAY = "sensor", "session", "specimen", "day"
SENSORS = 8  # of AI-Studio's boards
FIRST_TAG = 1001  # as its application numbers specimens
AIR_PARTS = (100, 10, 100)  # of C, % and hPa that the table's units are
COLUMNS = (  # key, name, unit, format
    ("sensor_index", "Sensor Index", "", "integer"),
    ("sensor_id", "Sensor ID", "", "integer"),
    ("timestamp_since_poweron", "Time Since PowerOn", "Milliseconds", "integer"),
    ("real_time_clock", "Real time clock", "Unix Timestamp: seconds since Jan 01 1970. (UTC); 0 = missing", "integer"),
    ("temperature", "Temperature", "DegreesCelcius", "float"),
    ("pressure", "Pressure", "Hectopascals", "float"),
    ("relative_humidity", "Relative Humidity", "Percent", "float"),
    ("resistance_gassensor", "Resistance Gassensor", "Ohms", "float"),
    ("heater_profile_step_index", "Heater Profile Step Index", "", "integer"),
    ("scanning_enabled", "Scanning Mode Enabled", "", "boolean"),
    ("scanning_cycle_index", "Scanning Cycle Index", "", "integer"),
    ("label_tag", "Label Tag", "", "integer"),
    ("error_code", "Error Code", "", "integer"),
)


@dataclass
class RawFiles:
    """What a table became.

    Attributes:
        files: texts by the names of their files.
        scans: how many are in them; left_out: how many rows aren't, as a step is missing.
    """

    files: dict[str, str] = field(default_factory=dict)
    scans: int = 0
    left_out: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Rows:
    """A table's columns, a row a scan; ohm: (scans, steps); air: (scans, 3) in C, % and hPa; clock_ms: 0 is unknown."""

    ohm: np.ndarray
    air: np.ndarray
    clock_ms: np.ndarray
    place: np.ndarray
    label: np.ndarray
    sensor: np.ndarray
    session: np.ndarray
    specimen: np.ndarray


def raw_files(path: Path, profile: str = "") -> RawFiles:
    """Return the files of a table.

    Args:
        profile: of the heater, by name or steps; "": the table's own column says it.
    Raises:
        InputError: the table has no scans, its profile isn't told or has another number of steps, or more sensors than
            a board are of one session.
    """
    table = scan(decode(bytes_of(path), path.name)[0], path.name, alone=True)
    steps = sorted((int(match[1]), name) for name in table.header if (match := GAS.fullmatch(name)))
    if not steps or [number for number, _ in steps] != list(range(len(steps))):
        there = ", ".join(name for _, name in steps) or listed("gas_0_ohm", table.header)
        raise InputError(f"{path.name}: expected the steps of a scan as gas_0_ohm, gas_1_ohm and so on, got {there}")
    found = RawFiles()
    rows = _rows(table, [name for _, name in steps], found)
    heater = _profile(table, profile, len(steps), path.name)
    for session in dict.fromkeys(rows.session.tolist()):
        own = _Rows(*(column[rows.session == session] for column in vars(rows).values()))
        stem = re.sub(r"[^\w.-]+", "_", session) or path.name.partition(".")[0]
        if stem + RAW in found.files:
            stem = f"{stem}_{len(found.files) // 2 + 1}"
        raw, labels = _session(own, heater, session or stem)
        found.files |= {stem + RAW: raw, stem + LABELS: labels}
    return found


def _rows(table: Table, steps: Sequence[str], found: RawFiles) -> _Rows:
    """Return the whole scans of a table; what isn't there is counted and told."""
    air = [name if name in table.header else None for name in AIR]
    texts = [name for name in (LABEL, SENSOR, SESSION, SPECIMEN, NODE, TIME, DAY, PROFILE) if name in table.header]
    place = [PLACE] if PLACE in table.header else []
    table.parse([*steps, *(name for name in air if name), *place], texts)
    ohm = np.column_stack([_numbers(table, name) for name in steps])
    whole = np.isfinite(ohm).all(axis=1) & (np.nan_to_num(ohm) > 0).all(axis=1)
    found.scans, found.left_out = int(whole.sum()), int((~whole).sum())
    if not whole.any():
        raise InputError(f"{table.file}: expected rows with a resistance of each step, got none of {len(whole):,}")
    table.keep(whole)
    if missing := [name for name, there in zip(AIR, air, strict=True) if not there]:
        found.notes.append(f"{', '.join(missing)}: not in the table (--air keeps them): 0 stands there")
    empty = np.full(found.scans, "")
    zeros = np.zeros(found.scans)

    def text(*names: str) -> np.ndarray:
        return next((table.texts(name) for name in names if name in table.header), empty)

    clock = np.zeros(found.scans, np.int64)
    if TIME in table.header or DAY in table.header:
        days = np.array(["" if one == "unknown" else one for one in text(TIME, DAY)])
        if (days != "").all():
            clock = parse_times(days)[0]
    if not clock.any():
        found.notes.append("no times in the table: scans follow one another, the clock stands at 0")
    sensor = text(SENSOR, NODE)
    return _Rows(
        ohm[whole],
        np.column_stack(
            [
                np.nan_to_num(_numbers(table, name)) / parts if name else zeros
                for name, parts in zip(air, AIR_PARTS, strict=True)
            ]
        ),
        clock,
        _numbers(table, PLACE).astype(np.int64) if place else np.ones(found.scans, np.int64),
        text(LABEL),
        sensor,
        text(SESSION, NODE),
        text(SPECIMEN, LABEL),
    )


def _numbers(table: Table, name: str) -> np.ndarray:
    cells = table.column(name)
    try:
        return cells.to_numpy(np.float64)
    except ValueError:
        bad = next(str(cell) for cell in cells if not str(cell).replace(".", "", 1).isdecimal())
        raise InputError(f"{table.file}, column {name!r}: expected numbers, got {bad!r}") from None


def _profile(table: Table, told: str, steps: int, where: str) -> Profile:
    if not told:
        own = sorted(set(table.texts(PROFILE))) if PROFILE in table.header else []
        if len(own) != 1:
            got = ", ".join(own) or "a table that doesn't say it"
            raise InputError(f"--profile: expected the heater's profile of the scans, such as hp354, got {got}")
        told = own[0]
    profile = named_profile(told)
    if len(profile.steps) != steps:
        raise InputError(
            f"--profile: expected one of {steps} steps, as the scans of {where} have, got {len(profile.steps)}"
        )
    return profile


def _places(names: Sequence[str], session: str) -> tuple[str, dict[str, tuple[int, int]]]:
    """Return the board, and for each sensor (its place on it, its own number).

    `dibble import` names a sensor by its number, or by board and place where it has none.
    """
    if len(names) > SENSORS:
        raise InputError(f"{session}: expected at most {SENSORS} sensors of one session, got {len(names)}")
    board, places, free = session, {}, set(range(SENSORS))
    for name in names:
        if match := re.fullmatch(r"(.+)-([0-7])", name):
            board = match[1]
            places[name] = (int(match[2]), 0)
            free.discard(int(match[2]))
    for name in names:
        if name not in places:
            places[name] = (min(free), int(name) if name.isdecimal() else 0)
            free.remove(places[name][0])
    return board, places


def _session(rows: _Rows, profile: Profile, session: str) -> tuple[str, str]:
    """Return the texts of a session's two files."""
    board, places = _places(list(dict.fromkeys(rows.sensor.tolist())), session)
    tags = {label: FIRST_TAG + i for i, label in enumerate(sorted(set(rows.label.tolist()) - {""}))}
    ends_ms = np.cumsum([units for _, units in profile.steps]) * UNIT_MS
    block: list[list[Any]] = []
    clock_ms, before, cycles = dict.fromkeys(places, 0), dict.fromkeys(places, 0), Counter[str]()
    for specimen in dict.fromkeys(rows.specimen.tolist()):
        clock_ms = dict.fromkeys(places, max(clock_ms.values()))  # a label is the whole board's at a time
        for i in np.flatnonzero(rows.specimen == specimen):
            name = str(rows.sensor[i])
            index, number = places[name]
            if cycles[name] and rows.place[i] != before[name] + 1:
                clock_ms[name] += int(ends_ms[-1])  # it slept for as long as a scan
            before[name] = rows.place[i]
            cycles[name] += 1
            at, tag = int(rows.clock_ms[i]) // 1000, tags.get(str(rows.label[i]), 0)
            celsius, percent, hectopascal = rows.air[i].tolist()
            for step, (end_ms, ohm) in enumerate(zip(ends_ms.tolist(), rows.ohm[i].tolist(), strict=True)):
                time_ms = clock_ms[name] + end_ms
                air = (celsius, hectopascal, percent)
                block.append([index, number, time_ms, at, *air, ohm, step, 1, cycles[name], tag, 0])
            clock_ms[name] += int(ends_ms[-1])
    block.sort(key=lambda row: (row[2], row[0]))
    head = {
        "counterPowerOnOff": 1,
        "seedPowerOnOff": session,
        "counterFileLimit": 1,
        "firmwareVersion": "dibble",
        "boardId": board,
    }
    heater, duty = f"heater_{profile.title}", "duty_1"
    raw = {
        "configHeader": {"appVersion": "dibble", "boardType": "board_8", "boardLayout": "grouped"},
        "configBody": {
            "heaterProfiles": [
                {"id": heater, "timeBase": UNIT_MS, "temperatureTimeVectors": [list(one) for one in profile.steps]}
            ],
            "dutyCycleProfiles": [{"id": duty, "numberScanningCycles": 1, "numberSleepingCycles": 0}],
            "sensorConfigurations": [
                {"sensorIndex": index, "heaterProfile": heater, "dutyCycleProfile": duty}
                for index, _ in sorted(places.values())
            ],
        },
        "rawDataHeader": head,
        "rawDataBody": {
            "dataColumns": [
                {"name": name, "unit": unit, "format": form, "key": key, "colId": i}
                for i, (key, name, unit, form) in enumerate(COLUMNS, start=1)
            ],
            "dataBlock": block,
        },
    }
    standard = {
        "labelTag": 0,
        "labelName": "Initial",
        "labelDescription": "Standard label for no label has been set",
    }
    named = [{"labelTag": tag, "labelName": label, "labelDescription": " "} for label, tag in tags.items()]
    return json.dumps(raw), json.dumps({"labelInfoHeader": head, "labelInformation": [standard, *named]}, indent=1)
