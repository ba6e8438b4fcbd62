"""What a prediction costs, counted: nothing may grow by more than a fiftieth of what is stored."""

import json

import numpy as np
import pytest

from host_tools.bench import counts
from host_tools.bench.benchmark import BASELINE as STORED
from host_tools.bench.cases import cases

BASELINE = json.loads(STORED.read_text())
CASES = {case.name: case for case in cases()}
SLACK = 0.02


def test_every_case_is_stored() -> None:
    assert list(BASELINE) == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_no_count_grows(name: str) -> None:
    now = {**counts.fuel(CASES[name]), **counts.sizes(CASES[name])}
    grown = {what: (stored, now[what]) for what, stored in BASELINE[name].items() if now[what] > stored * (1 + SLACK)}
    assert not grown, "if that is meant: python -m host_tools.bench.benchmark --store"


def test_stored_forest_decides_as_numpy_does() -> None:
    case = CASES["digits forest 10 x 100"]
    node = case.model.model
    decided = [node.predict(row).class_index for row in case.rows.tolist()]
    assert np.array_equal(decided, case.model.decide(case.rows).class_index)
