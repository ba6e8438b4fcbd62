"""Options that would change nothing beside others are refused, whichever command they belong to."""

from pathlib import Path

import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from typer.testing import CliRunner

CASES = (
    ("train clips --sound --target a --group b", "--group and --target: expected none beside --sound"),
    ("train clips --own --images --flip", "--own: expected none beside --images"),
    ("train clips --sound --size 8x8", "--size: expected none beside --sound"),
    ("train FOLDER --time when", r"--time: expected none beside a folder \(.*: of recordings\)"),
    ("train f.npz --images --family forest", "--family: expected none beside --images"),
    ("train f.npz --images --usual --na -1", "--na and --usual: expected none beside --images"),
    ("train f.npz --images --tolerate-missing", "--tolerate-missing: expected none beside --images"),
    ("train f.csv --size 8x8", "--size: expected --images with it, alone it would change nothing"),
    ("train f.csv --no-flip", "--flip: expected --images with it"),
    ("train f.csv --rate 8000", "--rate: expected --sound with it"),
    ("train f.csv --speaker x", "--speaker: expected --sound with it"),
    ("collect --label a --out a.csv --take 2", "--take: expected --sound with it"),
    ("collect --label a --out a --sound --every 5s", "--every: expected none beside --sound"),
    ("collect --label a --out a --sound --from x", "--from: expected none beside --sound"),
    ("simulate m --nodes 3", "--nodes: expected --csv with it"),
    ("simulate m --csv a.csv --plot a.png", "--plot and MODEL: expected none beside --csv"),
    ("downlinks m.dib --node a --for ttn --dev-eui 0000000000000000", "--dev-eui: expected --for chirpstack with it"),
    ("export m.dib --to c --out a --small", "--small: expected --to python with it"),
    ("export m.dib --to c --out a --on pc", "--on: expected --check with it"),
    ("export m.dib --to c --out a --check --time t", "--time: expected --data with it"),
)


@pytest.mark.parametrize(("line", "message"), CASES)
def test_an_option_that_would_change_nothing_is_refused(tmp_path: Path, line: str, message: str) -> None:
    words = [str(tmp_path) if word == "FOLDER" else word for word in line.split()]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, InputError), done.output
    with pytest.raises(InputError, match=message):
        raise done.exception


def test_what_a_name_or_an_ending_says_is_looked_at_first(tmp_path: Path) -> None:
    """Before any port, broker or other option is."""
    model = tmp_path / "m.dib"
    model.write_bytes(b"")
    lines = {
        f"send {model} --node a/b# --broker nowhere": "--node: expected a node's name",
        f"send {model} --node a --broker nowhere --wait soon": "--wait: expected",
        f"downlinks {model} --node +": "--node: expected a node's name",
        f"convert {model}": "which is dibble's own kind already",
        f"export {model} --to c --out {tmp_path / 'model.h'}": "--out: expected a folder, got",
    }
    for line, message in lines.items():
        done = CliRunner().invoke(app, line.split())
        assert isinstance(done.exception, InputError) and message in str(done.exception), done.output
    assert [path.name for path in tmp_path.iterdir()] == ["m.dib"]
