"""Cameras on CircuitPython: recorded frames through stand-ins of espcamera and imagecapture, and what can go wrong."""

import importlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from circuitpython_node import Node
from dibble import ConfigError, SensorError
from dibble.drivers import driver
from dibble.drivers.camera import Camera as Eye
from dibble.senses.picture import Picture
from dibble_tools.common.errors import InputError
from dibble_tools.console.frames import Assembler, FrameStore, picture
from dibble_tools.data.labelled_frames import read_labelled
from dibble_tools.deploy.checks import Bounds, check_together
from dibble_tools.families.maps.tables import Frame, MapLayer, MapsTables
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.maps_file import export_maps, maps_spec
from dibble_tools.node.config import sensors_of, whole
from dibble_tools.node.console_lines import FrameRow, LineReader, Row
from dibble_tools.simulator.devices.camera import FRAME_US, Camera, Recorded
from dibble_tools.studio import view_model

LIBRARY = Path(__file__).parents[1] / "support" / "adafruit_ov7670.py"
HEAP = "256wk"
DATA = ",".join(f"GP{i}" for i in range(6, 14))
PINS = {"data": DATA, "pixel_clock": "GP14", "vsync": "GP15", "href": "GP16", "external_clock": "GP17"}
MINUTE = 60


def recorded(seed: int, height: int = 60, width: int = 80) -> Recorded:
    """Return a frame of areas in colours, by a seed."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (height // 10, width // 10, 3))
    return Recorded(height, width, np.kron(blocks, np.ones((10, 10, 1), int)).astype(np.uint8).tobytes())


def expected(frame: Recorded, rows: int, columns: int, colour: bool, high: int, wide: int) -> np.ndarray:
    """Return the codes of a picture: the oracle, in fractions of NumPy's integers.

    Args:
        high, wide: of the frame that the chip sends.
    """
    rgb = np.frombuffer(frame.rgb, np.uint8).reshape(frame.height, frame.width, 3).astype(np.int64)
    rgb = rgb[np.arange(high) * frame.height // high][:, np.arange(wide) * frame.width // wide]
    if not colour:
        rgb = (rgb @ [77, 150, 29] >> 8)[..., None]
        most = [255]
    else:
        rgb = rgb >> [3, 2, 3]
        most = [31, 63, 31]
    own_w, own_h = min(wide, high * columns // rows), min(high, wide * rows // columns)
    top, left = (high - own_h) // 2, (wide - own_w) // 2
    out = np.zeros((rows, columns, len(most)), np.int64)
    for r in range(rows):
        for c in range(columns):
            part = rgb[
                top + r * own_h // rows : top + (r + 1) * own_h // rows,
                left + c * own_w // columns : left + (c + 1) * own_w // columns,
            ]
            count = part.shape[0] * part.shape[1]
            sums = part.sum(axis=(0, 1))
            if colour:
                out[r, c] = [(s * 255 + (m * count >> 1)) // (m * count) for s, m in zip(sums, most, strict=True)]
            else:
                out[r, c] = (sums + (count >> 1)) // count
    return out


def network(rows, columns, depth, scaled=False):
    """Return a model of random weights over pictures: a convolution of 3 x 3, and three classes."""
    rng = np.random.default_rng(rows)
    weights = rng.integers(-127, 128, (4, 3, 3, depth))
    layer = MapLayer("conv", (0,), weights, (2000,) * 4, (8,) * 4, kernel=(3, 3), stride=(2, 2))
    frame = Frame(rows, columns, depth, scaled)
    height, width, _ = layer.out_shape(frame.shape)
    last = rng.integers(-9, 10, (3, height, width, 4))
    least = int(-np.minimum(last, 0).reshape(3, -1).sum(1).min()) * 255
    end = MapLayer("conv", (1,), last, (least,) * 3, (6,) * 3, kernel=(height, width))
    return HostModel(export_maps(maps_spec("eye", ("nobody", "deer", "dog"), MapsTables(frame, [layer, end]))))


@pytest.mark.parametrize("swapped", [True, False])
@pytest.mark.parametrize("colour", [True, False])
def test_a_picture_is_the_mean_of_its_parts(colour, swapped):
    frame = recorded(1)
    camera = Camera(lambda: 0, [frame])
    picture = Picture(8, 10, colour, 20)
    sent = camera.pixels(10_000_000, 60, 80, 16 if colour else 8)
    source = np.frombuffer(sent, "<u2" if swapped else ">u2").tolist() if colour else sent
    picture.take(source, 60, 80, 16 if colour else 8, swapped)
    assert (
        np.frombuffer(picture.codes, np.uint8).reshape(8, 10, -1).tolist()
        == expected(frame, 8, 10, colour, 60, 80).tolist()
    )


def test_grey_of_colours_is_what_they_look_like_together():
    picture = Picture(8, 8, False, 20)
    for rgb, grey in (((255, 255, 255), 255), ((255, 0, 0), 77), ((0, 255, 0), 149), ((0, 0, 255), 29)):
        word = (rgb[0] >> 3) << 11 | (rgb[1] >> 2) << 5 | rgb[2] >> 3
        picture.take([word] * 64, 8, 8, 16, False)
        assert set(picture.codes) == {grey}


def test_what_moves_is_seen_in_the_coarse_picture():
    picture = Picture(16, 16, False, 24)
    still, with_somebody = bytearray([90] * 256), bytearray([90] * 256)
    for r in range(4, 8):
        with_somebody[r * 16 + 4 : r * 16 + 8] = bytes([200] * 4)
    for _ in range(3):
        picture.take(still, 16, 16, 8, False)
        assert (picture.heat.warm_pixels, picture.heat.moved_pixels) == (0, 0)
    brighter = bytes(code + 30 for code in still)  # the exposure moves all of it
    picture.take(brighter, 16, 16, 8, False)
    assert (picture.heat.warm_pixels, picture.heat.moved_pixels) == (0, 0)
    picture.take(with_somebody, 16, 16, 8, False)
    assert picture.heat.warm_pixels == picture.heat.moved_pixels == 16


def test_a_frame_smaller_than_the_picture_is_told():
    eye = SimpleNamespace(take=lambda: bytes(24 * 96), height=24, width=96, bits=8, swapped=False)
    with pytest.raises(SensorError, match="camera's frame of 32 x 32 pixels or more, up to 1200 a side, got 24 x 96"):
        Eye(eye, None, whole_settings("esp_camera")).read()


def live(folder, driver_name, minutes, recordings, model=None, **named):
    """Return a CircuitPython node after so long, and its camera."""
    sensor = {"driver": driver_name, **PINS, "rows": 8, "columns": 8, **named}
    files = {"lib/adafruit_ov7670.py": LIBRARY.read_text()} if driver_name == "parallel_camera" else {}
    config = {"sensors": [sensor], "actions": []}

    def finish(drive):
        (drive / "model.dib").unlink()
        if model:
            model.save(drive / "model.dib")

    node = Node(folder, config=config, files=files, finish=finish, heap=HEAP)
    chip, address = ("ov7670", 0x21) if driver_name == "parallel_camera" else ("ov2640", 0x30)
    camera = Camera(lambda: node.hardware.now_us, recordings, chip=chip)
    node.hardware.camera = node.hardware.i2c[address] = camera
    node.camera = camera
    node.live(minutes * MINUTE)
    return node


def told(node: Node) -> list[list[str]]:
    """Return the readings of each decision's line."""
    return [line.split("*")[0].split(",")[-8:] for line in node.decisions()]


def check_seen(node: Node, frames: list[Recorded], colour: bool, high: int, wide: int) -> None:
    """Assert that each minute's reading is of that minute's frame, not of one that waited in a buffer."""
    assert node.events("fault") == [] and len(told(node)) == len(frames)
    for line, frame in zip(told(node), frames, strict=True):
        codes = expected(frame, 8, 8, colour, high, wide)
        coarse = (codes.sum(axis=2) + codes.shape[2] // 2) // codes.shape[2]
        assert [int(cell) for cell in line[:2]] == [coarse.min(), coarse.max()]


def test_an_esp32_sees_and_what_goes_wrong_is_told(tmp_path):
    frames = [recorded(seed) for seed in range(3)]
    node = live(tmp_path / "drive", "esp_camera", 3, frames)
    check_seen(node, frames, False, 96, 96)
    camera = node.camera
    number = (node.hardware.now_us - camera._start_us) // FRAME_US
    camera.missed = set(range(number, number + 15 * 65))  # for a minute no vertical sync
    node.live(2 * MINUTE)
    faults = node.events("fault")
    assert faults == ["esp_camera: expected a frame of the camera within 1000 ms, got none"]
    camera.absent = True
    node.live(2 * MINUTE)
    assert "expected a camera that answers, and its pins free, got: IDFError" in node.events("fault")[-1]
    assert told(node)[-1] == [""] * 8
    camera.absent = False
    camera.power_cycle()
    node.live(2 * MINUTE)
    assert "" not in told(node)[-1]


def test_an_rp2040_sees_and_what_goes_wrong_is_told(tmp_path):
    frames = [recorded(seed) for seed in range(3)]
    node = live(tmp_path / "drive", "parallel_camera", 3, frames, colour=True)
    check_seen(node, frames, True, 60, 80)
    camera = node.camera
    camera.absent = True
    node.live(2 * MINUTE)
    assert "expected a camera OV7670 that answers, and its pins free, got: OSError" in node.events("fault")[-1]
    camera.absent = False
    node.live(2 * MINUTE)
    assert "" not in told(node)[-1]
    camera.silent = True  # it answers, but sends no pixels: CircuitPython waits for ever
    assert node.live(3 * MINUTE) == "watchdog"


def test_without_psram_a_node_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("DIBBLE_LACKS", "psram")
    node = live(tmp_path / "drive", "esp_camera", 1, [recorded(1)])
    assert node.events("fault")[0].startswith("esp_camera: expected PSRAM for a frame of the camera, got none")


@pytest.fixture
def cameras(monkeypatch):
    """The port's cameras over a board of names, without any module of a camera."""
    pins = {f"GP{i}": object() for i in range(30)}
    stand_ins = {name: ModuleType(name) for name in ("analogio", "busio", "digitalio")}
    stand_ins["board"] = SimpleNamespace(CAMERA_DATA=tuple(pins.values())[:8], **pins)
    stand_ins["microcontroller"] = SimpleNamespace(Pin=object)
    stand_ins["supervisor"] = SimpleNamespace(ticks_ms=lambda: 0)
    for name, module in stand_ins.items():
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("circuitpython_pins", "circuitpython_time", "circuitpython_cameras"):
        monkeypatch.delitem(sys.modules, f"dibble.ports.{name}", raising=False)
    return importlib.import_module("dibble.ports.circuitpython_cameras")


def whole_settings(name, **settings):
    sensor = {"driver": name, **PINS, **settings}
    return whole({"interval_s": 60, "i2c": {"sda": "GP4", "scl": "GP5"}, "sensors": [sensor]})["sensors"][0]


class _Failing:
    def __init__(self, error):
        self.error = error

    def __call__(self, *given, **named):
        raise self.error


def test_what_a_board_hasnt_got_is_told(cameras, monkeypatch):
    wired = SimpleNamespace(raw=None)

    def refused(kind, settings, error, bus=wired):
        with pytest.raises(ConfigError, match=error):
            kind(settings, bus)

    refused(cameras.EspCamera, whole_settings("esp_camera"), "expected a CircuitPython with espcamera")
    refused(cameras.ParallelCamera, whole_settings("parallel_camera"), "expected a CircuitPython with imagecapture")
    sizes = type("FrameSize", (), {"R96X96": 1, "QQVGA": 2})
    espcamera = SimpleNamespace(FrameSize=sizes, PixelFormat=SimpleNamespace(RGB565=0, GRAYSCALE=1))
    espcamera.GrabMode = SimpleNamespace(WHEN_EMPTY=0)
    monkeypatch.setitem(sys.modules, "espcamera", espcamera)
    error = r"expected a frame_size of espcamera \(QQVGA, R96X96\), got 'HUGE'"
    refused(cameras.EspCamera, whole_settings("esp_camera", frame_size="HUGE"), error)
    refused(cameras.EspCamera, whole_settings("esp_camera", data="GP6,GP7"), "expected 8 data pins of a camera, got 2")
    refused(cameras.EspCamera, whole_settings("esp_camera", data="CAM_X"), "expected a pin of this board .*'CAM_X'")
    refused(cameras.EspCamera, whole_settings("esp_camera"), "expected the pins of the camera's control bus", None)
    eye = cameras.EspCamera(whole_settings("esp_camera", data="CAMERA_DATA"), SimpleNamespace(raw=None))
    with pytest.raises(SensorError, match="expected a camera, got none started"):
        eye.take()
    for error, told in (
        (MemoryError("Out of memory"), "expected PSRAM .* Out of memory"),
        (ValueError("GP15 in use"), "its pins free, got: ValueError.'GP15 in use'"),
        (OSError(11), "that answers"),
    ):
        espcamera.Camera = _Failing(error)
        with pytest.raises(SensorError, match=told):
            eye.start()


def test_what_the_library_of_a_chip_says_is_told(cameras, monkeypatch):
    monkeypatch.setitem(sys.modules, "imagecapture", SimpleNamespace())
    eye = cameras.ParallelCamera(whole_settings("parallel_camera", chip="ov2640"), SimpleNamespace(raw=None))
    with pytest.raises(SensorError, match="expected the library adafruit_ov2640 in /lib, got none"):
        eye.start()
    library = SimpleNamespace(OV2640_SIZE_QQVGA=3, OV2640=_Failing(RuntimeError("Pins must be sequential")))
    monkeypatch.setitem(sys.modules, "adafruit_ov2640", library)
    with pytest.raises(SensorError, match="expected a frame_size that adafruit_ov2640 has, got 'DIV8'"):
        eye.start()
    eye = cameras.ParallelCamera(
        whole_settings("parallel_camera", chip="ov2640", frame_size="QQVGA"), SimpleNamespace(raw=None)
    )
    with pytest.raises(SensorError, match="Pins must be sequential"):
        eye.start()
    library.OV2640 = lambda *given, **named: SimpleNamespace(height=4, width=5, product_id=0x76)
    eye.start()
    with pytest.raises(SensorError, match="expected chip id 0x26 of the camera, got 0x76"):
        eye.take()


def test_stock_micropython_has_none():
    with pytest.raises(ConfigError, match="expected CircuitPython for a camera: stock MicroPython has none"):
        driver("esp_camera").build({}, object(), None)
    with pytest.raises(ConfigError, match="expected chip ov7670 or ov2640, got 'ov9999'"):
        driver("parallel_camera").build(whole_settings("parallel_camera", chip="ov9999"), object(), None)


def test_a_pin_that_two_want_is_told():
    sensor = {"driver": "esp_camera", **PINS}
    table = {"interval_s": 60, "i2c": {"sda": "GP4", "scl": "GP5"}, "sensors": [sensor]}
    assert sensors_of(whole(table)).names[3] == "bright_max_counts"
    with pytest.raises(ConfigError, match="expected a pin of its own, got GP15"):
        whole({**table, "actions": [{"class": "x", "pin": "GP15"}]})
    with pytest.raises(ConfigError, match="expected a pin of its own"):
        whole({**table, "sensors": [sensor, sensor]})


@pytest.mark.parametrize("colour", [True, False])
def test_a_network_decides_on_what_the_camera_sees_and_its_pictures_come_home(tmp_path, colour):
    """On the node as on the host; each picture is on the console, trains as it is, and is shown."""
    model = network(8, 8, 3 if colour else 1)
    frames = [recorded(seed) for seed in range(3)]
    node = live(tmp_path / "drive", "esp_camera", 3, frames, model=model, colour=colour, frames=1)
    reader, assembler = LineReader(), Assembler()
    lines = list(reader.feed(node.vm.console))
    rows = [line for line in lines if isinstance(line, Row)]
    heard = [f for line in lines if isinstance(line, FrameRow) and (f := assembler.take(line))]
    assert len(heard) == len(rows) == 3 and heard[0].is_picture
    for frame, one in zip(frames, heard, strict=True):
        codes = expected(frame, 8, 8, colour, 96, 96)
        assert one.pixels.reshape(codes.shape).tolist() == codes.tolist()
    found = model.decide(np.array([one.pixels.ravel() for one in heard], dtype=np.int64))
    assert [row.margin for row in rows] == found.margin.tolist() and len(set(found.margin.tolist())) > 1
    store = FrameStore(tmp_path / "frames.csv")
    for row, one in zip(rows, heard, strict=True):
        store.take(one, "2026-12-01T00:00:00Z", "node", f"label {row.sequence}")
    store.flush()
    labelled = read_labelled(tmp_path / "frames.csv")
    assert labelled.frames.shape == (3, 8, 8, 3 if colour else 1) and not labelled.scaled
    shown = view_model.frame(heard[0])
    assert len(shown["colours"]) == 64 and shown["pixels"] == [] and "background" not in shown["range"]
    assert "#" in picture(heard[0]).spans[0].style.split(" on ")[0]


def test_a_deploy_wants_a_camera_of_the_models_size_and_circuitpython():
    sensor = {"driver": "esp_camera", **PINS, "rows": 8, "columns": 8}
    config = whole({"interval_s": 60, "i2c": {"sda": "GP4", "scl": "GP5"}, "sensors": [sensor]})
    check_together(config, Bounds(1 << 20, 8000, "circuitpython"), network(8, 8, 1), {})
    cases = (
        (network(8, 8, 3), "circuitpython", "8 x 8 x 3: expected a camera's picture of that size .* got 8 x 8$"),
        (network(8, 8, 1, scaled=True), "circuitpython", "16-bit readings, as of a thermal array: expected one of"),
        (network(8, 8, 1), "micropython", "expected one that micropython runs, got esp_camera, which is for circuit"),
    )
    for model, runtime, error in cases:
        with pytest.raises(InputError, match=error):
            check_together(config, Bounds(1 << 20, 8000, runtime), model, {})
