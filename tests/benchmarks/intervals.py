"""300 days of a node's cycles on both ports: how long they are by the true time, and how far its clock goes wrong.

python tests/benchmarks/intervals.py [--days 300] [--interval 600]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "host" / "support"))

from intervals import measured


def main() -> int:
    """Print a line for each port; return 1 where an interval is off by more than 1 %."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=float, default=300)
    parser.add_argument("--interval", type=int, default=600, help="in seconds")
    asked = parser.parse_args()
    failed = False
    for port in ("micropython", "circuitpython"):
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="dibble-") as name:
            found = measured(Path(name) / "drive", port, asked.days, asked.interval)
        print(
            f"{port}: {found.cycles:,} cycles, {found.least_s:.3f} to {found.most_s:.3f} s, mean {found.mean_s:.4f}; "
            f"its clock {found.clock_s:+.1f} s; {found.asleep_share:.1%} in light sleep; ended by {found.life} "
            f"({time.monotonic() - started:.0f} s)",
            flush=True,
        )
        apart = max(asked.interval - found.least_s, found.most_s - asked.interval) / asked.interval
        failed |= apart > 0.01 or found.life != "stop"
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
