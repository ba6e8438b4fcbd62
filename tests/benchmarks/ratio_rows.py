"""Models of ratios on many random scans of up to 102,400,000 ohm: python tests/benchmarks/ratio_rows.py [ROWS]

Host, the unix VM (viper and bytecode), the 32-bit WASI VM, C on this computer and on an emulated Cortex-M0: every
decision has to be the same. Exit status 1 where one isn't.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "host" / "support"))

from dibble_tools.machines.check import check
from dibble_tools.machines.verify import verify
from ratio_models import ratio_model, rows


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    table = rows(count)
    wrong = 0
    for family in ("additive", "mlp"):
        model = ratio_model(family)
        found = [
            *((one.vm, one.equal, one.problem) for one in verify(model, table, None, vms=("unix", "wasi"))),
            *((one.machine, one.equal, one.problem) for one in check(model, "c", table, None, machines=("pc",))),
            *(
                (one.machine, one.equal, one.problem)
                for one in check(model, "c", table[:8000], None, machines=("cortex_m0",))
            ),
        ]
        for machine, equal, problem in found:
            print(f"{family}: {machine}: {equal:,} equal {problem}", flush=True)
            wrong += bool(problem)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
