"""Model files that lie, on the unix VM with viper: 0 crashes, 0 hangs, each a ModelError or the host's very decisions.

python tests/benchmarks/mutants.py [--each 9000] [--seed 0]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "host" / "support"))

from mutants import Verdict, compare, mutants, on_unix, on_wasi, originals, with_library

AT_ONCE = 3000


def main() -> int:
    """Print what became of mutants of each kind, and what went wrong; return 1 where anything did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=9000, help="mutants of each of the files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--wasi", action="store_true", help="on the 32-bit VM, in bytecode")
    asked = parser.parse_args()
    run = on_wasi if asked.wasi else on_unix
    whole, started = Verdict(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dibble-") as name:
        folder = with_library(Path(name))
        for kind, blob in originals().items():
            own = Verdict()
            found = list(mutants(kind, blob, asked.each, asked.seed))
            for first in range(0, len(found), AT_ONCE):
                own.add(compare(run, found[first : first + AT_ONCE], folder))
            print(f"{kind}, {len(blob)} bytes: {own}", flush=True)
            whole.add(own)
    print(f"all: {whole}, in {time.monotonic() - started:.0f} s")
    for blob, said, expected in whole.wrong:
        print(f"{blob.hex()}\n  the VM: {said}\n  the host: {expected}")
    return 1 if whole.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
