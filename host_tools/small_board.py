"""Run a model on the micro:bit, whose 9 KB of heap don't hold the model file's reader.

The firmware's own predictor, kernels, decision and windows run there, less their docstrings; in
the reader's place stands one generated module with what the reader would have found in the file.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

import dibble
import numpy as np

from host_tools.evaluator import Decisions
from host_tools.host_model import HostModel
from host_tools.microbit import Microbit
from host_tools.replay import rows_bytes
from host_tools.vms import VmError

SOURCES = ("__init__", "inference/fixed_point", "inference/kernels_bytecode", "inference/decision")
BLOCK_BYTES = 126  # of the file system's 120 blocks
FILE_SYSTEM_BYTES = 118 * BLOCK_BYTES
PARTS = """\
from array import array
from predictor import Predictor
from kernels_bytecode import prepare_coders
def build():
 f=open('t','rb')
 c=prepare_coders(f.read({thresholds}),{coders})
 n=[f.read({nodes}) for _ in range(4)]
 f.close()
 return Predictor(array('i',{low}),array('i',{high}),{windows},{features},c,tuple(n)+(array('i',{starts}),
 array('i',{children}),{classes_end},{trees}),{classes},{unsure_below},{hysteresis})
"""
REPLAY = """\
from array import array
def replay(node):
 d=node.decision
 n=4+4*len(node.readings)
 f=open('r','rb')
 while True:
  row=f.read(n)
  if not row:break
  row=array('i',row)
  for i in range(len(node.readings)):node.readings[i]=row[i+1]
  node.predict(None,None if row[0]==-2 else row[0])
  print(d.class_index,d.margin,d.flags,d.channel,d.held_index)
 f.close()
"""


class TooLarge(VmError):
    """The model doesn't fit the board: not a fault of either."""


@dataclass(frozen=True)
class SmallReplay:
    """What the micro:bit computed on the rows it was given, and what that took.

    Attributes:
        rows: how many of the rows, from the first, fitted beside the library.
        free_heap: bytes left beside library and model.
        instructions: exact Cortex-M0 instructions of one predict() on the first row.
    """

    decisions: Decisions
    rows: int
    free_heap: int
    instructions: int


def on_microbit(model: HostModel, readings: np.ndarray, elapsed_ms: np.ndarray | None) -> SmallReplay:
    """Replay the first rows, as many as the board's file system takes, on the emulated micro:bit.

    Raises:
        TooLarge: library and model leave no room to run.
        VmMissing, VmError: see microbit.Microbit.
    """
    files = files_of(model)
    row = 4 * (readings.shape[1] + 1)
    rows = min(len(readings), (FILE_SYSTEM_BYTES - sum(_stored(data) for data in files.values())) // row)
    if rows < 1:
        raise TooLarge(f"the micro:bit's file system has no room for a model of {len(model.blob)} bytes")
    files["r"] = rows_bytes(readings, elapsed_ms)[: rows * row]
    try:
        with Microbit() as board:
            for name, data in files.items():
                board.put_file(name, data)
            _load(board, files)
            free_heap = board.free_heap()
            board.exec("import replay")
            table = np.array(board.exec("replay.replay(node)", timeout_s=120).split(), dtype=np.int64)
            _load(board, files)
            values = ",".join(str(reading) for reading in readings[0])
            count = board.count("node.predict(row)", setup=f"row=({values},)")
    except VmError as error:
        if any(sign in str(error) for sign in ("MemoryError", "OSError", "recursion")):
            raise TooLarge(f"the micro:bit has no room for this model: {last_line(error)}") from error
        raise
    decisions = Decisions(*table.reshape(-1, 5).T)
    if len(decisions.margin) != rows:
        raise VmError(f"expected {rows} decisions from the micro:bit, got {len(decisions.margin)}")
    return SmallReplay(decisions, rows, free_heap, count)


def _load(board: Microbit, files: dict[str, bytes]) -> None:
    """Import the library into a fresh heap and build `node`."""
    board.reset()
    # One after the other, as its small stack doesn't hold the compilers of nested imports.
    for name in files:
        if name.endswith(".py") and name != "replay.py":
            board.exec(f"import {name[:-3]}")
    board.exec("node=parts.build()")


def _stored(data: bytes) -> int:
    return (len(data) + 16 + BLOCK_BYTES - 1) // BLOCK_BYTES * BLOCK_BYTES


def last_line(error: Exception) -> str:
    """Return the exception line of a guest's traceback."""
    return str(error).strip().rpartition("\n")[2]


def files_of(model: HostModel) -> dict[str, bytes]:
    """Return every file the board needs, by its name in the flat file system."""
    library = Path(dibble.__path__[0])
    names = [*SOURCES, "inference/predictor"]
    if _needs_windows(model):
        names.append("inference/features")
    files = {}
    for name in names:
        flat = "dibble" if name == "__init__" else name.rpartition("/")[2]
        files[f"{flat}.py"] = strip((library / f"{name}.py").read_text(encoding="utf-8")).encode()
    files["parts.py"] = _parts(model).encode()
    files["t"] = _tables(model)
    files["replay.py"] = REPLAY.encode()
    return files


def strip(source: str) -> str:
    """Return the same code without comments and docstrings, its imports flattened, indented by one blank."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            assert body is not None
            body[:] = body[1:] or [ast.Pass()]
        if isinstance(node, ast.ImportFrom) and node.module:
            node.module = node.module.removeprefix("dibble.inference.")
    text = ast.unparse(tree).replace("from dibble.inference import kernels", "import kernels_bytecode as kernels")
    lines = [line.lstrip(" ") for line in text.splitlines()]
    depths = [(len(line) - len(line.lstrip(" "))) // 4 for line in text.splitlines()]
    return "".join(" " * depth + line + "\n" for depth, line in zip(depths, lines, strict=True) if line)


def _needs_windows(model: HostModel) -> bool:
    return model.model.windows is not None


def _tables(model: HostModel) -> bytes:
    """Return the thresholds, then the nodes, as they lie at the end of the model file."""
    end = len(model.blob) - 4
    return model.blob[_first(model) : end]


def _first(model: HostModel) -> int:
    return len(model.blob) - 4 - 4 * len(model.model.forest[0]) - sum(
        width * count for _, width, _, count in model.model.layout
    )


def _parts(model: HostModel) -> str:
    m = model.model
    starts, children, classes_end, trees = m.forest[4:]
    first = _first(model)
    windows = "None"
    if m.windows:
        each = ",".join(
            f"Window({w.channel},{w.kind},{w.size},{m.high[w.channel] - m.low[w.channel]})" for w in m.windows.windows
        )
        windows = f"Windows([{each}],{m.interval_ms})"
    return ("from features import Window,Windows\n" if m.windows else "") + PARTS.format(
        thresholds=len(model.blob) - 4 - 4 * len(m.forest[0]) - first,
        coders=[(f, w, p - first, c) for f, w, p, c in m.layout],
        nodes=len(m.forest[0]),
        low=list(m.low),
        high=list(m.high),
        windows=windows,
        features=len(m.codes),
        starts=list(starts),
        children=list(children),
        classes_end=classes_end,
        trees=trees,
        classes=len(m.classes),
        unsure_below=m.unsure_below,
        hysteresis=m.decision.hysteresis,
    ).replace(", ", ",")
