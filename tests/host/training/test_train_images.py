"""Images and frames become networks: fitted in floats, judged on recordings held out, in the integers of the node."""

import base64
import json

import numpy as np
import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.families.maps.network import Shape, backward, build, forward
from dibble_tools.families.maps.tables import Frame
from dibble_tools.families.maps.training import fit, tables_of
from dibble_tools.model.host_model import HostModel
from dibble_tools.training.images import occlusion
from scenes import thermal_scenes
from typer.testing import CliRunner

pytestmark = pytest.mark.long


def test_gradients_are_those_of_finite_differences():
    rng = np.random.default_rng(0)
    layers = build(Shape(3, ((4, 2),), first_stride=2), 2, 3, rng)
    for layer in layers:
        layer.top = 1e9
        if layer.weights is not None:
            layer.weights = layer.weights.astype(np.float64)
            layer.biases = rng.normal(0, 0.3, len(layer.biases))
    x = rng.random((2, 7, 9, 2))
    wanted = rng.normal(0, 1, (2, 3))

    def loss() -> float:
        return float((forward(layers, x).astype(np.float64) * wanted).sum())

    loss()
    found = backward(layers, wanted)
    weighed = [layer for layer in layers if layer.weights is not None]
    for layer, gradients in zip(weighed, found, strict=True):
        for values, gradient in zip((layer.weights, layer.biases), gradients, strict=True):
            for at in rng.integers(0, values.size, 6):
                place = np.unravel_index(at, values.shape)
                before = values[place]
                ends = []
                for step in (1e-6, -1e-6):
                    values[place] = before + step
                    ends.append(loss())
                values[place] = before
                assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(gradient[place], rel=1e-4, abs=1e-6)


def test_integers_decide_as_the_floats_they_come_from():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 160)
    codes = rng.integers(0, 90, (160, 12, 12, 1))
    codes[y == 1, 3:7, 3:7] += 120
    x = (codes / 255).astype(np.float32)
    layers = fit(Shape(8, ((8, 2),)), x, y, 2, 40, rng)
    tables = tables_of(layers, Frame(12, 12), codes)
    floats = forward(layers, x, rounded=True).argmax(axis=1)
    whole = tables.scores(codes).argmax(axis=1)
    assert np.mean(whole == floats) > 0.97 and np.mean(whole == y) > 0.97
    looked_at = occlusion(tables, codes[np.flatnonzero(y == 1)[0]])
    assert looked_at[3:7, 3:7].mean() > looked_at[8:, 8:].mean()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    frames, labels, groups = thermal_scenes(1, 8, 16)
    np.savez(folder / "scenes.npz", frames=frames.astype(np.int16), labels=labels, groups=groups)
    arguments = ["train", str(folder / "scenes.npz"), "--images", "--max-bytes", "1024", "--budget", "1s"]
    done = CliRunner().invoke(app, [*arguments, "--out", str(folder / "model")])
    return folder / "model", done


def test_a_model_of_a_thermal_array_is_judged_on_recordings_it_never_saw(trained):
    folder, done = trained
    card = json.loads((folder / "card.json").read_text())
    assert done.exit_code in (0, 1), done.output
    assert card["model"]["bytes"] <= 1024 and card["model"]["family"] == "maps"
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
