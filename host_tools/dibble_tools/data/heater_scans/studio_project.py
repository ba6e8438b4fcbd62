"""AI-Studio's `project.db`, a SQLite file: its sessions as recordings, and what its own network came to."""

import json
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dibble_tools.common.errors import InputError, reason_of
from dibble_tools.data.heater_scans.profiles import UNKNOWN, Profile, steps_of_vectors
from dibble_tools.data.heater_scans.rawdata import count_of, day_of, number_of
from dibble_tools.data.heater_scans.recording import NO_CYCLE, ROW, Recording

MAGIC = b"SQLite format 3\0"
UNSET = "Initial"  # what a specimen is called before anybody names it
TABLES = ("measurement_sessions", "sensors", "cycles", "specimen_data_points", "specimen_data")


@dataclass(frozen=True)
class StudioNetwork:
    """What AI-Studio's own classifier reached, on rows drawn at random.

    Attributes:
        accuracy, f1_score: shares.
        confusion: rows are what it was.
    """

    name: str
    accuracy: float
    f1_score: float
    confusion: list[list[int]]


def read_project(path: Path) -> tuple[list[Recording], list[StudioNetwork]]:
    """Return a project's sessions and networks; path: of project.db, or of the folder that holds it.

    A specimen's class is that of the algorithm with the most classes; specimens in no class keep their own name.
    Copies that AI-Studio makes of specimens are skipped.

    Raises:
        InputError: it isn't a project of AI-Studio.
    """
    path = path / "project.db" if path.is_dir() else path
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError as error:
        raise InputError(f"{path}: expected AI-Studio's project.db, got: {reason_of(error)}") from None
    if start != MAGIC:
        raise InputError(f"{path.name}: expected AI-Studio's project.db, a SQLite database, got another file")
    with tempfile.TemporaryDirectory(prefix="dibble-") as name:
        copy = Path(name) / "project.db"
        shutil.copyfile(path, copy)
        log = path.with_name(path.name + "-wal")  # what AI-Studio hasn't written back yet
        if log.is_file():
            shutil.copyfile(log, copy.with_name("project.db-wal"))
        connection = sqlite3.connect(copy)
        connection.row_factory = sqlite3.Row
        try:
            return _recordings(connection, path), _networks(connection)
        except sqlite3.Error as error:
            raise InputError(f"{path.name}: expected AI-Studio's project.db, got another database: {error}") from None
        finally:
            connection.close()


def _recordings(db: sqlite3.Connection, path: Path) -> list[Recording]:
    there = {row["name"] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if missing := [name for name in TABLES if name not in there]:
        raise InputError(
            f"{path.name}: expected AI-Studio's project.db with the table {missing[0]}, got the tables "
            f"{', '.join(sorted(there)[:8]) or 'none'}"
        )
    classes = _classes(db)
    found = []
    for session in db.execute("SELECT id, name, board_id FROM measurement_sessions ORDER BY id").fetchall():
        rows = _rows(db, session["id"])
        if not len(rows):
            continue
        specimens = db.execute(
            "SELECT uuid, name, start_time, end_time FROM specimen_data "
            "WHERE measurement_session_id = ? AND clone_of_uuid IS NULL ORDER BY start_time",
            (session["id"],),
        ).fetchall()
        labels = {}
        for tag, specimen in enumerate(specimens, start=1):
            start, end = number_of(specimen["start_time"]), number_of(specimen["end_time"])
            rows["tag"][(rows["time_ms"] >= start) & (rows["time_ms"] <= end)] = tag
            name = " ".join(str(specimen["name"] or "").split())
            labels[tag] = classes.get(specimen["uuid"]) or ("" if name == UNSET else name)
        profiles, cycles = _sensors(db, session["id"], path.name)
        board = str(session["board_id"] or "")
        numbers = np.unique(rows["sensor"]).tolist()
        names = {index: f"{board + '-' if board else ''}{index}" for index in numbers}
        day = day_of(rows, path)
        title = str(session["name"] or f"session {session['id']}")
        recording = Recording(title, [str(path)], rows, labels, profiles, cycles, names, day, path.parent.name)
        found.append(recording)
    if not found:
        raise InputError(f"{path.name}: expected sessions with data points, got a project without any")
    return found


def _rows(db: sqlite3.Connection, session: int) -> np.ndarray:
    """Return a session's rows; those of a cycle that AI-Studio dropped have an error."""
    cells = db.execute(
        "SELECT se.idx, p.time, p.initial_real_time, p.temperature, p.pressure, p.humidity, p.gas_resistance, "
        "p.cycle_step_index, max(p.error_code, c.dropped), 0, ? FROM specimen_data_points p "
        "JOIN cycles c ON c.id = p.cycle_id JOIN sensors se ON se.id = c.sensor_id "
        "WHERE c.measurement_session_id = ? ORDER BY p.time, p.id",
        (NO_CYCLE, session),
    ).fetchall()
    rows = np.zeros(len(cells), ROW)
    for place, name in enumerate(ROW.names or ()):
        values = np.array([number_of(row[place]) for row in cells], dtype=np.float64)
        rows[name] = values if ROW[name] == np.float64 else np.nan_to_num(values)
    return rows


def _classes(db: sqlite3.Connection) -> dict[str, str]:
    """Return the class of each original specimen by its uuid."""
    try:
        links = db.execute(
            "SELECT coalesce(s.clone_of_uuid, s.uuid) AS original, c.name, "
            "(SELECT count(*) FROM specimen_classes k WHERE k.algorithm_id = c.algorithm_id) AS classes "
            "FROM specimen_classes_specimen_data l JOIN specimen_classes c ON c.id = l.specimen_class_id "
            "JOIN specimen_data s ON s.id = l.specimen_data_id ORDER BY classes, l.id"
        ).fetchall()
    except sqlite3.Error:
        return {}  # an older project: specimens have names only
    return {row["original"]: " ".join(str(row["name"] or "").split()) for row in links}


def _sensors(db: sqlite3.Connection, session: int, where: str) -> tuple[dict[int, Profile], dict[int, tuple[int, int]]]:
    rows = db.execute(
        "SELECT se.idx, h.uid, h.name, h.time_base, h.steps, d.scanning_cycles, d.sleeping_cycles "
        "FROM sensor_configs sc JOIN board_configs b ON b.id = sc.board_config_id "
        "JOIN sensors se ON se.id = sc.sensor_id "
        "LEFT JOIN heater_profiles h ON h.id = sc.heater_profile_id "
        "LEFT JOIN duty_cycle_profiles d ON d.id = sc.duty_cycle_profile_id WHERE b.measurement_session_id = ?",
        (session,),
    ).fetchall()
    profiles, cycles = {}, {}
    for row in rows:
        steps = steps_of_vectors(row["steps"], row["time_base"], where) if row["steps"] else UNKNOWN.steps
        index = count_of(row["idx"], 0)
        profiles[index] = Profile(str(row["uid"] or row["name"]), steps)
        cycles[index] = (count_of(row["scanning_cycles"], 1), count_of(row["sleeping_cycles"], 0))
    return profiles, cycles


def _networks(db: sqlite3.Connection) -> list[StudioNetwork]:
    try:
        rows = db.execute(
            "SELECT a.name, n.accuracy, n.f1_score, n.confusion_matrix FROM neural_nets n "
            "JOIN algorithms a ON a.id = n.algorithm_id WHERE n.accuracy IS NOT NULL ORDER BY n.id"
        ).fetchall()
    except sqlite3.Error:
        return []
    found = []
    for row in rows:
        try:
            confusion: Any = json.loads(row["confusion_matrix"] or "[]")
        except ValueError:
            confusion = []
        name, accuracy, f1_score = str(row["name"] or "unnamed"), number_of(row["accuracy"]), number_of(row["f1_score"])
        found.append(StudioNetwork(name, accuracy, f1_score, confusion))
    return found
