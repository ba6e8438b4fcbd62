"""The firmware as it is copied to the simulated board: compiled, but for main.py, with every driver; or its sources."""

import shutil
from pathlib import Path

from dibble_tools.common.shipped import FIRMWARE, LIBRARY
from dibble_tools.machines.replay import MACHINE_CODE
from dibble_tools.node.files import made_for, node_files

ARCHITECTURE = "x64"  # the simulated node's VM is a PC's


def firmware_folder(target: Path, *, viper: bool = False, architecture: str = ARCHITECTURE) -> Path:
    """Lay out the firmware's files in a new folder; return it.

    Args:
        viper: with the kernels in machine code, which take more of a 64-bit heap than they'd take on a board.
        architecture: of that code.
    Raises:
        InputError: a file doesn't compile.
    """
    drivers = [path.stem for path in (LIBRARY / "drivers").glob("*.py") if path.stem != "__init__"]
    for name, content in node_files(drivers, made_for(architecture), viper=viper, apart=True).items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return target


def sources_folder(target: Path, *, viper: bool) -> None:
    """Copy the firmware's sources to a new folder: what a VM's `work_us` charges can be found in these.

    Args:
        viper: with the kernels in machine code.
    """
    ignored = shutil.ignore_patterns("__pycache__", ".*", "examples", "update", *(() if viper else MACHINE_CODE))
    shutil.copytree(FIRMWARE, target, ignore=ignored)
