"""Hostile lines by the hundred thousand through collect and monitor; what wasn't as it should be is printed.

python tests/benchmarks/fuzz_lines.py [--lines 100000] [--seed 0]
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "host" / "support")]

from hostile_play import play  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcome = play(arguments.lines, arguments.seed, Path(folder))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{arguments.lines} lines, {time.monotonic() - started:.0f} s, at most {megabytes} MB with the lines themselves"
    )
    print(f"{outcome.true_rows} true rows, {outcome.taken} taken, {outcome.wrong} wrong")
    for reason, count in outcome.rejected.most_common():
        print(f"{count:8} lines rejected: {reason}")
    for problem in outcome.problems:
        print(f"PROBLEM {problem}")
    sys.exit(bool(outcome.problems or outcome.wrong))


if __name__ == "__main__":
    main()
