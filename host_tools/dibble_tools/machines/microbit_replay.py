"""Run a model on the micro:bit: its decisions on rows of readings, by the firmware's own code."""

import contextlib
from dataclasses import dataclass

import numpy as np
from dibble.inference.decision import OUT_OF_RANGE, SENSOR_FAULT

from dibble_tools.data.feature_spec import offsets_of
from dibble_tools.export.microbit.library import LIBRARY_FILE, lay_out
from dibble_tools.export.microbit.source import strip as strip
from dibble_tools.export.microbit.tables import has_room, only_last
from dibble_tools.machines.microbit import Microbit
from dibble_tools.machines.vms import VmError
from dibble_tools.model.decisions import Decisions
from dibble_tools.model.evaluator import evaluate, feature_values, held_classes
from dibble_tools.model.host_model import HostModel

MOST_ROWS = 400
BLOCK_BYTES = 126  # of the file system's 120 blocks
FILE_SYSTEM_BYTES = 118 * BLOCK_BYTES
ROWS = "rows"
REPLAY = """\
def replay():
 d=node.decision
 n=4*len(node.readings)
 f=open('rows','rb')
 while True:
  row=f.read(n)
  if not row:break
  row=array('i',row)
  for i in range(len(row)):node.readings[i]=row[i]
  node.predict()
  print(d.class_index,d.margin,d.flags,d.channel,d.held_index)
 f.close()
"""


class NoRoom(VmError):
    """The model doesn't fit the board: not a fault of either."""


@dataclass(frozen=True)
class SmallReplay:
    """What the micro:bit computed on the rows it was given, and what that took.

    Attributes:
        decisions, expected: the board's and the host's, of the same rows.
        rows: how many rows, from the first, fitted beside the library.
        note: what was left out.
        free_heap: bytes left beside library and model.
        instructions: exact Cortex-M0 instructions of one predict() on the first row, see least_count; None where
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
        NoRoom: library and model leave no room to run.
        VmMissing, VmError: see microbit.Microbit.
    """
    if not has_room(model.content):
        raise NoRoom("only forests and additive models without novelty or stand-ins are laid out for its 9 KB of heap")
    inputs, expected, note = board_inputs(model, readings, elapsed_ms)
    files = lay_out(model.content, functions=[REPLAY])
    room = FILE_SYSTEM_BYTES - sum(map(stored, files.values()))
    rows = min(len(inputs), MOST_ROWS, room // (4 * inputs.shape[1]))
    if rows < 1:
        raise NoRoom(f"its file system has no room for a model of {len(model.blob)} bytes")
    files[ROWS] = inputs[:rows].astype("<i4").tobytes()
    instructions = None
    try:
        with Microbit() as board:
            for name, data in files.items():
                board.put_file(name, data)
            load(board)
            free_heap = board.free_heap()
            table = np.array(board.exec("replay()", timeout_s=120).split(), dtype=np.int64)
            with contextlib.suppress(VmError):
                load(board)
                for i, reading in enumerate(inputs[0].tolist()):
                    board.exec(f"node.readings[{i}]={reading}")
                instructions = board.least_count("node.predict()")
    except VmError as error:
        if out_of_room(error):
            raise NoRoom(f"no room for a model of {len(model.blob)} bytes: {last_line(error)}") from error
        raise
    if len(table) != 5 * rows:
        raise VmError(f"expected {rows} decisions from the micro:bit, got {len(table) // 5}")
    host = Decisions(*expected.columns()[:rows].T)
    return SmallReplay(Decisions(*table.reshape(-1, 5).T), host, rows, note, free_heap, instructions)


def load(board: Microbit) -> None:
    """Load the library into a fresh heap: afterwards there is `node`, which has tested itself."""
    board.reset()
    # LOAD, but from here: its small stack holds no more than it has to.
    board.exec("import gc,micropython;micropython.opt_level(3)")
    board.exec(f"f=open({LIBRARY_FILE!r})")
    while board.exec("n=f.read(4);print(n)").strip():
        board.exec("exec(f.read(int(n)));gc.collect()")
    board.exec("f.close()")


def stored(data: bytes) -> int:
    """Return the bytes that a file takes of the file system."""
    return (len(data) + 16 + BLOCK_BYTES - 1) // BLOCK_BYTES * BLOCK_BYTES


def out_of_room(error: VmError) -> bool:
    """Tell whether heap, stack or file system was too small."""
    return any(sign in str(error) for sign in ("MemoryError", "OSError: 28", "recursion"))


def last_line(error: Exception) -> str:
    """Return the exception line of a guest's traceback."""
    return str(error).strip().rpartition("\n")[2]


def board_inputs(
    model: HostModel, readings: np.ndarray, elapsed_ms: np.ndarray | None
) -> tuple[np.ndarray, Decisions, str]:
    """Return the inputs for the board, the host's decisions on them, and a note on what was left out."""
    m = model.content
    if only_last(m):
        return readings, evaluate(m, readings, None), ""  # the board knows no gaps
    host = evaluate(m, readings, elapsed_ms)
    offsets = offsets_of(readings, m.channels)
    whole = (host.flags & (SENSOR_FAULT | OUT_OF_RANGE)) == 0
    values = feature_values(m, offsets, elapsed_ms)[whole]
    columns = host.columns()[whole]
    still = np.zeros(len(columns), dtype=bool)
    columns[:, 4] = held_classes(columns[:, 0], columns[:, 2], still, m.hysteresis)
    return values, Decisions(*columns.T), "windows computed on the host"
