"""A labelled CSV of simulated readings, for a grower who has none yet.

It can't be taken for measured data: each row says simulated = 1 (`dibble train` leaves out a column that never
changes, and says so), and each node's name begins with "simulated".
"""

import csv
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dibble_tools.common.errors import InputError
from dibble_tools.simulator.orchard.noise import Sensors
from dibble_tools.simulator.orchard.soil_water import Soil, soil_named
from dibble_tools.simulator.orchard.truth import RIPENING_PPB, Field, state_of
from dibble_tools.simulator.orchard.weather import HOUR_S, STATIONS, UTC_OFFSET_H, YEAR_START_S

CHANNELS = (
    "soil_moisture_permille",
    "ethylene_ppb",
    "wind_speed_cm_s",
    "air_temperature_centi_c",
    "humidity_permille",
)
CHEAP_CHANNELS = ("air_temperature_centi_c", "humidity_permille", "soil_moisture_permille", "wind_speed_cm_s")
GATE_CHANNELS = (*CHEAP_CHANNELS, "ethylene_ppb")  # the last as it was last read
COLUMNS = {"state": CHANNELS, "gate": GATE_CHANNELS}  # by label
LOOK, SKIP = "look", "skip"
LOOK_FACTOR = 2.0
HELD_S = (600, 6 * HOUR_S)  # how long a reading of ethylene is kept in the gate's file
SOIL_SPREAD = 0.02  # standard deviation of field capacity and wilting point within one orchard, a share
WATERING_HOUR = 6  # local
LATE_DAYS = (0, 0, 0, 1, 1, 2, 4)  # between the day a grower should water and the day he does
WATERED_SHARE = (0.6, 1.0)  # of the depletion
WATERING_MM_H = 5.0


def write_field_csv(
    path: Path,
    *,
    days: int = 365,
    seed: int = 0,
    nodes: int = 9,
    interval_s: int = 600,
    soil: str = "loam",
    start_s: int = YEAR_START_S,
    label: str = "state",
) -> None:
    """Write time, node, readings, simulated and the label, a row an interval and node.

    Args:
        nodes: how many; they differ in station, sensors, batches of fruit, grower, and a little in soil.
        soil: a name in SOILS.
        start_s: seconds since 1970.
        label: "state", the field's state, over CHANNELS; or "gate", over GATE_CHANNELS: look where a reading of
            ethylene could change the decision: see gate_of. There a reading of it is kept for HELD_S, as chance has
            it: what a node knows before it reads again.
    """
    if label not in COLUMNS:
        raise InputError(f"expected a label of {', '.join(COLUMNS)}; got {label!r}")
    if days < 1 or nodes < 1 or interval_s < 1:
        raise InputError(f"expected 1 or more days, nodes and seconds; got {days}, {nodes} and {interval_s}")
    columns = COLUMNS[label]
    texture = soil_named(soil)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time", "node", *columns, "simulated", label])
        for node in range(nodes):
            keeper = _Keeper(seed, node)
            for field, readings in _season(node, days, seed, interval_s, texture, start_s):
                if label == "gate":
                    readings["ethylene_ppb"] = keeper.last(field.now_s, readings["ethylene_ppb"])
                moment = datetime.fromtimestamp(field.now_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                wanted = field.state if label == "state" else gate_of(field)
                writer.writerow([moment, f"simulated-{node + 1}", *(readings[name] for name in columns), 1, wanted])


def gate_of(field: Field) -> str:
    """Return whether a reading of ethylene could change the decision of this moment.

    It could where the store holds fruit, its ethylene lies within LOOK_FACTOR of the threshold, and no state applies
    that comes before ripening.
    """
    without = state_of({**field.margins(), "ripening": -1.0})
    near = RIPENING_PPB / LOOK_FACTOR <= field.ethylene_ppb <= RIPENING_PPB * LOOK_FACTOR
    return LOOK if without == "ok" and near and field.store.batches else SKIP


class _Keeper:
    """Keeps a reading for a while that chance decides."""

    def __init__(self, seed: int, node: int) -> None:
        self._random = random.Random(f"keeper {seed} {node}")
        self._until_s = -1.0
        self._kept = 0

    def last(self, now_s: float, reading: int) -> int:
        """Return the reading kept, after taking this one where its time has come."""
        kept = self._kept
        if self._until_s < 0:
            kept = reading
        if now_s >= self._until_s:
            self._kept, self._until_s = reading, now_s + self._random.uniform(*HELD_S)
        return kept


class Grower:
    """Waters when the trees need it, now and then some days late."""

    def __init__(self, seed: int, node: int) -> None:
        self._random = random.Random(f"grower {seed} {node}")
        self._day: int | None = None
        self._left_days: int | None = None
        self._left_mm = 0.0

    def tend(self, field: Field, hours: float) -> None:
        """Do what is to do in the coming hours."""
        local_h = int(field.now_s // HOUR_S) + UTC_OFFSET_H
        if local_h % 24 >= WATERING_HOUR and local_h // 24 != self._day:
            self._day = local_h // 24
            self._plan(field)
        if self._left_mm > 0:
            mm = min(self._left_mm, WATERING_MM_H * hours)
            self._left_mm -= mm
            field.irrigate(mm)

    def _plan(self, field: Field) -> None:
        soil = field.soil
        if self._left_days is None and soil.depletion_mm > soil.readily_available_mm:
            self._left_days = self._random.choice(LATE_DAYS)
        elif self._left_days is not None:
            self._left_days -= 1
        if self._left_days == 0:
            self._left_days = None
            self._left_mm = max(0.0, soil.depletion_mm) * self._random.uniform(*WATERED_SHARE)


def _season(
    node: int, days: int, seed: int, interval_s: int, soil: Soil, start_s: int
) -> Iterator[tuple[Field, dict[str, int]]]:
    """Yield the field and its readings after each interval."""
    draw = random.Random(f"soil {seed} {node}")
    own = replace(
        soil,
        field_capacity=soil.field_capacity * (1 + draw.gauss(0, SOIL_SPREAD)),
        wilting_point=soil.wilting_point * (1 + draw.gauss(0, SOIL_SPREAD)),
    )
    field = Field(1000 * seed + node, own, list(STATIONS)[node % len(STATIONS)], start_s)
    sensors, grower = Sensors(seed, node, start_s), Grower(seed, node)
    for count in range(1, days * 86400 // interval_s + 1):
        grower.tend(field, interval_s / HOUR_S)
        field.advance(start_s + count * interval_s)
        yield field, sensors.read(field)
