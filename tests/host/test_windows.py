"""What Windows lacks isn't asked for on its ways: everything but the virtual board works there, which says why not.

The commands run where dibble_tools finds neither POSIX's modules nor what `os` and `signal` lack there.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dibble_tools import convert
from pandas import DataFrame
from sklearn.tree import DecisionTreeClassifier

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
AS_ON_WINDOWS = """\
import builtins, os, signal, sys
import multiprocessing.util, subprocess, tempfile, asyncio  # POSIX's own keep what they look up

LACKING = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}
really = builtins.__import__

def lacking(name, globals=None, *more, **named):
    if name.partition(".")[0] in LACKING and (globals or {}).get("__name__", "").startswith("dibble"):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return really(name, globals, *more, **named)

class Lacking:
    def __init__(self, module, *names):
        self.__dict__.update({key: value for key, value in vars(module).items() if key not in names})

import dibble_tools
import dibble_tools.cli.main as main
builtins.__import__ = lacking
sys.modules["os"] = Lacking(os, "fork", "getuid", "geteuid", "killpg", "mkfifo", "setsid", "O_CLOEXEC", "O_DIRECTORY")
sys.modules["signal"] = Lacking(signal, "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGSTOP", "SIGCONT", "SIGHUP", "pthread_kill")
platform, sys.platform = sys.platform, "linux"
from dibble_tools.virtual_board import registry
registry.can_exist = lambda: False
main.main()
"""


def run(folder: Path, *words: str | Path, code: int = 0) -> str:
    """Return what a command says on stdout, or, where it is to fail, on stderr."""
    command = [sys.executable, "-c", AS_ON_WINDOWS, *map(str, words)]
    environment = {**os.environ, "COLUMNS": "300", "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="cp1252", timeout=120, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("boards",),
        ("boards", "pico"),
        ("inspect", ROOT / "models/orchard"),
        ("train", "--help"),
        ("new", "bed-1", "--board", "pico"),
        ("estimate", ROOT / "models/digits", "--board", "pico"),
        ("verify", ROOT / "models/digits", "--vm", "wasi"),
        ("monitor", "--from", "said.txt"),
        ("export", ROOT / "models/digits", "--to", "python", "--out", "as_python"),
    ],
    ids=lambda words: " ".join(map(str, words[:1])),
)
def test_a_command_does_without_what_windows_lacks(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "said.txt").write_text("")
    run(tmp_path, *words)


def test_letters_that_a_pipe_cannot_hold_are_spelled_out(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("soil,when\n100,1\n", encoding="utf-8")
    forest = DecisionTreeClassifier().fit([[100], [900]], ["干", "wet"])
    convert(forest, DataFrame({"soil": [100, 900]})).save(tmp_path / "model.dib")
    decided = run(tmp_path, "predict", "model.dib", "rows.csv")
    assert decided.splitlines()[1].split(",")[1] == r"\u5e72"


def test_readings_are_collected(tmp_path: Path) -> None:
    (tmp_path / "said.txt").write_text("nothing of a node's\n")
    said = run(tmp_path, "collect", "--label", "dry", "--out", "field.csv", "--from", "said.txt", code=1)
    assert "0 rows written" in said


def test_a_port_is_looked_for_among_those_of_usb(tmp_path: Path) -> None:
    assert "expected a board, got none" in run(tmp_path, "deploy", "--dry-run", code=2)


@pytest.mark.parametrize("words", [("start",), ("list",), ("stop",), ("cut", "orchard")], ids=" ".join)
def test_the_virtual_board_says_why_not(words: tuple[str, ...], tmp_path: Path) -> None:
    assert "expected Linux on x86-64, where the virtual board's VM runs" in run(tmp_path, "board", *words, code=2)


def test_the_modules_of_each_way_import(tmp_path: Path) -> None:
    code = AS_ON_WINDOWS.replace(
        "main.main()",
        "import dibble_tools.studio.server, dibble_tools.studio.train_job, dibble_tools.studio.deploy_job\n"
        "import dibble_tools.simulator.season, dibble_tools.demo.board_demo, dibble_tools.training.job\n"
        "import json; print(json.dumps(sorted(name for name in sys.modules if name.startswith('dibble_tools'))))",
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "dibble_tools.virtual_board.vm_process" not in json.loads(done.stdout)
