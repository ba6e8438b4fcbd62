"""Run a model on real VMs, with the firmware's own files, and bring back every decision."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dibble
import numpy as np

from dibble_tools.common.shipped import ROOMS
from dibble_tools.export.unrolled import unrolled_source
from dibble_tools.machines.vms import VmError, VmRun, run_unix, run_wasi
from dibble_tools.model.decisions import Decisions
from dibble_tools.model.host_model import MODEL_FILE, HostModel

GUESTS = ROOMS / "machines" / "guest"
NONE_TOLD = -2  # an elapsed time that isn't handed to predict()
LONGEST_ELAPSED = 2**30 - 1
COST_ROWS = 20
# The WASI VM can't find what only its locals hold, so a collection may free what is in use: its
# heap must be too large to be collected.
WASI_HEAP = "48m"
WASI_MEMORY = 128 << 20
MACHINE_CODE = ("*_viper.py", "viper_probe.py", "*_thumb.py", "thumb_probe.py", "*plan.py", "machine_code.py")


@dataclass(frozen=True)
class Replay:
    """What a VM computed: its kernels ("viper" or "bytecode"), golden vectors passed, decisions."""

    kernels: str
    golden: int
    decisions: Decisions


@dataclass(frozen=True)
class Cost:
    """What a prediction costs on the 32-bit VM, exactly.

    Attributes:
        instructions: WebAssembly instructions per predict(), list in, decision out; the mean over rows.
        import_bytes, model_bytes: heap that importing and loading allocated, garbage included.
    """

    instructions: int
    import_bytes: int
    model_bytes: int


def on_unix(
    model: HostModel,
    readings: np.ndarray,
    elapsed_ms: np.ndarray | None,
    *,
    viper: bool,
    code: bool = False,
    timeout_s: float = 600,
) -> Replay:
    """Replay rows on the 64-bit unix VM, in machine code, in bytecode, or with the model as code."""
    with laid_out(model, readings, elapsed_ms, viper=viper, code=code) as folder:
        return _parse(run_unix(folder, "replay.py", heap="2m", timeout_s=timeout_s), len(readings))


def on_wasi(
    model: HostModel,
    readings: np.ndarray,
    elapsed_ms: np.ndarray | None,
    *,
    code: bool = False,
    timeout_s: float = 600,
) -> Replay:
    """Replay rows on the 32-bit VM, with the model's tables or with the model as code."""
    with laid_out(model, readings, elapsed_ms, code=code) as folder:
        run = run_wasi(folder, "replay.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY, timeout_s=timeout_s)
    return _parse(run, len(readings))


def cost(model: HostModel, readings: np.ndarray, *, code: bool = False) -> Cost:
    """Count what a prediction costs on the 32-bit VM, over up to COST_ROWS of the rows: by tables, or by code."""
    rows = readings[np.linspace(0, len(readings) - 1, min(COST_ROWS, len(readings))).astype(int)]
    with laid_out(model, rows, None, code=code) as folder:
        twice, run = _two_rounds(folder, "cost.py")
    import_bytes, model_bytes = (int(text) for text in run.stdout.split())
    return Cost(twice // (2 * len(rows)), import_bytes, model_bytes)


def middle_cost(model: HostModel) -> Cost:
    """Count what a prediction costs where every reading lies in the middle of its range."""
    middle = [(channel.low + channel.high) // 2 for channel in model.channels]
    return cost(model, np.array([middle], dtype=np.int64))


def kernel_cost(model: HostModel, values: np.ndarray) -> int:
    """Count the instructions of the family's kernels alone on the 32-bit VM, the mean over rows of feature values."""
    with laid_out(model, np.zeros((0, len(model.channels)), dtype=np.int64), None) as folder:
        (folder / "values.bin").write_bytes(values.astype("<i4").tobytes())
        return _two_rounds(folder, "kernel_cost.py")[0] // (2 * len(values))


def own_python_cost(model: HostModel) -> int:
    """Count what a prediction of a network of maps takes beside its kernels, on the 32-bit VM."""
    with laid_out(model, np.zeros((0, len(model.channels)), dtype=np.int64), None, viper=False) as folder:
        return _two_rounds(folder, "own_python_cost.py")[0] // 2


def _two_rounds(folder: Path, guest: str) -> tuple[int, VmRun]:
    """Return the instructions of two rounds of a guest's work, and its last run: of three rounds less those of one."""
    shutil.copy(GUESTS / guest, folder)
    counts = []
    for times in (1, 3):
        (folder / "times.txt").write_text(str(times))
        run = run_wasi(folder, guest, heap=WASI_HEAP, memory_bytes=WASI_MEMORY)
        assert run.instructions is not None
        counts.append(run.instructions)
    return counts[1] - counts[0], run


@contextlib.contextmanager
def laid_out(
    model: HostModel,
    readings: np.ndarray,
    elapsed_ms: np.ndarray | None,
    *,
    viper: bool = True,
    code: bool = False,
) -> Iterator[Path]:
    """Lay out a node's files: the library as it is copied to a board, the model, the rows to replay."""
    with tempfile.TemporaryDirectory(prefix="dibble-") as name:
        folder = Path(name)
        hidden = ("__pycache__", *(() if viper else MACHINE_CODE))
        shutil.copytree(Path(dibble.__path__[0]), folder / "lib" / "dibble", ignore=shutil.ignore_patterns(*hidden))
        shutil.copy(GUESTS / "replay.py", folder)
        (folder / MODEL_FILE).write_bytes(model.blob)
        if code:
            (folder / "model_code.py").write_text(unrolled_source(model))
        (folder / "rows.bin").write_bytes(rows_bytes(readings, elapsed_ms))
        yield folder


def rows_bytes(readings: np.ndarray, elapsed_ms: np.ndarray | None) -> bytes:
    """Return rows as guests read them: the elapsed ms, then the readings, 32-bit little-endian."""
    elapsed = np.full(len(readings), NONE_TOLD) if elapsed_ms is None else np.clip(elapsed_ms, -1, LONGEST_ELAPSED)
    return np.column_stack([elapsed, readings]).astype("<i4").tobytes()


def _parse(run: VmRun, rows: int) -> Replay:
    first, _, rest = run.stdout.partition("\n")
    kernels, golden = first.split()
    table = np.fromstring(rest, dtype=np.int64, sep=" ").reshape(-1, 5)
    if len(table) != rows:
        raise VmError(f"expected {rows} decisions from the VM, got {len(table)}", run.stdout)
    return Replay(kernels, int(golden), Decisions(*table.T))
