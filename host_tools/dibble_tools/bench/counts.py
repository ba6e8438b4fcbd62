"""Exact counts of a model's prediction: what costs nothing to repeat, and so can be held against a stored baseline."""

import tempfile
from pathlib import Path

from dibble_tools.bench.cases import Case
from dibble_tools.bench.kept import heap_kept
from dibble_tools.common.shipped import LIBRARY
from dibble_tools.export.unrolled import unrolled_source
from dibble_tools.machines.replay import WASI_HEAP, WASI_MEMORY, cost, kernel_cost, laid_out, on_unix, on_wasi
from dibble_tools.machines.vms import run_unix, run_wasi, unix_can_exist
from dibble_tools.model.evaluator import feature_values
from dibble_tools.node.files import compiled, source_of

VIPER_FOR = "armv6m"
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
IMPORTED = """
import gc, sys
before = gc.mem_alloc()
from dibble.inference import contents, model_of, model
taken = gc.mem_alloc() - before
model_of(contents(__file__[: __file__.rfind("/") + 1] + "model.dib"), None, True)  # as where its pass is kept
print(taken, *[name for name in sys.modules if name.startswith("dibble")])
"""


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
        "kernel_tables": kernel_cost(case.model, feature_values(case.model.content, offsets)),
        "kernel_code": code_cost(case),
    }


def code_cost(case: Case, *, ranges: bool = True) -> int:
    """Return the instructions of the model as code alone: a row in, the decision out.

    Args:
        ranges: every reading is held within its range.
    """
    m = case.model.model
    rows = feature_values(case.model.content, case.rows - list(m.low)) if m.windows else case.rows
    found = []
    for times in (1, 3):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "model_code.py").write_text(unrolled_source(case.model, ranges=ranges))
            (Path(folder) / "main.py").write_text(ALONE.format(rows=rows.tolist(), times=times))
            run = run_wasi(Path(folder), "main.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY)
            assert run.instructions is not None
            found.append(run.instructions)
    return (found[1] - found[0]) // (2 * len(rows))


def sizes(case: Case) -> dict[str, int]:
    """Return bytes: of the model, of the model as code, of the library that loads and runs its tables; heap kept."""
    return {
        "model": len(case.model.blob),
        "code_mpy": code_bytes(case),
        "library_mpy": bytecode_library(case)[0],
        "heap_kept_tables": heap_kept(case),
        "heap_kept_code": heap_kept(case, code=True),
    }


def code_bytes(case: Case) -> int:
    """Return how large the model as code is as .mpy."""
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder) / "model_code.py"
        code.write_text(unrolled_source(case.model))
        return len(compiled(code, ""))


def bytecode_library(case: Case) -> tuple[int, int]:
    """Return (bytes of the .mpy files that a model's tables need, heap that the import allocates).

    The heap is the 32-bit VM's, garbage included, before the model's own family is imported.
    """
    with laid_out(case.model, case.rows, None, viper=False) as folder:
        for source in (folder / "lib").rglob("*.py"):
            source.with_suffix(".mpy").write_bytes(compiled(LIBRARY.parent / source.relative_to(folder / "lib"), ""))
            source.unlink()
        (folder / "main.py").write_text(IMPORTED)
        taken, *modules = run_wasi(folder, "main.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY).stdout.split()
    return library_bytes(modules, ""), int(taken)


def viper_library(case: Case) -> int:
    """Return bytes of the .mpy files that a model's tables need where there is viper, on a Cortex-M0."""
    with laid_out(case.model, case.rows, None, viper=True) as folder:
        (folder / "main.py").write_text(IMPORTED)
        modules = run_unix(folder, "main.py").stdout.split()[1:]
    return library_bytes(modules, VIPER_FOR)


def library_bytes(modules: list[str], architecture: str) -> int:
    """Return how large modules of the firmware are as .mpy."""
    return sum(len(compiled(source_of(module), architecture)) for module in modules)


def heap_per_prediction(case: Case) -> int:
    """Return 0: each kernel set predicts with its VM's heap locked, or this raises VmError."""
    on_wasi(case.model, case.rows, None)
    on_wasi(case.model, case.rows, None, code=True)
    if unix_can_exist():
        on_unix(case.model, case.rows, None, viper=True)
    return 0
