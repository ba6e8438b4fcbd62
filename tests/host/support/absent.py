"""The command `dibble` where some modules aren't there, or with what it has imported at its end."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[3]
_RUN = """\
import sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
for name in {absent!r}:
    sys.modules.pop(name, None)
from dibble_tools.cli.main import main
try:
    main()
finally:
    print("IMPORTED", *sorted({{name.partition(".")[0] for name in sys.modules}}), file=sys.stderr)
"""


def dibble_without(absent: Iterable[str], *words: str | Path, folder: Path) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of a command where top-level modules can't be imported."""
    done = _run(absent, words, folder)
    return done.returncode, done.stdout, done.stderr.partition("IMPORTED ")[0].strip()


def imported_by(*words: str | Path, folder: Path) -> set[str]:
    """Return the top-level modules that a command which succeeds has imported."""
    done = _run((), words, folder)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.partition("IMPORTED ")[2].split())


def _run(absent: Iterable[str], words: Iterable[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _RUN.format(absent=tuple(absent)), *map(str, words)]
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
