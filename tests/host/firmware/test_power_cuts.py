"""The storage on real LittleFS under the real VM: the power fails at every program and erase of the flash.

tests/benchmarks/power_cuts.py does the same with longer lives and more cuts.
"""

import pytest
from power_cuts import Bench, double_cuts, scenarios, single_cuts, sweep

SCENARIOS = scenarios()
TORN = (0, 0.5)  # nothing of the operation happens, or half of it


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_cut_at_every_operation_leaves_old_or_new(name: str) -> None:
    assert sweep(SCENARIOS[name], single_cuts, TORN) >= 6


def test_two_cuts_while_a_model_is_updated_leave_old_or_new() -> None:
    def some(bench: Bench) -> list[tuple[int, ...]]:
        return double_cuts(bench)[::3]

    assert sweep(SCENARIOS["model update"], some, TORN[1:]) >= 30


def test_a_scenario_that_cannot_hold_is_found() -> None:
    """A file written in place, without slots: a cut leaves neither old nor new."""
    broken = SCENARIOS["config change"]
    live = "with open('/it.a', 'wb') as a, open('/it.b', 'wb') as b:\n    a.write(b'')\n    b.write(b'')\n"
    with pytest.raises(AssertionError, match=r"cut at \(\d+,\), torn 0"):
        sweep(type(broken)(broken.common, broken.prepare, live, broken.check, broken.judge), single_cuts, TORN)
