"""AI-Studio's files: `.bmerawdata`, `.bmeconfig` and the labels beside them, in every dialect that was seen.

Columns are found by their key. `<stem>_<n>.bmerawdata` of one power-on are one session. What the files hold was learnt
from real ones; unknown keys are passed over.
"""

import datetime
import gzip
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dibble_tools.common.errors import InputError, reason_of
from dibble_tools.common.formatting import listed
from dibble_tools.data.heater_scans.profiles import UNKNOWN, Profile, steps_of_vectors
from dibble_tools.data.heater_scans.recording import NO_CYCLE, ROW, Recording

RAW, LABELS, OLD_LABELS, CONFIG = ".bmerawdata", ".bmelabelinfo", ".labelinfo", ".bmeconfig"
NEEDED = {
    "sensor_index": "sensor",
    "resistance_gassensor": "ohm",
    "heater_profile_step_index": "step",
    "timestamp_since_poweron": "time_ms",
}
WISHED = {
    "temperature": "celsius",
    "pressure": "hectopascal",
    "relative_humidity": "percent",
    "real_time_clock": "clock_s",
    "error_code": "error",
    "label_tag": "tag",
    "scanning_cycle_index": "cycle",
}
LARGEST = 2.0**53  # of a number: floats are whole up to there
CLOCK_S = (1e9, 1e11)  # seconds since 1970 that a clock which was set tells
UNSET_TAGS = (0,)  # "Initial": no label was set
STANDARD_NAME = re.compile(r"specimen \d+|label \d+", re.IGNORECASE)
DATED_NAME = re.compile(r"(20\d\d)_(\d\d)_(\d\d)_\d\d_\d\d")


@dataclass(frozen=True)
class Part:
    """One `.bmerawdata` file.

    Attributes:
        power_on: what names its session: folder, stem, board and seed. A seed alone isn't enough: some never change.
        number: of the file in its session.
    """

    path: Path
    power_on: tuple[str, ...]
    number: float
    rows: np.ndarray
    config: dict[str, Any]
    sensors: dict[int, str]


def read_json(path: Path) -> dict[str, Any]:
    """Return the object of a JSON file, gzip or not.

    Raises:
        InputError: it is empty, cut short, or something else.
    """
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: expected a readable file, got: {reason_of(error)}") from None
    if not data.strip(b"\0 \r\n\t"):
        raise InputError(f"{path.name}: expected a recording, got an empty file: nothing was recorded into it")
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: expected JSON as AI-Studio writes it, got bytes that are no text") from None
    except (ValueError, RecursionError) as error:
        at = getattr(error, "pos", 0)
        cut = "it ends too early: cut short while it was written or copied?" if at >= len(data) - 2 else f"{error}"
        raise InputError(f"{path.name}: expected JSON as AI-Studio writes it, got text that isn't: {cut}") from None
    if not isinstance(found, dict):
        raise InputError(f"{path.name}: expected JSON as AI-Studio writes it, got a {type(found).__name__}")
    return found


def stem_of(path: Path, suffix: str) -> str:
    """Return a file's name without its suffix, and without .gz."""
    name = path.name.removesuffix(".gz")
    return name[: -len(suffix)] if name.lower().endswith(suffix) else name


def read_part(path: Path) -> Part:
    """Return what one `.bmerawdata` says.

    Raises:
        InputError: it isn't one, or none of its rows can be read.
    """
    table = read_json(path)
    body = table.get("rawDataBody")
    if not isinstance(body, dict) or "dataBlock" not in body or not isinstance(body.get("dataColumns"), list):
        there = ", ".join(list(table)[:6]) or "none"
        raise InputError(f"{path.name}: expected rawDataBody with dataColumns and dataBlock, got the keys {there}")
    keys = [column.get("key") if isinstance(column, dict) else None for column in body["dataColumns"]]
    for key in NEEDED:
        if key not in keys:
            found = listed(key, [str(k) for k in keys if k])
            raise InputError(f"{path.name}: expected a column with the key {key!r}, {found}")
    rows = _rows(path, body["dataBlock"], keys)
    header = table.get("rawDataHeader")
    header = header if isinstance(header, dict) else {}
    stem = stem_of(path, RAW)
    seed = str(header.get("seedPowerOnOff") or "")
    match = re.fullmatch(r"(.*?)_?(\d+)", stem)
    number = header.get("counterFileLimit")
    counter = str(header.get("counterPowerOnOff") or "")
    power_on = (match[1] if match else stem, str(header.get("boardId") or ""), seed, counter)
    counted = float(number) if isinstance(number, int | float) else float(match[2]) if match else 0.0
    sensors = _sensor_names(body["dataBlock"], keys, str(header.get("boardId") or ""))
    return Part(path, (str(path.parent), *power_on), counted, rows, table, sensors)


def _rows(path: Path, block: Any, keys: Sequence[str | None]) -> np.ndarray:
    """Return ROW of a data block; a row that is cut short or no numbers is left out."""
    if not isinstance(block, list):
        raise InputError(f"{path.name}: expected a list of rows in dataBlock, got a {type(block).__name__}")
    chosen = {keys.index(key): name for key, name in {**NEEDED, **WISHED}.items() if key in keys}
    whole = [row for row in block if isinstance(row, list) and len(row) >= len(keys)]
    rows = np.zeros(len(whole), ROW)
    rows["cycle"] = NO_CYCLE
    kept = np.ones(len(whole), bool)
    for place, name in chosen.items():
        values = np.array([number_of(row[place]) for row in whole], dtype=np.float64)
        required = name in NEEDED.values()
        bad = np.isnan(values)
        kept &= ~bad if required else True
        values[bad] = np.nan if ROW[name] == np.float64 else 0
        rows[name] = values
    return rows[kept]


def number_of(cell: Any) -> float:
    """Return a cell's number, NaN where it has none that can be meant."""
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return number if abs(number) <= LARGEST else math.nan


def count_of(cell: Any, default: int) -> int:
    """Return a cell's whole number, or what stands for none."""
    number = number_of(cell)
    return default if math.isnan(number) else int(number)


def _sensor_names(block: Any, keys: Sequence[str | None], board: str) -> dict[int, str]:
    """Return a name for each sensor: its own number, else its board's and its place there."""
    at = keys.index("sensor_index")
    own = keys.index("sensor_id") if "sensor_id" in keys else None
    names: dict[int, str] = {}
    for row in block:
        if isinstance(row, list) and len(row) >= len(keys) and not math.isnan(number_of(row[at])):
            index = int(number_of(row[at]))
            if index not in names:
                number = row[own] if own is not None else 0
                names[index] = str(number) if number else f"{board + '-' if board else ''}{index}"
    return names


def config_of(table: dict[str, Any], where: str) -> tuple[dict[int, Profile], dict[int, tuple[int, int]]]:
    """Return the profile, and the scans and sleeps in a row, of each sensor, by a configuration's header and body."""
    body = table.get("configBody")
    body = body if isinstance(body, dict) else {}
    profiles = {
        str(one.get("id")): Profile(
            str(one.get("id")), steps_of_vectors(one.get("temperatureTimeVectors"), one.get("timeBase"), where)
        )
        for one in _tables(body.get("heaterProfiles"))
    }
    cycles = {
        str(one.get("id")): (count_of(one.get("numberScanningCycles"), 1), count_of(one.get("numberSleepingCycles"), 0))
        for one in _tables(body.get("dutyCycleProfiles"))
    }
    of_sensor: dict[int, Profile] = {}
    rhythm: dict[int, tuple[int, int]] = {}
    for one in _tables(body.get("sensorConfigurations")):
        if isinstance(one.get("sensorIndex"), int):
            of_sensor[one["sensorIndex"]] = profiles.get(str(one.get("heaterProfile")), UNKNOWN)
            rhythm[one["sensorIndex"]] = cycles.get(str(one.get("dutyCycleProfile")), (1, 0))
    return of_sensor, rhythm


def _tables(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def read_labels(path: Path) -> dict[int, str]:
    """Return the name of each tag of a `.bmelabelinfo`, or of an old `.labelinfo`; the last of a tag is the user's.

    A tag that has no name of its own takes its description; "" stands for no label.

    Raises:
        InputError: it has no labels.
    """
    text = path.read_text(encoding="utf-8-sig", errors="replace") if path.is_file() else ""
    entries: list[Any] = []
    try:
        table = json.loads(text)
        entries = table.get("labelInformation", []) if isinstance(table, dict) else []
    except ValueError:
        for match in re.finditer(r"\{[^{}]*\"labelTag\"[^{}]*\}", text):  # an old one, or one that was cut short
            try:
                entries.append(json.loads(match[0]))
            except ValueError:
                continue
    entries = [one for one in _tables(entries) if isinstance(one.get("labelTag"), int)]
    if not entries:
        raise InputError(f"{path.name}: expected labelInformation with tags and names, got none")
    names: dict[int, str] = {}
    for one in entries:
        name = " ".join(str(one.get("labelName") or "").split())
        said = " ".join(str(one.get("labelDescription") or "").split())
        standard = said.startswith("Standard label for")
        if not name or (STANDARD_NAME.fullmatch(name) and said and not standard):
            name = said or name
        names[one["labelTag"]] = "" if one["labelTag"] in UNSET_TAGS else name
    return names


def sessions(parts: Iterable[Part], labels: dict[Path, dict[int, str]]) -> list[Recording]:
    """Return the recordings that files are parts of.

    Args:
        labels: names of tags, by the file they are from: the one of a recording's own name counts first.
    """
    found: dict[tuple[str, ...], list[Part]] = {}
    for part in parts:
        found.setdefault(part.power_on, []).append(part)
    recordings = []
    for members in [one for alike in found.values() for one in _in_a_row(alike)]:
        profiles: dict[int, Profile] = {}
        cycles: dict[int, tuple[int, int]] = {}
        names: dict[int, str] = {}
        for part in members:
            of_sensor, rhythm = config_of(part.config, part.path.name)
            profiles |= of_sensor
            cycles |= rhythm
            names |= part.sensors
        rows = np.concatenate([part.rows for part in members])
        first = members[0].path
        name = stem_of(first, RAW) + (f" and {len(members) - 1} more" if len(members) > 1 else "")
        sources = [str(part.path) for part in members]
        tags = _labels_of(members, labels)
        day = day_of(rows, first)
        recordings.append(Recording(name, sources, rows, tags, profiles, cycles, names, day, first.parent.name))
    return recordings


def _in_a_row(parts: list[Part]) -> list[list[Part]]:
    """Return files of one power-on as sessions: numbers and times rise within one."""
    parts.sort(key=lambda part: (part.number, part.path.name))
    found: list[list[Part]] = []
    for part in parts:
        before = [one for one in found if one[-1].number < part.number and _ends(one[-1]) <= _begins(part)]
        if before:
            max(before, key=lambda one: _ends(one[-1])).append(part)
        else:
            found.append([part])
    return found


def _begins(part: Part) -> float:
    return float(part.rows["time_ms"].min()) if len(part.rows) else 0.0


def _ends(part: Part) -> float:
    return float(part.rows["time_ms"].max()) if len(part.rows) else 0.0


def _labels_of(members: list[Part], labels: dict[Path, dict[int, str]]) -> dict[int, str]:
    """Return the names of a session's tags: of files of its own names, else of its folder, else of all."""
    own: dict[int, str] = {}
    stems = {stem_of(part.path, RAW) for part in members}
    for near in (
        lambda path: stem_of(path, path.suffix) in stems and path.parent == members[0].path.parent,
        lambda path: path.parent == members[0].path.parent,
        lambda path: True,
    ):
        for path in sorted(labels, key=lambda p: (p.suffix == LABELS, p.name)):
            if near(path):
                own |= labels[path]
        if own:
            return own
    return own


def day_of(rows: np.ndarray, path: Path) -> str:
    """Return the day of a recording: by its clock, or by its name, else ""."""
    clock = rows["clock_s"][(rows["clock_s"] > CLOCK_S[0]) & (rows["clock_s"] < CLOCK_S[1])]
    if len(clock):
        return datetime.datetime.fromtimestamp(float(clock[0]), datetime.UTC).date().isoformat()
    match = DATED_NAME.search(path.name)
    return "-".join(match.groups()) if match else ""
