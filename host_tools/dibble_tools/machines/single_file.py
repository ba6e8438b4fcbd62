"""Run an exported Python file on real VMs, and bring back every decision."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from dibble.inference.fixed_point import MISSING

from dibble_tools.machines.machine_run import MachineRun, decisions_of
from dibble_tools.machines.microbit import Microbit
from dibble_tools.machines.microbit_replay import FILE_SYSTEM_BYTES, last_line, out_of_room, stored
from dibble_tools.machines.replay import GUESTS, WASI_HEAP, WASI_MEMORY, rows_bytes
from dibble_tools.machines.tools import TooLarge
from dibble_tools.machines.vms import VmError, VmRun, run_unix, run_wasi

MODULE = "exported"
GUEST, COST = "single_file.py", "single_file_cost.py"
COUNTED_ROWS = 20
MICROBIT_ROWS = 60
TRIES = 2  # on the micro:bit: what its collector takes for a pointer, and so the room, differs from run to run


def on_unix(text: str, readings: np.ndarray, elapsed_ms: np.ndarray | None) -> MachineRun:
    """Replay rows on the 64-bit unix VM."""
    with _folder(text, readings, elapsed_ms) as folder:
        words = run_unix(folder, GUEST, heap="2m", timeout_s=600).stdout.split()
    return MachineRun(decisions_of(words, len(readings)), 0)


def on_wasi(text: str, readings: np.ndarray, elapsed_ms: np.ndarray | None) -> MachineRun:
    """Replay rows on the 32-bit VM, and count the instructions of a prediction: the mean over the first rows."""
    with _folder(text, readings, elapsed_ms) as folder:
        words = _wasi(folder, GUEST).stdout.split()
        rows = readings[:COUNTED_ROWS]
        (folder / "rows.bin").write_bytes(rows_bytes(rows, None))
        counts = []
        for times in (1, 3):
            (folder / "times.txt").write_text(str(times))
            counts.append(_wasi(folder, COST).instructions or 0)
    mean = (counts[1] - counts[0]) // (2 * max(len(rows), 1))
    return MachineRun(decisions_of(words, len(readings)), 0, mean_cost=mean, unit="instructions")


def on_microbit(text: str, readings: np.ndarray, elapsed_ms: np.ndarray | None) -> MachineRun:
    """Replay the first rows on the emulated micro:bit, and count the instructions of the last prediction.

    Raises:
        TooLarge: the file can't be compiled in its 9 KB of heap.
    """
    data = text.encode()
    if stored(data) > FILE_SYSTEM_BYTES:
        raise TooLarge(f"no room for a file of {len(data):,} bytes: its file system holds {FILE_SYSTEM_BYTES:,}")
    for _ in range(TRIES - 1):
        with contextlib.suppress(TooLarge):
            return _on_microbit(data, readings[:MICROBIT_ROWS].tolist(), elapsed_ms)
    return _on_microbit(data, readings[:MICROBIT_ROWS].tolist(), elapsed_ms)


def _on_microbit(data: bytes, rows: list[list[int]], elapsed_ms: np.ndarray | None) -> MachineRun:
    words: list[str] = []
    try:
        with Microbit() as board:
            board.put_file(f"{MODULE}.py", data)
            board.exec(f"from {MODULE} import Node")
            board.exec("n=Node();d=n.predict")
            for i, row in enumerate(rows):
                told = [None if reading == MISSING else reading for reading in row]
                board.exec("r=" + str(told).replace(" ", ""))
                board.exec(f"d(r,{elapsed_ms[i]})" if elapsed_ms is not None else "d(r)")
                words += board.exec("print(n.class_index,n.margin,n.flags)").split()
                words += board.exec("print(n.channel,n.held_index)").split()
            count = board.least_count("d(r)")
            free = board.free_heap()
    except VmError as error:
        if out_of_room(error):
            raise TooLarge(f"no room for a file of {len(data):,} bytes: {last_line(error)}") from error
        raise
    note = f"without comments, {free:,} bytes of heap left"
    return MachineRun(decisions_of(words, len(rows)), 0, mean_cost=count, unit="instructions", note=note)


@contextlib.contextmanager
def _folder(text: str, readings: np.ndarray, elapsed_ms: np.ndarray | None) -> Iterator[Path]:
    """Lay out the file and the rows, and nothing of the library."""
    with tempfile.TemporaryDirectory(prefix="dibble-") as name:
        folder = Path(name)
        (folder / f"{MODULE}.py").write_text(text, encoding="utf-8")
        (folder / "rows.bin").write_bytes(rows_bytes(readings, elapsed_ms))
        for guest in (GUEST, COST):
            shutil.copy(GUESTS / guest, folder)
        yield folder


def _wasi(folder: Path, script: str) -> VmRun:
    return run_wasi(folder, script, heap=WASI_HEAP, memory_bytes=WASI_MEMORY, timeout_s=600)
