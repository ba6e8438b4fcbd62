"""The machines that each form of a model is checked on, and what the check found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from dibble_tools.common.formatting import whole
from dibble_tools.export.forms import write
from dibble_tools.export.microbit.source import strip
from dibble_tools.export.names import prefix_of
from dibble_tools.machines.compiled import CProgram, on_pc, on_target
from dibble_tools.machines.machine_run import MachineRun
from dibble_tools.machines.single_file import on_microbit, on_unix, on_wasi
from dibble_tools.machines.targets import ATMEGA328P, CORTEX_M0
from dibble_tools.machines.tools import TooLarge, ToolError
from dibble_tools.machines.verify import first_difference
from dibble_tools.machines.vms import VmError
from dibble_tools.model.host_model import HostModel

C_MACHINES = {"pc": "PC", "cortex_m0": "Cortex-M0", "atmega328p": "ATmega328P"}
VMS = {"unix": "unix VM", "wasi": "WASI VM", "microbit": "micro:bit"}
MACHINES = {"c": C_MACHINES, "arduino": C_MACHINES, "python": VMS}


@dataclass(frozen=True)
class Checked:
    """A machine's decisions compared with the host's.

    Attributes:
        machine: its name.
        rows, equal: rows replayed, and those that agree in everything.
        outcome: what it computed; None where it couldn't.
        problem: the first difference, or why it failed; "" when all is well.
        note: why it wasn't run, or what was left out.
    """

    machine: str
    rows: int = 0
    equal: int = 0
    outcome: MachineRun | None = None
    problem: str = ""
    note: str = ""


def check(
    model: HostModel,
    form: str,
    readings: np.ndarray,
    elapsed_ms: np.ndarray | None,
    *,
    name: str = "",
    machines: Sequence[str] = (),
    progress: Callable[[str], None] = lambda step: None,
) -> list[Checked]:
    """Replay rows on the machines that a form is for, and compare with the host's NumPy evaluator.

    Args:
        machines: some of MACHINES[form]; none: all of them, and one that is too small is no problem then.
    Raises:
        InputError: a compiler, simulator or VM isn't installed.
    """
    content = model.content
    elapsed_ms = elapsed_ms if content.timed else None
    host = model.decide(readings, elapsed_ms)
    files = write(model, "python" if form == "python" else "c", name)
    found = []
    for machine in machines or MACHINES[form]:
        words = MACHINES[form][machine]
        progress(words)
        if form == "python":
            run = partial(_on_vm, machine, next(iter(files.values())))
        else:
            run = partial(_compiled, machine, CProgram(files, prefix_of(name or content.name), content.timed))
        try:
            outcome = run(readings, elapsed_ms)
        except TooLarge as error:
            found.append(Checked(words, note="too small for it", problem=str(error) if machines else ""))
            continue
        except (ToolError, VmError) as error:
            found.append(Checked(words, problem=str(error)))
            continue
        rows = len(outcome.decisions.margin)
        expected = type(host)(*host.columns()[:rows].T)
        equal, problem = first_difference(expected, outcome.decisions, model.classes)
        if outcome.failed and not problem:
            problem = f"golden vector {outcome.failed - 1}: expected another decision"
        found.append(Checked(words, rows, equal, outcome, problem, outcome.note))
    return found


def check_table(found: Sequence[Checked]) -> Table:
    """Return a table of the machines: rows that agree with the host, flash, RAM, cost."""
    table = Table(
        title="the same decisions on every machine", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    names = ("machine", "rows equal", "flash", "RAM", "mean cost", "most", "")
    for i, name in enumerate(names):
        right = 0 < i < len(names) - 1
        table.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=i < len(names) - 1)
    for checked in found:
        o = checked.outcome
        figures = (o.flash, o.ram, o.mean_cost, o.most_cost) if o else (None,) * 4
        notes = (o.unit if o else "", checked.note or ("differs" if checked.problem else ""))
        table.add_row(
            checked.machine,
            f"{checked.equal:,} of {checked.rows:,}" if checked.rows else "-",
            *(whole(figure) for figure in figures),
            Text(", ".join(filter(None, notes))),
        )
    if any(checked.outcome and checked.outcome.flash for checked in found):
        table.caption_justify = "left"
        table.caption = "flash and RAM in bytes, of the smallest program around the model: readings and stack included"
    return table


def _compiled(machine: str, source: CProgram, readings: np.ndarray, elapsed_ms: np.ndarray | None) -> MachineRun:
    if machine == "pc":
        on_pc(source, readings, elapsed_ms)
        return on_pc(source, readings, elapsed_ms, sanitized=True)
    return on_target(source, readings, elapsed_ms, CORTEX_M0 if machine == "cortex_m0" else ATMEGA328P)


def _on_vm(machine: str, text: str, readings: np.ndarray, elapsed_ms: np.ndarray | None) -> MachineRun:
    if machine == "microbit":
        return on_microbit(strip(text), readings, elapsed_ms)
    return (on_unix if machine == "unix" else on_wasi)(text, readings, elapsed_ms)
