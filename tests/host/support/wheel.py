"""The wheel and the sdist, built as pip builds them, and the command that runs from an unpacked wheel alone."""

import os
import re
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
# -S: no .pth of the clone's editable install; packages that dibble needs are named one folder after another.
BEGIN = [sys.executable, "-S", "-P", "-m", "dibble_tools.cli"]
FOREIGN = [path for path in sys.path if path.endswith("site-packages")]
BUILD = "import sys; from hatchling.build import build_sdist, build_wheel; print({}(sys.argv[1]))"


def built(kind: str, folder: Path, source: Path = ROOT) -> Path:
    """Return the file that hatchling builds: kind is build_wheel or build_sdist."""
    command = [sys.executable, "-c", BUILD.format(kind), str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.splitlines()[-1]


def unpacked_sdist(sdist: Path, folder: Path) -> Path:
    """Return the folder that a source distribution holds."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # not in 3.11.2
    (found,) = folder.iterdir()
    return found


class InstalledWheel:
    """A wheel unpacked into a folder of its own; commands run in an empty one, and find neither clone nor .pth."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.packages = folder / "packages"
        self.models = self.packages / "dibble_tools" / "shipped" / "models"
        self.cwd = folder / "cwd"
        self.cwd.mkdir()
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(self.packages)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        self.environment = {
            **kept,
            "PYTHONPATH": os.pathsep.join([str(self.packages), *FOREIGN]),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_RUNTIME_DIR": str(folder),
        }

    def python(self, code: str) -> str:
        """Return what a piece of Python prints."""
        return self._run([*BEGIN[:3], "-c", code], 0)

    def dibble(self, *words: str | Path, code: int = 0) -> str:
        """Return what a command prints on stdout; hold its exit status against the one expected."""
        return self._run([*BEGIN, *map(str, words)], code)

    @contextmanager
    def started(self, *words: str) -> Iterator[str]:
        """Give the address that a command says it serves; end it afterwards as Ctrl-C does."""
        command = [*BEGIN, *words]
        with subprocess.Popen(command, cwd=self.cwd, env=self.environment, stderr=subprocess.PIPE, text=True) as run:
            assert run.stderr
            said = ""
            try:
                while not (found := re.search(r"http://\S+", said)):
                    line = run.stderr.readline()
                    assert line, said
                    said += line
                yield found[0]
            finally:
                run.send_signal(signal.SIGINT)
                run.communicate(timeout=60)

    def _run(self, command: list[str], code: int) -> str:
        done = subprocess.run(
            command, cwd=self.cwd, env=self.environment, capture_output=True, text=True, timeout=200, check=False
        )
        assert done.returncode == code, f"{command[3:]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout
