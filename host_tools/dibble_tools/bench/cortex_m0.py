"""Exact Cortex-M0 instructions of the kernels in machine code, and of C at -O2 for the same tables, in QEMU.

The code is what `mpy-cross -march=armv6m` makes of the kernels in assembler and viper, run bare metal on one plan:
readings in, winner and margin out; of a model with windows on two, that of the windows first. The VM's part of a call
isn't in the count: see microbit_call.py.
The machine is the one that exported C is checked on: programs/c/native.
"""

import ast
import shutil
import tempfile
from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import dibble
import numpy as np
from dibble.inference import features as board

from dibble_tools.bench import reference
from dibble_tools.bench.cases import Case
from dibble_tools.bench.machine_code import machine_code
from dibble_tools.common.shipped import ROOMS
from dibble_tools.machines.compiled import NATIVE
from dibble_tools.machines.targets import CORTEX_M0
from dibble_tools.machines.tools import run as run_tool
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.reader import kernel_tables

PLAIN = ("-fno-data-sections",)  # tables lie side by side, as gcc -O2 has them if nothing else is asked for
KERNELS_C = ROOMS / "bench" / "native" / "kernels.c"
FIRMWARE_KERNELS = Path(dibble.__path__[0]) / "inference" / "kernels"
PLANS = {
    "forest": ("plan", "forest_plan"),
    "additive": ("plan", "coded_plan", "additive_plan"),
    "mlp": ("plan", "coded_plan", "mlp_plan"),
}
KERNELS = {"forest": "forest", "additive": "coded", "mlp": "coded"}


class Counts(NamedTuple):
    """Instructions of a prediction, the mean over a case's rows: by assembler, by viper, by C where there is some."""

    thumb: float
    viper: float
    gcc: float | None = None


def instructions(case: Case) -> Counts:
    """Return the instructions of each; AssertionError where an answer isn't the model's."""
    decisions = case.model.decide(case.rows)
    expected = [int(c) | int(m) << 8 for c, m in zip(decisions.class_index, decisions.margin, strict=True)]
    kernel = KERNELS[case.model.content.family_name]
    tables = _rows(case.rows) + _placed(case.model.blob, plan_of(case)) + codes(kernel)
    kinds = ["thumb", "viper", "classify"]
    filled: list[str] = []  # windows, before anything is counted
    if case.model.content.windowed:
        tables += windows_of(case.model) + codes("features", "windows_")
        kinds = ["windows_thumb", "windows_viper"]
        filled = [f"{kind}(rows[0]);" for kind in kinds]
    else:
        tables += reference.source(case)
    rows = range(len(expected))
    numbers = run(tables, [*filled, *(f"count({kind}, rows[{i}]);" for kind in kinds for i in rows)])
    found = [(numbers[i], numbers[i + 1]) for i in range(0, len(numbers), 2)]
    means = []
    for first in range(0, len(found), len(expected)):
        own = found[first : first + len(expected)]
        assert [answer for answer, _ in own] == expected, (own, expected)
        means.append(sum(count for _, count in own) / len(expected))
    return Counts(*means)


def plan_of(case: Case) -> array:
    """Return the plan of a model, as the firmware's own Python makes it; its first word has to become the file's."""
    plan, _ = plans(case.model.content.family_name)(*parts_of(case.model))
    return plan


def windows_of(model: HostModel) -> str:
    """Return C of the windows' plan, as the firmware's own Python makes it."""
    content = model.content
    features = [(f.channel, f.kind, f.size) for f in content.features]
    spans = [channel.high - channel.low for channel in content.channels]
    files = [FIRMWARE_KERNELS / f"{file}.py" for file in ("plan", "features_plan")]
    make = functions(files, KIND="thumb", push=None, **vars(board))["WindowsPlan"]
    windows = make(features, spans, content.interval_ms, model.model.low)
    values = windows.values_at - windows.plan_at
    words = listed(word & 0xFFFFFFFF for word in windows.plan)
    return f"#define WINDOWS\n#define VALUES {values}\nstatic uint32_t windows[] = {{{words}}};\n"


def parts_of(model: HostModel) -> tuple[Any, ...]:
    """Return the arguments for the maker of a model's kernel: the last two are lows and limits."""
    tables = kernel_tables(model.blob)
    parts = tables if model.content.family_name == "forest" else (tables,)
    lows = [0] * len(model.content.limits) if model.content.windowed else model.model.low
    return (model.blob, *parts, lows, model.content.limits)


def plans(name: str) -> Any:
    """Return the function that makes a family's plan, of the firmware's own source, without a kernel to run it."""
    return functions([FIRMWARE_KERNELS / f"{file}.py" for file in PLANS[name]], classify=lambda plan, row: None)[name]


def functions(files: Iterable[Path], **kernels: Any) -> dict[str, Any]:
    """Return the names of the firmware's files that make plans, run on this computer one after the other.

    Args:
        kernels: what stands in for those in machine code.
    """
    scope: dict[str, Any] = {"address": address, **kernels}
    for file in files:
        tree = ast.parse(file.read_text())
        tree.body = [node for node in tree.body if not isinstance(node, ast.If) and not _of_dibble(node)]
        exec(compile(tree, file.name, "exec"), scope)
    return scope


def _of_dibble(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and str(node.module).startswith("dibble")


def address(table: Any) -> int:
    """Return where something lies in this process."""
    return int(np.asarray(memoryview(table)).__array_interface__["data"][0])


def codes(kernel: str, before: str = "") -> str:
    """Return C of a kernel's machine code, "forest", "coded" or "features": thumb_code and viper_code."""
    return code_of({kind: FIRMWARE_KERNELS / f"{kernel}_{kind}.py" for kind in ("thumb", "viper")}, before)


def code_of(files: Mapping[str, Path], before: str = "") -> str:
    """Return C of the machine code of files, KIND_code by the kind of each: "thumb" and "viper".

    Args:
        before: what these names begin with.
    """
    return "".join(
        f"static const uint8_t __attribute__((aligned(4))) {before}{kind}_code[] = "
        f"{{{listed(machine_code(file, kind))}}};\n"
        for kind, file in files.items()
    )


def _placed(blob: bytes, plan: Sequence[int]) -> str:
    """Return C of a file and its plan."""
    return (
        f"static const uint8_t __attribute__((aligned(4))) blob[] = {{{listed(blob)}}};\n"
        f"static uint32_t plan[] = {{{listed(word & 0xFFFFFFFF for word in plan)}}};\n"
    )


def run(tables: str, calls: Iterable[str]) -> list[int]:
    """Return the numbers that C statements print: see native/kernels.c, to which these and their tables belong.

    Raises:
        ToolMissing, ToolError: see tools.run.
    """
    text = KERNELS_C.read_text()
    text = text[text.index("#include") :].replace("{{tables}}", tables).replace("{{calls}}", "\n".join(calls))
    with tempfile.TemporaryDirectory(prefix="dibble-") as name:
        folder = Path(name)
        for path in NATIVE.iterdir():
            shutil.copy(path, folder)
        (folder / "kernels.c").write_text(text)
        run_tool([*CORTEX_M0.compiler, *PLAIN, "-w", "kernels.c", "-lgcc", "-o", "check.elf"], folder)
        return [int(word) for word in run_tool(CORTEX_M0.simulator, folder).split()]


def _rows(rows: np.ndarray) -> str:
    inner = ",".join("{" + listed(row) + "}" for row in rows.tolist())
    return f"static const int32_t rows[][{rows.shape[1]}] = {{{inner}}};\n"


def listed(values: Any) -> str:
    """Return integers as C writes them between braces."""
    return ",".join(str(int(value)) for value in values)
