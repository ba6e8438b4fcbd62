"""Every cut and every pair of cuts, on longer lives than the tests have time for.

python tests/benchmarks/power_cuts.py [--times 4] [--torn 0 0.25 0.5 0.75 1] [--pairs]
"""

import argparse
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "host" / "support")]

from power_cuts import double_cuts, scenarios, single_cuts, sweep  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=4, help="length of the lives, in those of the tests")
    parser.add_argument("--torn", type=float, nargs="+", default=[0, 0.25, 0.5, 0.75, 1])
    parser.add_argument("--pairs", action="store_true", help="every pair of cuts, too")
    arguments = parser.parse_args()
    for cuts_of in (single_cuts, double_cuts) if arguments.pairs else (single_cuts,):
        for name, scenario in scenarios(arguments.times).items():
            started = time.monotonic()
            count = sweep(scenario, cuts_of, arguments.torn)
            seconds = time.monotonic() - started
            print(f"{cuts_of.__name__}  {name:25}{count:6} cuts held  {seconds:6.0f} s", flush=True)


if __name__ == "__main__":
    main()
