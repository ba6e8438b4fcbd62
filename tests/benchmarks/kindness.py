"""A season with every unkindness of a board beside the same one with none, for each board with its own.

python tests/benchmarks/kindness.py [--days 30] [--boards pico_w,esp32_devkit,esp32_c3,feather_m4] [--seed 1]
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "host" / "support"))

from dibble_tools.model.host_model import HostModel
from kindness import beside_each_other, live

MODEL = Path(__file__).parents[2] / "models" / "orchard"


def main() -> int:
    """Print a line for each board; return 1 where decisions, waterings or exceptions tell the two apart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--boards", default="pico_w,esp32_devkit,esp32_c3,feather_m4")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    model, failed = HostModel.open(MODEL), False
    for board in asked.boards.split(","):
        unkind, kind = (live(model, board, asked.days, spared, asked.seed) for spared in ("", "all"))
        found = beside_each_other(unkind, kind)
        ours, theirs = unkind.season, kind.season
        hours = [sum(each.hours for each in season.waterings) for season in (ours, theirs)]
        print(
            f"{board}: {len(unkind.unkindnesses)} unkindnesses, {unkind.radio_faults} of the radio; "
            f"{len(ours.moments):,} and {len(theirs.moments):,} decisions, "
            f"{found.answers_apart:.2%} hold another class; {len(ours.waterings)} and {len(theirs.waterings)} "
            f"waterings, {hours[0]:.2f} and {hours[1]:.2f} h; {ours.tracebacks} uncaught exceptions, "
            f"{unkind.errors} cycles that failed",
            flush=True,
        )
        more = abs(len(ours.waterings) - len(theirs.waterings))  # one that ends a cycle sooner may go on as another
        failed |= found.decisions_apart > 0.01 or more > max(1, len(theirs.waterings) // 10)
        failed |= bool(ours.tracebacks or unkind.errors) or found.watered_apart > 0.05
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
