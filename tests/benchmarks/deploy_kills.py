"""A deploy that is cut short at random moments: the board runs the old or the new, and a second deploy repairs it.

python tests/benchmarks/deploy_kills.py [--count 200] [--seed 0]
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "host" / "support")]

from deploy_bench import DeployBench, moments  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="moments, half of them kills of the host")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    found: Counter[str] = Counter()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        bench = DeployBench(Path(folder), f"kills-{arguments.seed}")
        try:
            print(f"a deploy takes {bench.seconds:.1f} s and {bench.operations} flash operations", flush=True)
            for what, act in moments(bench, arguments.count, arguments.seed):
                started = time.monotonic()
                try:
                    bench.restore()
                    act()
                    runs = bench.verdict()
                    bench.repair()
                    assert bench.verdict() == "new", "after the second deploy"
                except Exception as error:
                    failed += 1
                    runs = f"FAILED: {type(error).__name__}: {error}"
                found[f"{what.partition(' ')[0]}: {runs[:6]}"] += 1
                print(f"{what}: {runs}, {time.monotonic() - started:.1f} s", flush=True)
        finally:
            bench.close()
    print(dict(found))
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
