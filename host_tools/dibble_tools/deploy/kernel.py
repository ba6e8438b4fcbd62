"""Which kernel a board shall run: that of the model's tables, or the model as code where this pays."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dibble_tools.common.errors import InputError
from dibble_tools.deploy.board_state import BoardState
from dibble_tools.deploy.checks import readable_mpy
from dibble_tools.export.unrolled import unrolled_source
from dibble_tools.model.host_model import MODEL_FILE, HostModel
from dibble_tools.node.files import MpyFormat, compiled, has_assembler, machine_code_of

KERNELS = ("auto", "tables", "code")
CODE_SOURCE, CODE_COMPILED = "model_code.py", "model_code.mpy"  # classifier.py imports it
MODEL_FILES = (
    MODEL_FILE,
    "model.dib.ok",
    "model.a",
    "model.b",
    CODE_SOURCE,
    CODE_COMPILED,
)  # all that a node may have of its model
MERGED = "lib/dibble/forest.mpy"  # of the files that a firmware is merged into
# Of one that isn't.
MACHINE_CODE = (("inference/kernels/thumb_probe.", "assembler"), ("inference/kernels/viper_probe.", "viper"))
# Heap in which a node runs whose firmware is compiled, or comes as sources to CircuitPython (tests/host/
# circuitpython_node.py). What a board has above it may be the code's.
NODE_HEAP_BYTES = {"micropython": 72 << 10, "circuitpython": 96 << 10}
# Bytes of heap that code takes at its height, for each of its file. Compiling a source: 76 KB for the 27 KB of the
# digits forest, on the 32-bit VM. A compiled one is kept as it is, but in one piece: with room for just one,
# a node's heap in pieces had none that large.
SOURCE_HEAP = 3
COMPILED_HEAP = 2


@dataclass(frozen=True)
class Kernel:
    """What runs a model.

    Attributes:
        name: for people.
        files: path -> content, of the model as code; none where the tables are run.
    """

    name: str
    files: dict[str, bytes] = field(default_factory=dict)


def kernel_for_board(model: HostModel, asked: str, state: BoardState, files: dict[str, bytes], in_rom: bool) -> Kernel:
    """Return what shall run a model on a MicroPython board.

    Args:
        asked: of KERNELS.
        files: of the firmware that the board will get, beside those it has.
        in_rom: compiled code goes to a ROMFS partition, where it takes no heap.
    Raises:
        InputError: code is asked for, and there isn't heap for it.
    """
    kind = _kind_of((*files, *state.files), state.mpy)
    if asked == "tables" or (asked == "auto" and kind != "bytecode"):
        return Kernel(f"{kind}, over its tables")
    return _code(model, asked, state.heap_bytes - NODE_HEAP_BYTES[state.runtime], readable_mpy(state), in_rom)


def _kind_of(paths: Iterable[str], mpy: MpyFormat | None) -> str:
    """Return the kind of kernels that a firmware runs on a board.

    Args:
        paths: of its files.
        mpy: of the board.
    """
    if mpy is None or not mpy.architecture:
        return "bytecode"
    if MERGED in paths and machine_code_of(mpy):
        return "assembler" if has_assembler(mpy.architecture) else "viper"
    return next((kind for part, kind in MACHINE_CODE if any(part in path for path in paths)), "bytecode")


def kernel_for_drive(model: HostModel, asked: str, heap_bytes: int) -> Kernel:
    """Return what shall run a model on a CircuitPython board: it has no viper, and reads sources.

    Raises:
        InputError: code is asked for, and there isn't heap for it.
    """
    if asked == "tables":
        return Kernel("bytecode, over its tables")
    return _code(model, asked, heap_bytes - NODE_HEAP_BYTES["circuitpython"], False, False)


def _code(model: HostModel, asked: str, left: int, reads_mpy: bool, in_rom: bool) -> Kernel:
    """Return the model as code where `left` bytes of heap have room for it, else its tables."""
    source = _source_of(model)
    path, content, needed = CODE_SOURCE, source, len(source) * SOURCE_HEAP
    try:
        made = _compiled(source)
    except InputError:
        why = "its code is too long for a function"
    else:
        if reads_mpy:
            path, content, needed = CODE_COMPILED, made, 0 if in_rom else len(made) * COMPILED_HEAP
        if needed <= max(left, 0):
            return Kernel(f"the model as code, {path}", {path: content})
        why = f"its code needs {needed} bytes of heap, and {max(left, 0)} are left beside the node"
    if asked == "code":
        raise InputError(
            f"--kernel code: expected a model that can run as code, got one of which {why}: ask for tables"
        )
    return Kernel(f"bytecode, over its tables: {why}")


def _source_of(model: HostModel) -> bytes:
    return unrolled_source(model).encode()


def _compiled(source: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, CODE_SOURCE)
        path.write_bytes(source)
        return compiled(path, "")
