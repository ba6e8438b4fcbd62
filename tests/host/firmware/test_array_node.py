"""A node with a thermal array, on both ports: its readings, its frames on the console, its log, and its faults."""

import numpy as np
import pytest
from circuitpython_node import Node
from dibble_tools.console.frames import Assembler
from dibble_tools.node.console_lines import FrameRow, LineReader, Row
from dibble_tools.node.record_log import read_folder
from dibble_tools.simulator.devices.amg8833 import Amg8833
from dibble_tools.simulator.devices.mlx90640 import Mlx90640

MINUTE = 60
ARRAYS = {"amg8833": (0x69, Amg8833, (8, 8)), "mlx90640_raw": (0x33, Mlx90640, (24, 32))}


def without_model(folder):
    (folder / "model.dib").unlink()


def live(folder, driver, minutes, port="circuitpython", **settings):
    """Return the node after so long; somebody stands in view from the fifth minute on."""
    address, device, _ = ARRAYS[driver]
    sensor = {"driver": driver, "frames": 2, **settings}
    node = Node(folder, port, config={"sensors": [sensor], "actions": []}, finish=without_model)
    array = device(lambda: node.hardware.now_us)
    start_us = node.hardware.now_us

    def scene(row, column):
        here = node.hardware.now_us - start_us > 5 * MINUTE * 1_000_000
        return 31.0 if here and abs(row - 0.5) < 0.25 and column > 0.7 else 18.0

    array.scene = scene
    node.hardware.i2c[address] = array
    node.array = array
    node.live(minutes * MINUTE)
    return node


def said(node):
    """Return the rows and the whole frames that a node said."""
    reader, assembler = LineReader(), Assembler()
    rows, frames = [], []
    for line in reader.feed(node.vm.console):
        if isinstance(line, Row):
            rows.append(line)
        elif isinstance(line, FrameRow) and (frame := assembler.take(line)):
            frames.append(frame)
    assert assembler.torn == 0
    return rows, frames


@pytest.mark.parametrize(("driver", "port"), [("amg8833", "micropython"), ("mlx90640_raw", "circuitpython")])
def test_a_node_tells_of_somebody_and_writes_every_other_frame(tmp_path, driver, port):
    node = live(tmp_path / "drive", driver, 10, port)
    rows, frames = said(node)
    assert len(rows) == 10 and not node.events("fault")
    assert [row.readings["warm_permille"] > 0 for row in rows] == [False] * 5 + [True] * 5
    assert [frame.sequence for frame in frames] == [2, 4, 6, 8, 10]
    size = ARRAYS[driver][2]
    assert all(frame.pixels.shape == size for frame in frames)
    for frame in frames:
        row = rows[frame.sequence - 1]
        assert frame.pixels.max() * frame.step == row.readings[f"warm_max_{frame.unit}"]
        place = np.unravel_index(frame.pixels.argmax(), size)
        told = [row.readings[f"warm_{side}_permille"] for side in ("row", "column")]
        assert told == [at * 1000 // (most - 1) for at, most in zip(place, size, strict=True)]
    node.vm.extract("/log", tmp_path / "log")
    records = read_folder(tmp_path / "log")
    assert records.damage == [] and [list(one.readings) for one in records.rows] == [
        list(row.readings.values()) for row in rows
    ]


def test_an_array_that_falls_silent_is_a_fault_without_a_frame(tmp_path):
    node = live(tmp_path / "drive", "amg8833", 4, "micropython")
    node.array.absent = True
    before = len(said(node)[1])
    node.end_us += 4 * MINUTE * 1_000_000
    node.live(4 * MINUTE)
    rows, frames = said(node)
    assert "expected an answer at I2C 0x69, got" in " ".join(node.events("fault"))
    assert len(frames) == before and rows[-1].readings["warm_permille"] is None
