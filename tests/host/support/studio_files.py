"""Files as BME AI-Studio and its kits write them, small: recordings, labels, configurations, a project.db."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

HP354 = [[320, 5], [100, 2], [100, 10], [100, 30], [200, 5], [200, 5], [200, 5], [320, 5], [320, 5], [320, 5]]
KEYS = (
    "sensor_index",
    "sensor_id",
    "timestamp_since_poweron",
    "real_time_clock",
    "temperature",
    "pressure",
    "relative_humidity",
    "resistance_gassensor",
    "heater_profile_step_index",
    "scanning_enabled",
    "scanning_cycle_index",
    "label_tag",
    "error_code",
)
SCAN_MS = 10780


def row(sensor: int, ms: int, step: int, *, ohm: float = 1e5, tag: int = 1001, error: int = 0, clock: int = 0) -> dict:
    """Return one row by its keys."""
    values = (sensor, 9000 + sensor, ms, clock, 24.5, 1012.25, 45.5, ohm, step, 1, 1, tag, error)
    return dict(zip(KEYS, values, strict=True))


def scan(sensor: int, start_ms: int, *, tag: int = 1001, steps: Iterable[int] = range(10), level: float = 1e5) -> list:
    """Return the rows of one scan; the resistance doubles from step to step."""
    return [row(sensor, start_ms + 1000 * step, step, ohm=level * 2**step, tag=tag) for step in steps]


def interleaved(*sensors: Sequence[dict]) -> list[dict]:
    """Return rows of several sensors by their times."""
    return sorted((one for rows in sensors for one in rows), key=lambda one: one["timestamp_since_poweron"])


def raw_table(
    rows: Sequence[dict],
    *,
    keys: Sequence[str] = KEYS,
    profiles: dict[int, list] | None = None,
    duty: tuple[int, int] = (1, 0),
    seed: str = "abc",
    number: int = 1,
    vectors: Callable[[list], Any] = lambda steps: steps,
) -> dict[str, Any]:
    """Return a `.bmerawdata` as an object."""
    of_sensor = profiles or dict.fromkeys(range(8), HP354)
    named = {
        json.dumps(steps): f"heater_{i}"
        for i, steps in enumerate({json.dumps(s): s for s in of_sensor.values()}.values())
    }
    return {
        "configHeader": {"boardType": "board_8", "somethingNew": True},
        "configBody": {
            "heaterProfiles": [
                {"id": name, "timeBase": 140, "temperatureTimeVectors": vectors(json.loads(steps))}
                for steps, name in named.items()
            ],
            "dutyCycleProfiles": [{"id": "duty_1", "numberScanningCycles": duty[0], "numberSleepingCycles": duty[1]}],
            "sensorConfigurations": [
                {"sensorIndex": sensor, "heaterProfile": named[json.dumps(steps)], "dutyCycleProfile": "duty_1"}
                for sensor, steps in of_sensor.items()
            ],
        },
        "rawDataHeader": {
            "counterPowerOnOff": 1,
            "seedPowerOnOff": seed,
            "counterFileLimit": number,
            "boardId": "B1",
        },
        "rawDataBody": {
            "dataColumns": [{"name": key.title(), "key": key, "colId": i + 1} for i, key in enumerate(keys)],
            "dataBlock": [[one[key] for key in keys] for one in rows],
        },
    }


def write_raw(path: Path, rows: Sequence[dict], **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(raw_table(rows, **how)))
    return path


def write_labels(path: Path, names: Sequence[tuple[int, str, str]]) -> Path:
    """Write a `.bmelabelinfo`: (tag, name, description) in their order, after the kit's own."""
    standard = [
        (0, "Initial", "Standard label for no label has been set"),
        (1, "Button 1", "Standard label for hardware"),
    ]
    entries = [
        {"labelTag": tag, "labelName": name, "labelDescription": said} for tag, name, said in [*standard, *names]
    ]
    path.write_text(json.dumps({"labelInfoHeader": {}, "labelInformation": entries}))
    return path


def write_project(path: Path) -> Path:
    """Write a project.db: two sessions; Air and Coffee by one algorithm, of copies; a cycle that was dropped."""
    db = sqlite3.connect(path)
    db.executescript(
        """
        CREATE TABLE measurement_sessions (id INTEGER PRIMARY KEY, uuid TEXT, name TEXT, board_id TEXT);
        CREATE TABLE sensors (id INTEGER PRIMARY KEY, idx INTEGER);
        CREATE TABLE heater_profiles (id INTEGER PRIMARY KEY, uid TEXT, name TEXT, time_base INTEGER, steps TEXT);
        CREATE TABLE duty_cycle_profiles (id INTEGER PRIMARY KEY, scanning_cycles INTEGER, sleeping_cycles INTEGER);
        CREATE TABLE board_configs (id INTEGER PRIMARY KEY, measurement_session_id INTEGER);
        CREATE TABLE sensor_configs (board_config_id INTEGER, sensor_id INTEGER, heater_profile_id INTEGER,
            duty_cycle_profile_id INTEGER);
        CREATE TABLE cycles (id INTEGER PRIMARY KEY, dropped INTEGER, sensor_id INTEGER,
            measurement_session_id INTEGER);
        CREATE TABLE specimen_data_points (id INTEGER PRIMARY KEY, time INTEGER, gas_resistance REAL, temperature REAL,
            pressure REAL, humidity REAL, initial_real_time INTEGER, cycle_step_index INTEGER, error_code INTEGER,
            cycle_id INTEGER);
        CREATE TABLE specimen_data (id INTEGER PRIMARY KEY, uuid TEXT, name TEXT, start_time INTEGER, end_time INTEGER,
            clone_of_uuid TEXT, measurement_session_id INTEGER);
        CREATE TABLE algorithms (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE specimen_classes (id INTEGER PRIMARY KEY, name TEXT, algorithm_id INTEGER);
        CREATE TABLE specimen_classes_specimen_data (id INTEGER PRIMARY KEY, specimen_class_id INTEGER,
            specimen_data_id INTEGER);
        CREATE TABLE neural_nets (id INTEGER PRIMARY KEY, algorithm_id INTEGER, accuracy REAL, f1_score REAL,
            confusion_matrix TEXT);
        INSERT INTO duty_cycle_profiles VALUES (1, 1, 0);
        INSERT INTO algorithms VALUES (1, 'nose');
        INSERT INTO specimen_classes VALUES (1, 'Air', 1), (2, 'Coffee', 1);
        INSERT INTO neural_nets VALUES (1, 1, 0.75, 0.7, '[[3, 1], [1, 3]]');
        """
    )
    steps = json.dumps([{"temperature": celsius, "duration": units} for celsius, units in HP354])
    db.execute("INSERT INTO heater_profiles VALUES (1, 'heater_354', 'HP-354', 140, ?)", (steps,))
    point = 0
    for session, name in ((1, "morning"), (2, "evening")):
        db.execute("INSERT INTO measurement_sessions VALUES (?, ?, ?, 'B1')", (session, f"m{session}", name))
        db.execute("INSERT INTO board_configs VALUES (?, ?)", (session, session))
        db.execute("INSERT INTO sensors VALUES (?, 3)", (session,))
        db.execute("INSERT INTO sensor_configs VALUES (?, ?, 1, 1)", (session, session))
        for cycle in range(6):
            key = session * 100 + cycle
            db.execute("INSERT INTO cycles VALUES (?, ?, ?, ?)", (key, cycle == 5, session, session))
            for one in scan(3, cycle * SCAN_MS):
                point += 1
                db.execute(
                    "INSERT INTO specimen_data_points VALUES (?, ?, ?, 20, 1000, 50, 1780000000, ?, 0, ?)",
                    (
                        point,
                        one["timestamp_since_poweron"],
                        one["resistance_gassensor"],
                        one["heater_profile_step_index"],
                        key,
                    ),
                )
        for half, label in enumerate(("fresh air", "beans")):
            uuid, start = f"s{session}{half}", half * 3 * SCAN_MS
            ends = (start, start + 3 * SCAN_MS - 1)
            db.execute(
                "INSERT INTO specimen_data VALUES (?, ?, ?, ?, ?, NULL, ?)",
                (session * 10 + half, uuid, label, *ends, session),
            )
            copy = session * 10 + half + 5
            db.execute(
                "INSERT INTO specimen_data VALUES (?, ?, ?, ?, ?, ?, ?)",
                (copy, f"c{copy}", label, *ends, uuid, session),
            )
            db.execute("INSERT INTO specimen_classes_specimen_data VALUES (NULL, ?, ?)", (half + 1, copy))
    db.commit()
    db.close()
    return path
