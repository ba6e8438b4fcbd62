"""Every form that dibble writes a model in, run on random models and compared row by row with the host's oracle.

A new form has its place in FORMS; a new family or kind of feature in random_models.py.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dibble_tools.common.errors import InputError
from dibble_tools.export.forms import write
from dibble_tools.export.names import prefix_of
from dibble_tools.machines import compiled, replay, single_file
from dibble_tools.machines.targets import ATMEGA328P, CORTEX_M0
from dibble_tools.machines.tools import TooLarge
from dibble_tools.machines.verify import first_difference
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


def _c(case: Case, run: Callable) -> Decisions:
    content = case.model.content
    source = compiled.Source(write(case.model, "c"), prefix_of(content.name), content.timed)
    outcome = run(source, case.readings, case.elapsed_ms if content.timed else None)
    assert not outcome.failed, f"golden vector {outcome.failed - 1}"
    return outcome.decisions


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
    "c, sanitized": lambda case: _c(case, lambda *args: compiled.on_pc(*args, sanitized=True)),
    "c, -O2": lambda case: _c(case, compiled.on_pc),
    "c, Cortex-M0": lambda case: _c(case, lambda *args: compiled.on_target(*args, CORTEX_M0)),
    "c, ATmega328P": lambda case: _c(case, lambda *args: compiled.on_target(*args, ATMEGA328P)),
}


def run(form: str, case: Case) -> Result:
    """Return what came of a case in a form."""
    try:
        decisions = FORMS[form](case)
    except (InputError, TooLarge) as error:
        return Result(refused=str(error))
    except Exception as error:  # whatever it is, it is a finding
        return Result(problem=f"{type(error).__name__}: {error}")
    rows = len(decisions.margin)
    expected = Decisions(*case.expected.columns()[:rows].T)
    return Result(rows, first_difference(expected, decisions, case.model.classes)[1])


def sweep(forms: Sequence[str], seeds: range, rows: int) -> Iterator[tuple[str, Case, Result]]:
    """Yield each form, case and result of the seeds' random models."""
    for seed in seeds:
        case = random_case(seed, rows)
        for form in forms:
            yield form, case, run(form, case)
