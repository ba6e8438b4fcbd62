"""A node with a thermal array, on both ports: its readings, its frames on the console, its log, and its faults."""

from array import array
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from circuitpython_node import Node
from dibble import ModelError
from dibble.classifier import Classifier
from dibble.inference.decision import NO_CLASS, SENSOR_FAULT
from dibble.senses.heat import Heat
from dibble_tools.common.errors import InputError
from dibble_tools.console.frames import Assembler
from dibble_tools.deploy.checks import Bounds, check_together
from dibble_tools.families.maps.tables import Frame, MapLayer, MapsTables
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.maps_file import export_maps, maps_spec
from dibble_tools.node.config import whole
from dibble_tools.node.console_lines import FrameRow, LineReader, Row
from dibble_tools.node.record_log import read_folder
from dibble_tools.simulator.devices.amg8833 import Amg8833
from dibble_tools.simulator.devices.mlx90640 import Mlx90640

MINUTE = 60
HEAP = "256wk"  # sources, compiled on the board
ARRAYS = {"amg8833": (0x69, Amg8833, (8, 8)), "mlx90640_raw": (0x33, Mlx90640, (24, 32))}


def without_model(folder):
    (folder / "model.dib").unlink()


def network(rows, columns, hysteresis=1):
    """Return a model of random weights over frames: a convolution of 3 x 3, and three classes."""
    rng = np.random.default_rng(rows)
    units = 4
    weights = rng.integers(-127, 128, (units, 3, 3, 1))
    layer = MapLayer("conv", (0,), weights, (2000,) * units, (8,) * units, kernel=(3, 3), stride=(2, 2))
    frame = Frame(rows, columns, 1, True, -20, 24, 3)
    height, width, _ = layer.out_shape(frame.shape)
    last = rng.integers(-9, 10, (3, height, width, units))
    least = int(-np.minimum(last, 0).reshape(3, -1).sum(1).min()) * 255
    end = MapLayer("conv", (1,), last, (least,) * 3, (6,) * 3, kernel=(height, width))
    spec = maps_spec("eye", ("nobody", "deer", "dog"), MapsTables(frame, [layer, end]))
    return HostModel(export_maps(replace(spec, hysteresis=hysteresis)))


def live(folder, driver, minutes, port="circuitpython", model=None, **settings):
    """Return the node after so long; somebody stands in view from the fifth minute on."""
    address, device, _ = ARRAYS[driver]
    sensor = {"driver": driver, "frames": 2, **settings}

    def finish(drive):
        if model is None:
            without_model(drive)
        else:
            model.save(drive / "model.dib")

    node = Node(folder, port, config={"sensors": [sensor], "actions": []}, finish=finish, heap=HEAP)
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


@pytest.mark.parametrize(("driver", "port"), [("mlx90640_raw", "micropython"), ("amg8833", "circuitpython")])
def test_a_network_decides_on_what_the_array_sees_as_the_host_does(tmp_path, driver, port):
    model = network(*ARRAYS[driver][2])
    node = live(tmp_path / "drive", driver, 8, port, model, frames=1)
    rows, frames = said(node)
    assert len(frames) == len(rows) == 8
    found = model.decide(np.array([frame.pixels.ravel() for frame in frames], dtype=np.int64), None)
    assert [(row.class_name, row.margin, row.flags) for row in rows] == [
        (model.classes[index], margin, flags)
        for index, margin, flags in zip(found.class_index, found.margin, found.flags, strict=True)
    ]
    assert len({row.margin for row in rows}) > 2


def test_a_network_of_another_size_isnt_used():
    eye = SimpleNamespace(driver=SimpleNamespace(heat=Heat(8, 8, 6)), fault="", looked=True)
    sensors = SimpleNamespace(names=[], units=[], values=array("i"), hears=False, all=[eye])
    with pytest.raises(ModelError, match="expected a thermal array of 24 x 32 pixels, as the model sees, got none"):
        Classifier(network(24, 32).blob, sensors, 60_000)
    classifier = Classifier(network(8, 8).blob, sensors, 60_000)
    assert classifier.decide(None).flags == 0
    eye.fault = "silent"
    assert (classifier.decide(None).flags, classifier.decide(None).class_index) == (SENSOR_FAULT, NO_CLASS)


def test_what_a_network_saw_counts_once_though_cycles_pass_in_which_the_array_is_not_read():
    model = network(8, 8, hysteresis=2)
    eye = SimpleNamespace(driver=SimpleNamespace(heat=Heat(8, 8, 6)), fault="", looked=True)
    sensors = SimpleNamespace(names=[], units=[], values=array("i"), hears=False, all=[eye])
    classifier = Classifier(model.blob, sensors, 60_000)
    frames = np.random.default_rng(0).integers(-20, 90, (200, 64))
    found = model.decide(frames, None)
    first = int(found.class_index[0])
    other = int(np.flatnonzero((found.class_index != first) & (found.flags == 0))[0])

    def look(frame):
        eye.driver.heat.above[:] = array("h", frame.tolist())
        return classifier.decide(None)

    assert [look(frames[0]).held_index for _ in range(2)] == [NO_CLASS, first]
    assert look(frames[other]).class_index == found.class_index[other]
    eye.looked = False
    assert [classifier.decide(None).held_index for _ in range(3)] == [first] * 3
    eye.looked = True
    assert look(frames[other]).held_index == found.class_index[other]


@pytest.mark.parametrize(
    ("sensors", "said"),
    [
        ([{"driver": "amg8833"}], None),
        ([{"driver": "mlx90640_raw"}], "frames of 8 x 8 x 1: expected a thermal array of that size .*, got 24 x 32"),
        ([{"driver": "sht4x"}], "frames of 8 x 8 x 1: expected a thermal array of that size .*, got none"),
    ],
)
def test_a_deploy_wants_an_array_of_the_models_size(sensors, said):
    config = whole({"interval_s": 60, "i2c": {"sda": 4, "scl": 5}, "sensors": sensors})
    bounds = Bounds(1 << 20, 8000, "micropython")
    if said is None:
        check_together(config, bounds, network(8, 8), {})
        return
    with pytest.raises(InputError, match=said):
        check_together(config, bounds, network(8, 8), {})
