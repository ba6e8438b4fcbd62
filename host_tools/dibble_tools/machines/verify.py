"""`dibble verify`: does every VM compute what the host computes, row by row?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from dibble.inference.decision import NO_CLASS
from rich.table import Table
from rich.text import Text

from dibble_tools.machines.microbit_replay import NoRoom, on_microbit
from dibble_tools.machines.replay import Replay, on_unix, on_wasi
from dibble_tools.machines.vms import VmError, unix_can_exist
from dibble_tools.model.decisions import Decisions, flag_text
from dibble_tools.model.host_model import HostModel
from dibble_tools.report.tables import new_table

VMS = ("unix", "wasi", "microbit")
FIELDS = ("class", "margin", "flags", "channel", "held class")


@dataclass(frozen=True)
class Agreement:
    """One VM's answer compared with the host's.

    Attributes:
        vm: which VM and kernels.
        rows, equal: rows replayed, and those that agree in everything.
        golden: golden vectors of the file that the VM passed; None where it doesn't read the file.
        problem: the first difference, or why the VM failed; "" when all is well.
        note: what was left out, and why.
        instructions: exact instructions of one predict() on the first row, where they are counted.
        free_heap: bytes of heap left beside library and model, where it is known.
    """

    vm: str
    rows: int = 0
    equal: int = 0
    golden: int | None = None
    problem: str = ""
    note: str = ""
    instructions: int | None = None
    free_heap: int | None = None

    @property
    def ok(self) -> bool:
        """Tell whether nothing speaks against this VM."""
        return not self.problem


def verify(
    model: HostModel,
    readings: np.ndarray,
    elapsed_ms: np.ndarray | None,
    *,
    vms: Sequence[str] = VMS,
    progress: Callable[[str], None] = lambda step: None,
) -> list[Agreement]:
    """Replay rows of readings on each VM and compare with the host's NumPy evaluator.

    Raises:
        VmMissing: a VM isn't installed.
    """
    host = model.decide(readings, elapsed_ms)
    found = []
    for vm in vms:
        if vm == "unix":
            for viper in (True, False):
                name = f"unix, 64-bit, {'viper' if viper else 'bytecode'}"
                progress(name)
                run = partial(on_unix, model, readings, elapsed_ms, viper=viper)
                found.append(_replayed(name, run, host, model, "viper" if viper else "bytecode"))
        elif vm == "wasi":
            progress("WASI, 32-bit, bytecode")
            run = partial(on_wasi, model, readings, elapsed_ms)
            found.append(_replayed("WASI, 32-bit, bytecode", run, host, model, "bytecode"))
        else:
            progress("micro:bit, Cortex-M0, bytecode")
            found.append(_on_microbit(model, readings, elapsed_ms, required=list(vms) == ["microbit"]))
    return found


def vms_that_can_exist() -> list[str]:
    """Return the VMs there are for this machine: all, but no unix VM where none is built for it."""
    return [vm for vm in VMS if vm != "unix" or unix_can_exist()]


def agreement_table(found: Sequence[Agreement]) -> Table:
    """Return a table of the VMs: rows that agree with the host, golden vectors, instructions."""
    table = new_table(
        "the same decisions on every VM",
        "VM",
        "rows equal",
        "golden",
        "instructions a prediction",
        "note",
        numbers=(1, 2, 3),
    )
    for a in found:
        table.add_row(
            Text(a.vm),
            f"{a.equal} of {a.rows}" if a.rows else "-",
            "-" if a.golden is None else str(a.golden),
            "-" if a.instructions is None else f"{a.instructions:,}",
            Text(a.note or ("differs" if a.problem else "")),
        )
    return table


def first_difference(host: Decisions, guest: Decisions, classes: Sequence[str], first_row: int = 0) -> tuple[int, str]:
    """Return how many rows agree in everything, and the first that doesn't in words ("" if all do)."""
    ours, theirs = host.columns(), guest.columns()
    same = ours == theirs
    equal = int(same.all(axis=1).sum())
    if equal == len(ours):
        return equal, ""
    row, column = np.argwhere(~same)[0]

    def text(value: int) -> str:
        if FIELDS[column] in ("class", "held class"):
            return "none" if value == NO_CLASS else classes[value] if value < len(classes) else str(value)
        if FIELDS[column] == "flags":
            return flag_text(int(value), "none")
        return str(value)

    return equal, (
        f"row {first_row + row}: expected {FIELDS[column]} {text(ours[row, column])}, "
        f"got {text(theirs[row, column])} ({len(ours) - equal} rows differ)"
    )


def _replayed(name: str, run: Callable[[], Replay], host: Decisions, model: HostModel, kernels: str) -> Agreement:
    try:
        replay = run()
    except VmError as error:
        return Agreement(name, problem=str(error))
    if replay.kernels != kernels:
        return Agreement(name, problem=f"expected the {kernels} kernels, got {replay.kernels}")
    equal, problem = first_difference(host, replay.decisions, model.classes)
    return Agreement(name, len(host.margin), equal, replay.golden, problem)


def _on_microbit(model: HostModel, readings: np.ndarray, elapsed_ms: np.ndarray | None, *, required: bool) -> Agreement:
    name = "micro:bit, Cortex-M0, bytecode"
    try:
        run = on_microbit(model, readings, elapsed_ms)
    except NoRoom as error:
        return Agreement(name, problem=str(error) if required else "", note=str(error))
    except VmError as error:
        return Agreement(name, problem=str(error))
    equal, problem = first_difference(run.expected, run.decisions, model.classes)
    return Agreement(name, run.rows, equal, None, problem, run.note, run.instructions, run.free_heap)
