"""What a prediction costs, counted: nothing may grow by more than a fiftieth of what is stored."""

import numpy as np
import pytest
from dibble_tools.bench.baseline import COMMAND, SLACK, counted, grown, stored
from dibble_tools.bench.cases import DIGITS, cases

CASES = {case.name: case for case in cases()}


def test_every_case_is_stored() -> None:
    assert list(stored()) == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_no_count_grows(name: str) -> None:
    more = grown(stored()[name], counted(CASES[name]))
    assert not more, "\n".join([f"{name} grew by more than {SLACK:.0%}:", *more, f"if that is meant: {COMMAND}"])


def test_growth_is_told_with_how_much() -> None:
    before = {"predict": 1000, "bytes": 100, "gone": 3}
    assert grown(before, {"predict": 1020, "bytes": 102, "gone": 3, "new": 9}) == []
    assert grown(before, {"predict": 1021, "bytes": 90}) == [
        "predict: 1,000 -> 1,021, +2.1 %",
        "gone: 3 before, not counted any more",
    ]


def test_stored_forest_decides_as_numpy_does() -> None:
    case = CASES[DIGITS]
    node = case.model.model
    decided = [node.predict(row).class_index for row in case.rows.tolist()]
    assert np.array_equal(decided, case.model.decide(case.rows).class_index)
