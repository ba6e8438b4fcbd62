"""Networks made elsewhere: what LiteRT decides on a .tflite file is what the reader and the model decide."""

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from dibble_tools import convert
from dibble_tools.common.errors import InputError
from dibble_tools.families.maps.tflite_import import tflite_network
from dibble_tools.model.convert_network import frame_codes
from tflite_files import FLOAT32, VALID, File
from typer.testing import CliRunner

ROWS = 120


def small(seed: int) -> File:
    """Return a network with each operator that is taken."""
    file = File((12, 10, 1 + 2 * (seed % 2)), seed=seed)
    first = file.conv(8, 3, 2)
    file.depthwise(3)
    file.conv(8, 1, scale=0.05, point=3)
    file.conv(8, 1)
    file.add(first)
    file.pool("MAX", 2, 1)
    file.conv(6, 3, padding=VALID)
    file.pool("AVERAGE", 2, 1)
    file.dense(4)
    return file


def frames(file: File, rows: int = ROWS) -> np.ndarray:
    rng = np.random.default_rng(7)
    level = rng.uniform(0, 255, (rows, 1, 1, 1))
    shape = file.tensors[0][0][1:]
    return np.clip(level + rng.normal(0, 1, (rows, *shape)) * rng.uniform(0, 90, (rows, 1, 1, 1)), 0, 255).astype(
        np.uint8
    )


def of_litert(data: bytes, codes: np.ndarray) -> np.ndarray:
    """Return the outputs of the original (rows, classes)."""
    interpreter = Interpreter(model_content=data)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    found = []
    for code in codes:
        interpreter.set_tensor(source, (code[None].astype(np.int16) - 128).astype(np.int8))
        interpreter.invoke()
        found.append(interpreter.get_tensor(target)[0].astype(int))
    return np.array(found)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[Path, File]]:
    folder = tmp_path_factory.mktemp("networks")
    found = {}
    for seed in (1, 2):
        file = small(seed)
        path = folder / f"small_{seed}.tflite"
        path.write_bytes(file.build())
        found[seed] = path, file
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_the_original_run_here_is_what_litert_runs(seed, files):
    path, file = files[seed]
    codes = frames(file)
    outputs = of_litert(path.read_bytes(), codes)
    decided = tflite_network(path).decide(codes.astype(np.int64))
    first = np.sort(outputs, axis=1)
    clear = first[:, -1] > first[:, -2]  # the softmax's 8 bits say no more of the others
    assert (decided == outputs.argmax(axis=1))[clear].all() and clear.mean() > 0.5


@pytest.mark.parametrize("seed", [1, 2])
def test_a_network_in_shifts_decides_as_the_original(seed, files):
    path, file = files[seed]
    codes = frames(file)
    model = convert(path, codes, classes=["a", "b", "c", "d"])
    told = next(note for note in model.notes if note.startswith("decides"))
    decided = model.decide(codes.reshape(ROWS, -1).astype(np.int64)).class_index
    alike = int((decided == tflite_network(path).decide(codes.astype(np.int64))).sum())
    assert told == f"decides {alike} of {ROWS} rows of X as the original does ({alike / ROWS:.2%})"
    assert alike >= 0.9 * ROWS  # of a network of random weights, which magnifies all that is rounded
    assert model.classes == ("a", "b", "c", "d") and model.content.family_name == "maps"
    model.cross_check(codes[:2].reshape(2, -1).astype(np.int64))


def test_frames_are_taken_as_int8_uint8_or_floats(files):
    path, file = files[1]
    network, codes = tflite_network(path), frames(file, 3)
    same = frame_codes(network, codes).tolist()
    assert frame_codes(network, (codes.astype(np.int16) - 128).astype(np.int8)).tolist() == same
    assert frame_codes(network, codes / 255).tolist() == same


def test_what_is_no_such_network_is_refused_by_name(tmp_path, files):
    path = files[1][0]
    whole = path.read_bytes()

    def error(data: bytes, ends: str = "net.tflite") -> str:
        (tmp_path / ends).write_bytes(data)
        with pytest.raises(InputError) as told:
            convert(tmp_path / ends)
        return str(told.value)

    assert "expected a TensorFlow Lite file (TFL3)" in error(b"hello, world")
    for size in range(8, len(whole), 97):
        assert "damaged or cut short" in error(whole[:size]) or size > len(whole) - 8
    unknown = File((4, 4, 1))
    unknown.plain("TANH")
    unknown.dense(2)
    assert "operator 1, TANH: expected operators of CONV_2D" in error(unknown.build())
    floats = File((4, 4, 1))
    floats.conv(4, 3, kind=FLOAT32)
    floats.dense(2)
    assert "operator 1, CONV_2D: expected weights of int8, got float32" in error(floats.build())
    assert "expected a file that ends in .tflite or .onnx" in error(whole, "net.h5")
    with pytest.raises(InputError, match="expected X of frames of 12 x 10 x 3 = 360 readings"):
        convert(path, np.zeros((3, 10)))
    with pytest.raises(InputError, match="expected 4 different class names"):
        convert(path, classes=["a", "b"])


def test_the_command_writes_the_model_and_tells_of_it(tmp_path, files):
    from dibble_tools.cli.main import app

    path, file = files[2]
    np.save(tmp_path / "frames.npy", frames(file, 20))
    out = tmp_path / "net.dib"
    arguments = ["convert", str(path), "--frames", str(tmp_path / "frames.npy"), "--out", str(out)]
    done = CliRunner().invoke(app, [*arguments, "--classes", "a,b,c,d"])
    assert done.exit_code == 0 and "of 20 rows of X as the original does" in done.output.replace("\n", " ")
    assert out.is_file()
