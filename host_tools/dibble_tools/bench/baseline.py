"""The exact counts that CI holds: none may grow by more than a fiftieth of what is stored.

python -m dibble_tools.bench.baseline   # count anew, tell what changed, store it
"""

import dataclasses
import json
from collections.abc import Mapping

from dibble_tools.bench import cortex_m0, counts
from dibble_tools.bench.cases import Case, cases
from dibble_tools.bench.measure import called, microbit
from dibble_tools.common.shipped import ROOMS

BASELINE = ROOMS / "bench" / "baseline.json"
COMMAND = "python -m dibble_tools.bench.baseline"
SLACK = 0.02
Counts = Mapping[str, float]


def counted(case: Case) -> dict[str, float]:
    """Return a case's counts: fuel of predict(), bytes, and instructions on a Cortex-M0; none of gcc's, which vary.

    Whole predictions are those of predict(): `predict_tables` and `predict_code` on the 32-bit VM, and on the
    micro:bit's `m0_predict_microbit` in bytecode, `m0_predict_thumb` around assembler. With windows `m0_thumb` and
    `m0_viper` are all of it that is machine code, windows included: beside the VM's they don't fit the micro:bit.
    """
    found: dict[str, float] = {**counts.fuel(case), **counts.sizes(case)}
    by_microbit = microbit(case)
    if by_microbit is not None:
        found["m0_predict_microbit"] = by_microbit
    if not case.model.content.windowed:
        first = dataclasses.replace(case, rows=case.rows[:1])
        whole = called(first)[1]
        if whole is not None:
            found["m0_predict_thumb"] = whole
    machine_code = cortex_m0.instructions(case)._asdict()
    return found | {f"m0_{name}": round(count) for name, count in machine_code.items() if name != "gcc"}


def stored() -> dict[str, dict[str, float]]:
    """Return the counts of each case by its name."""
    found: dict[str, dict[str, float]] = json.loads(BASELINE.read_text())
    return found


def grown(before: Counts, now: Counts) -> list[str]:
    """Return a line for each count that grew beyond the slack, or that is gone."""
    found = []
    for what, count in before.items():
        if what not in now:
            found.append(f"{what}: {count:,} before, not counted any more")
        elif now[what] > count * (1 + SLACK):
            found.append(_change(what, count, now[what]))
    return found


def _change(what: str, before: float, now: float) -> str:
    return f"{what}: {before:,} -> {now:,}, {100 * (now / before - 1):+.1f} %"


def main() -> None:
    """Count, print what changed, store."""
    before, now = stored(), {case.name: counted(case) for case in cases()}
    for name, found in now.items():
        old = before.get(name, {})
        for what, count in found.items():
            if old.get(what) != count:
                change = _change(what, old[what], count) if what in old else f"{what}: {count:,}, new"
                print(f"{name}: {change}")
    BASELINE.write_text(json.dumps(now, indent=1) + "\n")


if __name__ == "__main__":
    main()
