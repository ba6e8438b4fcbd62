"""How models/who_is_there is made: `python -m dibble_tools.demo.gate_model`, of a simulated thermal array.

Six gates of the simulated orchard, each of its own stone, array and visitors, are watched through the node's own
driver every five seconds; one gate is held out. No measured reading is in it: it shows how an array is used.
"""

import csv
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from dibble.drivers import channels_of, driver

from dibble_tools.data.frames import Frames, write_frames
from dibble_tools.data.prepare import DataOptions
from dibble_tools.model.limits import Limits
from dibble_tools.simulator.devices.amg8833 import Amg8833
from dibble_tools.simulator.node.bus import SimBus, VirtualClock
from dibble_tools.simulator.orchard.visitors import Visitors
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.train import train

SETTINGS = {"driver": "amg8833", "channels": (), "address": 0x69, "warm_centi_c": 150, "blocks": True, "frames": 0}
EVERY_S = 5
HOURS = 3  # of each gate, from so many hours of its day on
BEGINS_H = (4, 7, 10, 13, 16, 20)
MOST_BYTES = 1024
BUDGET_S = 60.0
NOTE = "simulated: no measured reading is in it; it shows how an array is used, and knows no real deer"


def watch(gate: int, begins_h: float, hours: float) -> tuple[list[str], list[list[str]], Frames]:
    """Return what an array at a gate tells: columns, rows and frames."""
    clock = VirtualClock(int(begins_h * 3600e6))
    device = Amg8833(clock.now_us, gate)
    visitors = Visitors(gate)

    def air_c() -> float:
        return 14 + 8 * float(np.sin(2 * np.pi * (clock.now_us() / 3.6e9 - 9) / 24))

    device.scene = lambda row, column: visitors.celsius(clock.now_us() / 1e6, air_c(), row, column)
    module = driver("amg8833")
    array = module.build(SETTINGS, SimpleNamespace(sleep_ms=clock.sleep_ms), SimBus({0x69: device}))
    clock.sleep_ms(20_000)
    array.start()
    (given,), _ = channels_of([SETTINGS])
    columns = ["time", "gate", *(name for name, _ in given), "label"]
    rows, pixels = [], []
    for i in range(int(hours * 3600 / EVERY_S)):
        clock.sleep_ms(EVERY_S * 1000)
        device.array_c = air_c() + 2
        readings = array.read()
        now_s = clock.now_us() / 1e6
        when = f"2026-06-{gate + 1:02d} {int(now_s) // 3600 % 24:02d}:{int(now_s) // 60 % 60:02d}:{int(now_s) % 60:02d}"
        if i:  # the first frame is the background
            rows.append([when, f"gate {gate}", *map(str, readings), visitors.kind(now_s)])
            pixels.append(np.array(array.heat.above, dtype=np.int16).reshape(module.ROWS, module.COLUMNS))
    labels, times, nodes = ([row[i] for row in rows] for i in (-1, 0, 1))
    frames = Frames(
        np.stack(pixels), labels, times, nodes, [str(gate)] * len(rows), "amg8833", module.UNIT, module.STEP_CENTI_C
    )
    return columns, rows, frames


def make(folder: Path, table: Path, hours: float = HOURS, budget_s: float = BUDGET_S) -> dict[str, Any]:
    """Write rows, frames beside them, the model and its card; return the card.

    Args:
        table: CSV to write; the frames go to an .npz of the same name.
    """
    all_rows: list[list[str]] = []
    all_frames: Frames | None = None
    for gate, begins_h in enumerate(BEGINS_H):
        columns, rows, frames = watch(gate, begins_h, hours)
        all_rows += rows
        all_frames = all_frames.joined(frames) if all_frames else frames
    assert all_frames
    with table.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([columns, *all_rows])
    write_frames(table.with_suffix(".npz"), all_frames)
    ignored = ("time", "array_temperature_centi_c", "frame_min_centi_c", "frame_max_centi_c", "frame_mean_centi_c")
    data = DataOptions(label="label", group="gate", ignore=ignored)
    options = TrainOptions(
        data, name="who_is_there", limits=Limits(max_bytes=MOST_BYTES), budget_s=budget_s, refit=False
    )
    trained = train(table, options)
    trained.card["data"] |= {"source": "dibble's simulated orchard"}
    trained.card["notes"] = [NOTE, *trained.card["notes"]]
    trained.save(folder)
    return trained.card


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        where = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(temporary) / "gate.csv"
        made = make(Path(sys.argv[1] if len(sys.argv) > 1 else "models/who_is_there"), where)
        print(made["model"], made["held_out"]["integer_model"])
