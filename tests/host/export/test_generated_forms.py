"""Every form that a model is written in decides as the host's oracle does, on random models of every family."""

import numpy as np
import pytest
from dibble_tools.data.channels import Channel
from dibble_tools.families.additive.tables import AdditiveTables, Term
from dibble_tools.families.scaling import Scaler
from dibble_tools.model.writer import ModelSpec
from generated_forms import run, sweep
from random_models import case_of

SEEDS = range(8)
ROWS = 250


def two_logarithms() -> ModelSpec:
    """Return a model of two single features whose logarithms need no clamp: a name of each must last to the sum."""
    scaler = Scaler(True, 8, 768, 127, 14, 16)
    rng = np.random.default_rng(1)
    terms = [Term((i,), (0,), rng.integers(0, 256, (2, 17)).astype(np.uint8), np.zeros(2, np.uint8)) for i in (0, 1)]
    tables = AdditiveTables(3, [scaler, scaler], terms, [250, 0, 0], 32.0)
    return ModelSpec("two", [Channel(f"x{i}", "permille", 1, 0, 0, 1000) for i in (0, 1)], ["a", "b", "c"], tables)


@pytest.mark.parametrize("form", ["code", "code, 32 bits"])
def test_two_logarithms_in_one_sum_are_told_apart(form: str) -> None:
    result = run(form, case_of(two_logarithms(), 1, 600))
    assert (result.problem, result.rows) == ("", 600)


@pytest.mark.parametrize(
    "forms",
    [
        ("tables, viper", "tables, 32 bits", "code", "code, 32 bits"),
        ("python, 32 bits", "python --small, 32 bits", "microbit's files, 32 bits"),
        ("arduino", "c, sanitized"),
    ],
    ids=["library", "python", "c"],
)
def test_every_form_decides_as_the_oracle_does(forms: tuple[str, ...]) -> None:
    """A sample: tests/benchmarks/generated_forms.py has more models, rows and machines."""
    found, compared = [], 0
    for form, case, result in sweep(forms, SEEDS, ROWS):
        found += [f"{form}: {case.name}: {result.problem}"] if result.problem else []
        compared += result.rows > 0
    assert found == []
    assert compared > len(SEEDS) * len(forms) // 2
