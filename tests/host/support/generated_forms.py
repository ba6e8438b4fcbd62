"""Every form that dibble writes a model in, run on random models and compared row by row with the host's oracle.

A new form has its place in FORMS; a new family or kind of feature in random_models.py.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dibble.inference.decision import NO_CLASS, NOVEL, OUT_OF_RANGE, SENSOR_FAULT, UNSURE
from dibble.inference.fixed_point import MISSING
from dibble_tools.common.errors import InputError
from dibble_tools.export.forms import write
from dibble_tools.export.microbit.library import LOAD, TEST, lay_out
from dibble_tools.export.microbit.tables import has_room
from dibble_tools.export.names import prefix_of
from dibble_tools.machines import compiled, replay, single_file, tools
from dibble_tools.machines.machine_run import decisions_of
from dibble_tools.machines.microbit_replay import NoRoom, board_inputs, on_microbit
from dibble_tools.machines.replay import WASI_HEAP, WASI_MEMORY
from dibble_tools.machines.targets import ATMEGA328P, CORTEX_M0
from dibble_tools.machines.tools import TooLarge
from dibble_tools.machines.verify import first_difference
from dibble_tools.machines.vms import VmRun, run_unix, run_wasi
from dibble_tools.model.evaluator import Decisions
from random_models import Case, random_case


@dataclass(frozen=True)
class Result:
    """One model in one form.

    Attributes:
        rows: compared.
        problem: the first difference or failure; "" where all rows agree.
        refused: why the form can't hold this model, which it says; "" where it can.
    """

    rows: int = 0
    problem: str = ""
    refused: str = ""


def _tables(case: Case, *, viper: bool) -> Decisions:
    return replay.on_unix(case.model, case.readings, case.elapsed_ms, viper=viper).decisions


def _python(case: Case, run: Callable, *, small: bool) -> Decisions:
    (text,) = write(case.model, "python", small=small).values()
    return run(text, case.readings, case.elapsed_ms if case.model.content.timed else None).decisions


def _microbit(case: Case, run_vm: Callable[..., VmRun], **options: Any) -> Decisions:
    """Return what the micro:bit's files decide on a VM with more heap than the board, and so with all rows."""
    if not has_room(case.model.content):
        raise InputError("neither networks nor novelty are laid out for the micro:bit")
    inputs, expected, _ = board_inputs(case.model, case.readings, case.elapsed_ms)
    with tempfile.TemporaryDirectory(prefix="dibble-") as name:
        folder = Path(name)
        for file, data in lay_out(case.model.content).items():
            (folder / file).write_bytes(data)
        (folder / "rows").write_bytes(inputs.astype("<i4").tobytes())
        load = re.sub(r" *gc\.collect\(\)\n", "", LOAD + TEST)
        (folder / "main.py").write_text(MICROBIT.read_text().replace("LOAD = None\n", load))
        words = run_vm(folder, "main.py", timeout_s=600, **options).stdout.split()
    return _compared(case, expected, decisions_of(words, len(inputs)))


def _emulated(case: Case) -> Decisions:
    ran = on_microbit(case.model, case.readings, case.elapsed_ms)
    return _compared(case, ran.expected, ran.decisions)


def _compared(case: Case, expected: Decisions, got: Decisions) -> Decisions:
    """Return decisions where what is expected isn't the case's own, as no gaps are told: those, changed as they differ.

    Raises:
        AssertionError: a row differs.
    """
    rows = len(got.margin)
    problem = first_difference(Decisions(*expected.columns()[:rows].T), got, case.model.classes)[1]
    assert not problem, problem
    return Decisions(*case.expected.columns()[:rows].T)


def _sketch(case: Case) -> Decisions:
    """Return what the sketch tells of rows typed to it, on this computer; it doesn't tell the channel."""
    readings = [",".join("" if r == MISSING else str(r) for r in row) for row in case.readings.tolist()]
    with tempfile.TemporaryDirectory(prefix="dibble-") as name:
        folder = Path(name)
        for file, text in write(case.model, "arduino", "s").items():
            (folder / Path(file).name).write_text(text)
        for path in SKETCH.iterdir():
            shutil.copy(path, folder)
        cpp = ("g++", "-x", "c++", "-std=gnu++11", "-Wall", "-Wextra", "-Werror", '-DSKETCH="s.ino"', "-c", "main.cpp")
        tools.run([*cpp, "-I."], folder)
        tools.run(["gcc", "-std=c99", "-c", "s.c"], folder)
        tools.run(["g++", "main.o", "s.o", "-o", "sketch"], folder)
        first, *lines = tools.run(
            [str(folder / "sketch")], folder, feed=("\n".join(readings) + "\n").encode()
        ).splitlines()
    assert first == "s: its self-test passed", first
    expected = case.model.decide(case.readings)  # it tells no gaps
    names = {name: i for i, name in enumerate(case.model.classes)} | {"none": NO_CLASS}
    found = []
    for line, channel in zip(lines, expected.channel, strict=True):
        told = re.fullmatch(r"class (.*), margin (\d+)(.*), held (.*)", line)
        assert told, line
        flags = sum(flag for flag, words in SKETCH_FLAGS.items() if f", {words}" in told[3])
        found.append((names[told[1]], int(told[2]), flags, channel, names[told[4]]))
    return _compared(case, expected, Decisions(*np.array(found).T))


def _c(case: Case, run: Callable) -> Decisions:
    content = case.model.content
    source = compiled.CProgram(write(case.model, "c"), prefix_of(content.name), content.timed)
    outcome = run(source, case.readings, case.elapsed_ms if content.timed else None)
    assert not outcome.failed, f"golden vector {outcome.failed - 1}"
    return outcome.decisions


MICROBIT, SKETCH = Path(__file__).parent / "microbit_library.py", Path(__file__).parent / "arduino"
SKETCH_FLAGS = {UNSURE: "unsure", OUT_OF_RANGE: "out of range", SENSOR_FAULT: "reading missing", NOVEL: "novel"}

# Each returns the form's decisions on a case's rows, or on the first of them.
FORMS: dict[str, Callable[[Case], Decisions]] = {
    "tables, viper": lambda case: _tables(case, viper=True),
    "tables, bytecode": lambda case: _tables(case, viper=False),
    "tables, 32 bits": lambda case: replay.on_wasi(case.model, case.readings, case.elapsed_ms).decisions,
    "code": lambda case: replay.on_unix(case.model, case.readings, case.elapsed_ms, viper=False, code=True).decisions,
    "code, 32 bits": lambda case: replay.on_wasi(case.model, case.readings, case.elapsed_ms, code=True).decisions,
    "python": lambda case: _python(case, single_file.on_unix, small=False),
    "python, 32 bits": lambda case: _python(case, single_file.on_wasi, small=False),
    "python --small, 32 bits": lambda case: _python(case, single_file.on_wasi, small=True),
    "microbit's files": lambda case: _microbit(case, run_unix, heap="2m"),
    "microbit's files, 32 bits": lambda case: _microbit(case, run_wasi, heap=WASI_HEAP, memory_bytes=WASI_MEMORY),
    "microbit, emulated": _emulated,
    "arduino": _sketch,
    "c, sanitized": lambda case: _c(case, lambda *args: compiled.on_pc(*args, sanitized=True)),
    "c, -O2": lambda case: _c(case, compiled.on_pc),
    "c, Cortex-M0": lambda case: _c(case, lambda *args: compiled.on_target(*args, CORTEX_M0)),
    "c, ATmega328P": lambda case: _c(case, lambda *args: compiled.on_target(*args, ATMEGA328P)),
}


def run(form: str, case: Case) -> Result:
    """Return what came of a case in a form."""
    try:
        decisions = FORMS[form](case)
    except (InputError, TooLarge, NoRoom) as error:
        return Result(refused=str(error))
    except Exception as error:  # whatever it is, it is a finding
        return Result(problem=f"{type(error).__name__}: {error}")
    rows = len(decisions.margin)
    expected = Decisions(*case.expected.columns()[:rows].T)
    return Result(rows, first_difference(expected, decisions, case.model.classes)[1])


def case_for(form: str, seed: int, rows: int) -> Case:
    """Return the random case of a seed, of a kind that the form is for."""
    if form.startswith("microbit"):
        return random_case(seed, rows, ("forest", "boosted", "additive"), novelty=False)
    return random_case(seed, rows)


def sweep(forms: Sequence[str], seeds: Iterable[int], rows: int) -> Iterator[tuple[str, Case, Result]]:
    """Yield each form, case and result of the seeds' random models."""
    for seed in seeds:
        for form in forms:
            case = case_for(form, seed, rows)
            yield form, case, run(form, case)
