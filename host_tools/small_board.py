"""Run a model on the micro:bit, whose 9 KB of heap don't hold the model file's reader.

The firmware's own predictor, kernels, decision and windows run there, less their docstrings; in
the reader's place stands one generated module with what the reader would have found in the file.
"""

import ast
import contextlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dibble
import numpy as np
from dibble.inference import forest
from dibble.inference.cursor import Cursor
from dibble.inference.decision import OUT_OF_RANGE, SENSOR_FAULT
from dibble.inference.features import feature_limit
from dibble.inference.fixed_point import MISSING
from dibble.inference.forest_bytecode import prepare_coders
from dibble.inference.model import FOREST

from host_tools.evaluator import Decisions, evaluate, feature_values, held_classes
from host_tools.host_model import HostModel
from host_tools.microbit import Microbit
from host_tools.vms import VmError

SOURCES = (
    "__init__",
    "inference/fixed_point",
    "inference/kernels_bytecode",
    "inference/forest_bytecode",
    "inference/forest",
    "inference/decision",
    "inference/predictor",
)
# The host runs these instead, and their results are in the generated module; or nothing there needs them.
LEFT_OUT = (
    *("prepare_coders", "prepare_scalers", "scale"),
    *("width_of", "read", "build", "_read_pages", "_place"),
    *("because", "restart"),
)
NO_NOVELTY = ("self.novelty", "self.novel_below", "self.density")  # statements that begin with these, or ask for them
KERNELS = {
    "from dibble.inference import kernels": "import kernels_bytecode as kernels",
    "from forest_kernels import": "from forest_bytecode import",
}
MOST_ROWS = 400
BLOCK_BYTES = 126  # of the file system's 120 blocks
FILE_SYSTEM_BYTES = 118 * BLOCK_BYTES
PARTS = """\
from array import array
def build():
 from predictor import Predictor
 from forest import Forest
 f=open('t','rb')
 c=({direct},{ranked})
 n=[f.read({nodes}) for _ in range(4)]
 f.close()
 return Predictor(array('i',{low}),array('i',{high}),None,Forest({features},c,tuple(n)+(array('i',{starts}),
 array('i',{children}),{leaves_end},{trees},{leaf_classes},{leaf_amounts},array('H',{base}))),{classes},
 {unsure_below},{hysteresis})
"""
REPLAY = """\
from array import array
def replay(node):
 d=node.decision
 n=4*len(node.readings)
 f=open('r','rb')
 while True:
  row=f.read(n)
  if not row:break
  row=array('i',row)
  for i in range(len(row)):node.readings[i]=row[i]
  node.predict()
  print(d.class_index,d.margin,d.flags,d.channel,d.held_index)
 f.close()
"""


class TooLarge(VmError):
    """The model doesn't fit the board: not a fault of either."""


@dataclass(frozen=True)
class SmallReplay:
    """What the micro:bit computed on the rows it was given, and what that took.

    Attributes:
        decisions, expected: the board's and the host's, of the same rows.
        rows: how many rows, from the first, fitted beside the library.
        note: what was left out.
        free_heap: bytes left beside library and model.
        instructions: exact Cortex-M0 instructions of one predict() on the first row; None where
            no room was left to count them.
    """

    decisions: Decisions
    expected: Decisions
    rows: int
    note: str
    free_heap: int
    instructions: int | None


def on_microbit(model: HostModel, readings: np.ndarray, elapsed_ms: np.ndarray | None) -> SmallReplay:
    """Replay the first rows, as many as the board's file system takes, on the emulated micro:bit.

    Raises:
        TooLarge: library and model leave no room to run.
        VmMissing, VmError: see microbit.Microbit.
    """
    m = model.model
    if m.blob[5] != FOREST:
        raise TooLarge("only a plain forest is laid out for its 9 KB of heap so far")
    inputs, expected, note = _inputs(model, readings, elapsed_ms)
    files = files_of(model)
    room = FILE_SYSTEM_BYTES - sum(_stored(data) for data in files.values())
    rows = min(len(inputs), MOST_ROWS, room // (4 * inputs.shape[1]))
    if rows < 1:
        raise TooLarge(f"its file system has no room for a model of {len(model.blob)} bytes")
    files["r"] = inputs[:rows].astype("<i4").tobytes()
    instructions = None
    try:
        with Microbit() as board:
            for name, data in files.items():
                board.put_file(name, data)
            _load(board, files)
            free_heap = board.free_heap()
            table = np.array(board.exec("replay.replay(node)", timeout_s=120).split(), dtype=np.int64)
            with contextlib.suppress(VmError):
                _load(board, files)
                values = ",".join(str(reading) for reading in inputs[0])
                instructions = board.count("node.predict(row)", setup=f"row=({values},)")
    except VmError as error:
        if any(sign in str(error) for sign in ("MemoryError", "OSError: 28", "recursion")):
            raise TooLarge(f"no room for a model of {len(model.blob)} bytes: {last_line(error)}") from error
        raise
    if len(table) != 5 * rows:
        raise VmError(f"expected {rows} decisions from the micro:bit, got {len(table) // 5}")
    host = Decisions(*expected.columns()[:rows].T)
    return SmallReplay(Decisions(*table.reshape(-1, 5).T), host, rows, note, free_heap, instructions)


def _load(board: Microbit, files: dict[str, bytes]) -> None:
    """Import the library into a fresh heap and build `node`."""
    board.reset()
    # One after the other, as its small stack doesn't hold the compilers of nested imports.
    for name in files:
        if name.endswith(".py"):
            board.exec(f"import gc,{name[:-3]};gc.collect()")
    board.exec("node=parts.build();gc.collect()")


def _stored(data: bytes) -> int:
    return (len(data) + 16 + BLOCK_BYTES - 1) // BLOCK_BYTES * BLOCK_BYTES


def last_line(error: Exception) -> str:
    """Return the exception line of a guest's traceback."""
    return str(error).strip().rpartition("\n")[2]


def files_of(model: HostModel) -> dict[str, bytes]:
    """Return every file the board needs, by its name in the flat file system."""
    library = Path(dibble.__path__[0])
    # The generated modules first: compiling them takes a heap that is still in one piece.
    files = {"parts.py": _parts(model).encode(), "replay.py": REPLAY.encode(), "t": _tables(model)}
    for name in SOURCES:
        flat = "dibble" if name == "__init__" else name.rpartition("/")[2]
        source = (library / f"{name}.py").read_text(encoding="utf-8")
        files[f"{flat}.py"] = strip(source, without=LEFT_OUT).encode()
    return files


def strip(source: str, without: Sequence[str] = ()) -> str:
    """Return the same code less comments, docstrings and the functions `without`; imports flattened."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef):
            node.body = body = [part for part in node.body if getattr(part, "name", None) not in without]
        if isinstance(node, ast.FunctionDef) and without:
            node.body = body = [part for part in node.body if not _begin(part).startswith(NO_NOVELTY)]
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            assert body is not None
            body[:] = body[1:] or [ast.Pass()]
        if isinstance(node, ast.ImportFrom) and node.module:
            node.module = node.module.removeprefix("dibble.inference.")
            node.names = [alias for alias in node.names if alias.name not in without]
    text = ast.unparse(tree)
    for there, here in KERNELS.items():
        text = text.replace(there, here)
    lines = [line.lstrip(" ") for line in text.splitlines()]
    depths = [(len(line) - len(line.lstrip(" "))) // 4 for line in text.splitlines()]
    return "".join(" " * depth + line + "\n" for depth, line in zip(depths, lines, strict=True) if line)


def _begin(part: ast.stmt) -> str:
    """Return the source of what a statement assigns to or, if it is an if, asks."""
    return ast.unparse(part.test if isinstance(part, ast.If) else part)


def _forest(model: HostModel) -> tuple[list, tuple]:
    m = model.model
    return forest.read(Cursor(m.blob, m.family_at), m.limits, len(m.classes))


def _tables(model: HostModel) -> bytes:
    """Return the wider thresholds, then the nodes, as `parts` reads them."""
    layout, tables = _forest(model)
    _, ranked = prepare_coders(model.blob, layout)
    wide = b"".join(t.tobytes() for _, t, _, _, _ in ranked if isinstance(t, array))
    return wide + b"".join(bytes(table) for table in tables[:4])


def _parts(model: HostModel) -> str:
    m = model.model
    layout, tables = _forest(model)
    starts, children, leaves_end, trees, leaf_classes, leaf_amounts, base = tables[4:]
    direct, ranked = prepare_coders(m.blob, layout)
    coders = []
    for feature, t, first, jump, steps in ranked:
        table = f"array({t.typecode!r},f.read({len(t) * t.itemsize}))" if isinstance(t, array) else repr(bytes(t))
        coders.append(f"({feature},{table},{first},{jump},{steps!r})")
    low, high = _ranges(model)
    return PARTS.format(
        direct=direct,
        ranked="[" + ",".join(coders) + "]",
        nodes=len(tables[0]),
        low=low,
        high=high,
        features=len(m.limits),
        starts=list(starts),
        children=list(children),
        leaves_end=leaves_end,
        trees=trees,
        leaf_classes=bytes(leaf_classes),
        leaf_amounts=bytes(leaf_amounts),
        base=list(base),
        classes=len(m.classes),
        unsure_below=m.unsure_below,
        hysteresis=m.decision.hysteresis,
    ).replace(", ", ",")


def _ranges(model: HostModel) -> tuple[list[int], list[int]]:
    """Return the range of each input of the board's predictor: a channel's, or with windows a feature's."""
    m = model.model
    if not m.windows:
        return list(m.low), list(m.high)
    limits = [feature_limit(w.kind, m.high[w.channel] - m.low[w.channel]) for w in m.windows.windows]
    return [0] * len(limits), limits


def _inputs(model: HostModel, readings: np.ndarray, elapsed_ms: np.ndarray | None) -> tuple[np.ndarray, Decisions, str]:
    """Return what the board is given, what the host decides on it, and what was left out."""
    m = model.model
    host = evaluate(m, readings, elapsed_ms)
    if not m.windows:
        return readings, host, ""
    low, high = np.array(m.low), np.array(m.high)
    offsets = np.where(readings == MISSING, -1, np.clip(readings, low, high) - low)
    whole = (host.flags & (SENSOR_FAULT | OUT_OF_RANGE)) == 0
    values = feature_values(m, offsets, elapsed_ms)[whole]
    columns = host.columns()[whole]
    still = np.zeros(len(columns), dtype=bool)
    columns[:, 4] = held_classes(columns[:, 0], columns[:, 2], still, m.decision.hysteresis)
    return values, Decisions(*columns.T), "windows computed on the host"
