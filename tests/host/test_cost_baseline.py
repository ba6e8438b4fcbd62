"""What a prediction costs, counted: nothing may grow by more than a fiftieth of what is stored."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS / "kernels"))

import counts  # noqa: E402

import models  # noqa: E402

BASELINE = json.loads((BENCHMARKS / "baseline.json").read_text())
CASES = {case.name: case for case in models.cases()}
SLACK = 0.02


def test_every_case_is_stored() -> None:
    assert list(BASELINE) == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_no_count_grows(name: str) -> None:
    now = {**counts.fuel(CASES[name]), **counts.sizes(CASES[name])}
    grown = {what: (stored, now[what]) for what, stored in BASELINE[name].items() if now[what] > stored * (1 + SLACK)}
    assert not grown, "if that is meant: python tests/benchmarks/kernels/bench.py --store"


def test_stored_forest_decides_as_numpy_does() -> None:
    case = CASES["digits forest 10 x 100"]
    node = case.model.model
    decided = [node.predict(row).class_index for row in case.rows.tolist()]
    assert np.array_equal(decided, case.model.decide(case.rows).class_index)
