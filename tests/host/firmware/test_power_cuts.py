"""The storage on real LittleFS under the real VM: the power fails at every program and erase of the flash.

tests/benchmarks/power_cuts.py does the same with longer lives and more cuts.
"""

import random
from dataclasses import replace

import pytest
from dibble_tools.machines.vms import VmError
from power_cuts import Bench, double_cuts, scenarios, single_cuts, sweep

pytestmark = pytest.mark.long

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


def test_a_flipped_bit_at_rest_gives_no_acknowledged_number_again() -> None:
    """littlefs drops a segment's last commit with a flipped bit in it, and says nothing: the number is kept apart."""
    bench = Bench(
        replace(SCENARIOS["log append, small"], check="log = start()\nprint('next', log.sequence, log.error)")
    )
    flash = bench.vm.flash
    written = bytes(flash.image)
    acknowledged = 12
    assert bench.run("/check.py")[1] == [["next", str(acknowledged + 1)]]
    chance = random.Random(14)
    recent = [i for i in range(len(written)) if written[i] != bench.image[i]]
    lost = 0
    for place in chance.sample(recent, 60):
        flash.image[:] = written
        flash.image[place] ^= 1 << chance.randrange(8)
        try:
            ended, printed = bench.run("/check.py")
        except VmError:  # a file system that can't be mounted says so itself
            continue
        assert ended == "end" and int(printed[0][1]) > acknowledged, (place, printed)
        lost += "gone" in printed[0]
    assert lost >= 1
