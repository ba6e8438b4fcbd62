"""Images and frames become networks: fitted in floats, judged on recordings held out, in the integers of the node."""

import base64
import json

import numpy as np
import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.families.maps.network import Shape, backward, build, fold, forward
from dibble_tools.families.maps.shapes import bytes_of, shapes_within
from dibble_tools.families.maps.tables import Frame
from dibble_tools.families.maps.training import Augmentation, FrameLearner, frames_of, tables_of
from dibble_tools.model.host_model import HostModel
from dibble_tools.training.images import occlusion
from scenes import thermal_scenes
from typer.testing import CliRunner

pytestmark = pytest.mark.long


@pytest.mark.parametrize(("stride", "block"), [(1, 2), (2, 1), (3, 2)])
def test_gradients_are_those_of_finite_differences(stride, block):
    rng = np.random.default_rng(0)
    layers = build(Shape(3, ((4, block), (2, 1)), first_stride=stride), 2, 3, rng)
    for layer in layers:
        for name in layer.learned():
            values = getattr(layer, name).astype(np.float64)
            setattr(layer, name, values + rng.normal(0, 0.3, values.shape))
    x = rng.random((2, 7, 9, 2))
    wanted = rng.normal(0, 1, (2, 3))

    def loss() -> float:
        return float((forward(layers, x, learning=True) * wanted).sum())

    loss()
    found = backward(layers, wanted)
    weighed = [layer for layer in layers if layer.weights is not None]
    for layer, gradients in zip(weighed, found, strict=True):
        for name, gradient in zip(layer.learned(), gradients, strict=True):
            values = getattr(layer, name)
            for at in rng.integers(0, values.size, 6):
                place = np.unravel_index(at, values.shape)
                before = values[place]
                ends = []
                for step in (1e-6, -1e-6):
                    values[place] = before + step
                    ends.append(loss())
                values[place] = before
                assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(gradient[place], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_convolutions_are_sums_over_windows(stride):
    rng = np.random.default_rng(stride)
    layers = build(Shape(5, ((4, 2),), first_stride=stride), 2, 3, rng)
    x = rng.random((2, 7, 10, 2))
    first, depthwise = layers[0], layers[1]
    fold(layers)  # means of 0 and variances of 1: nearly nothing
    made = forward(layers[:1], x)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    for n, r, c in np.ndindex(2, *made.shape[2:]):
        window = padded[n, r * stride : r * stride + 3, c * stride : c * stride + 3]
        sums = np.einsum("uijd,ijd->u", first.weights, window) + first.biases
        assert made[:, n, r, c] == pytest.approx(np.maximum(sums, 0), abs=1e-5)
    behind = forward(layers[:2], x)
    padded = np.pad(made, ((0, 0), (0, 0), (1, 1), (1, 1)))
    for n, r, c in np.ndindex(2, *behind.shape[2:]):
        window = padded[:, n, 2 * r : 2 * r + 3, 2 * c : 2 * c + 3]
        sums = np.einsum("uij,uij->u", depthwise.weights, window) + depthwise.biases
        assert behind[:, n, r, c] == pytest.approx(np.maximum(sums, 0), abs=1e-5)


def test_normalization_is_put_into_the_weights():
    rng = np.random.default_rng(0)
    layers = build(Shape(4, ((6, 2),)), 1, 2, rng)
    x = rng.random((8, 12, 12, 1)).astype(np.float32)
    for layer in layers[:3]:
        layer.gains = rng.normal(1, 0.3, len(layer.gains)).astype(np.float32)
        layer.biases = rng.normal(0, 0.3, len(layer.biases)).astype(np.float32)
    settled = forward(layers, x, learning=True, settling=True)
    before = forward(layers, x)
    assert np.abs(before - settled).max() < 1e-4  # these rows tell their own means and variances
    fold(layers)
    assert all(layer.gains is None for layer in layers)
    assert np.abs(forward(layers, x) - before).max() < 1e-4


def test_frames_are_shifted_and_flipped_whole():
    rng = np.random.default_rng(0)
    x = np.arange(12 * 16, dtype=np.float32).reshape(1, 12, 16, 1).repeat(40, axis=0) / 192
    seen = set()
    for frame in Augmentation(brightness=False, noise=False).vary(x, rng)[..., 0]:
        ways = [
            (down, right, turned)
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
            for turned in (False, True)
            if np.array_equal(_moved(x[0, :, :, 0], down, right, turned), frame)
        ]
        assert len(ways) == 1
        seen |= set(ways)
    assert len(seen) > 12


def _moved(frame: np.ndarray, down: int, right: int, turned: bool) -> np.ndarray:
    rows = np.clip(np.arange(12) - down, 0, 11)
    moved = frame[rows][:, np.clip(np.arange(16) - right, 0, 15)]
    return moved[:, ::-1] if turned else moved


def test_integers_decide_as_the_floats_they_come_from():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 160)
    codes = rng.integers(0, 90, (160, 12, 12, 1)).astype(np.uint8)
    codes[y == 1, 3:7, 3:7] += 120
    learner = FrameLearner(Shape(8, ((8, 2),)), codes, y, 2, rng)
    learner.learn(40)
    layers = learner.finish(60)
    tables = tables_of(layers, Frame(12, 12), codes)
    floats = forward(layers, frames_of(codes), rounded=True).argmax(axis=1)
    whole = tables.scores(codes).argmax(axis=1)
    assert np.mean(whole == floats) > 0.97 and np.mean(whole == y) > 0.97
    looked_at = occlusion(tables, codes[np.flatnonzero(y == 1)[0]])
    assert looked_at[3:7, 3:7].mean() > looked_at[8:, 8:].mean()


@pytest.mark.parametrize("most", [700, 2048, 6144])
def test_shapes_use_the_bytes_they_may(most):
    shapes = shapes_within(most, 1, 2, (2, 3))
    assert len({(str(shape), shape.first_stride) for shape in shapes}) == len(shapes)
    taken = [bytes_of(shape, 1, 2) for shape in shapes]
    assert max(taken) <= most and max(taken) > 0.9 * most


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    frames, labels, groups = thermal_scenes(1, 8, 16)
    np.savez(folder / "scenes.npz", frames=frames.astype(np.int16), labels=labels, groups=groups)
    arguments = ["train", str(folder / "scenes.npz"), "--images", "--max-bytes", "500", "--budget", "1s"]
    done = CliRunner().invoke(app, [*arguments, "--out", str(folder / "model")])
    return folder / "model", done


def test_a_model_of_a_thermal_array_is_judged_on_recordings_it_never_saw(trained):
    folder, done = trained
    card = json.loads((folder / "card.json").read_text())
    assert done.exit_code in (0, 1), done.output
    assert card["model"]["bytes"] <= 500 and card["model"]["family"] == "maps"
    assert "recording" in card["split"]["how"] and card["split"]["test_rows"] % 16 == 0
    model = HostModel.open(folder)
    frames, labels, _ = thermal_scenes(99, 4, 16)
    decided = model.decide(frames.reshape(len(frames), -1))
    right = np.mean(np.array(model.classes)[decided.class_index] == np.array(labels))
    assert right > 0.6  # after a few hundred steps
    assert (folder / "examples.png").read_bytes()[:4] == b"\x89PNG" and (folder / "report.html").is_file()
    picture = base64.b64encode((folder / "examples.png").read_bytes()).decode()
    assert picture in (folder / "report.html").read_text()


def test_size_is_told_as_two_numbers():
    done = CliRunner().invoke(app, ["train", "x.npz", "--images", "--size", "24"])
    assert isinstance(done.exception, InputError) and "expected HEIGHTxWIDTH, such as 24x32" in str(done.exception)
