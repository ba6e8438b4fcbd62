"""Whole model files that lie: every command that opens one says why in one message, and writes nothing."""

import struct
import zlib
from pathlib import Path

import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from typer.testing import CliRunner

HOSTILE = sorted((Path(__file__).parents[1] / "model" / "hostile").glob("*.dib"))
REFUSED = [path for path in HOSTILE if path.stem != "name_with_escapes"]
CSV = "x0,label\n1,a\n2,b\n"
COMMANDS = {
    "inspect": ["inspect", "{model}"],
    "predict": ["predict", "{model}", "{csv}", "--out", "{out}"],
    "evaluate": ["evaluate", "{model}", "{csv}", "--label", "label"],
    "export": ["export", "{model}", "--to", "c", "--out", "{out}"],
    "pack": ["pack", "{model}", "--out", "{out}"],
    "unroll": ["unroll", "{model}", "--out", "{out}"],
    "lorawan": ["lorawan", "{model}", "--out", "{out}"],
    "estimate": ["estimate", "{model}", "--board", "pico"],
    "verify": ["verify", "{model}"],
    "deploy": ["deploy", "--model", "{model}", "--port", "nowhere"],
}


def run(command: list[str], folder: Path, model: Path):
    names = {"model": model, "csv": folder / "rows.csv", "out": folder / "out"}
    (folder / "rows.csv").write_text(CSV)
    return CliRunner().invoke(app, [part.format(**names) for part in command])


def with_window_of_none() -> bytes:
    """Return a file whose window has no readings: a mean over none."""
    body = bytearray((HOSTILE[0].parent / "min_loop.dib").read_bytes()[:-4])
    at = body.index(b"\x49\x00\x64\x00") + 3
    body[at : at + 1] = b"\x01\x00\x01\x00"
    body[6:10] = struct.pack("<I", len(body) + 4)
    return bytes(body) + struct.pack("<I", zlib.crc32(body))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_lies_is_one_message(command: str, tmp_path: Path) -> None:
    none = tmp_path / "window_of_none.dib"
    none.write_bytes(with_window_of_none())
    for model in (*REFUSED, none):
        result = run(COMMANDS[command], tmp_path, model)
        assert isinstance(result.exception, InputError), (model.name, result.output, result.exception)
        assert str(result.exception).startswith(f"{model}: the model file contradicts itself: ")
        assert result.output == ""
        assert not (tmp_path / "out").exists()
