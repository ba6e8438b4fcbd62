"""Models of ratios on many random scans of up to 102,400,000 ohm: python tests/benchmarks/ratio_rows.py [ROWS]

Host, the unix VM (viper and bytecode), the 32-bit WASI VM, C on this computer and on an emulated Cortex-M0: every
decision has to be the same; of the assembler and viper of an emulated Cortex-M0, every ratio. Exit status 1 where one
isn't.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "host" / "support"))
sys.path.insert(0, str(Path(__file__).parents[1] / "host" / "firmware"))

import test_ratio_kernels as kernels
from dibble_tools.machines.check import check
from dibble_tools.machines.verify import verify
from ratio_models import ratio_model, rows

BATCH = 5000  # rows that an emulated chip holds


def in_machine_code(count: int) -> int:
    """Print how many rows agree in assembler and viper; return in how many of the two some don't."""
    pairs = [ratio for ratio in kernels.RATIOS if len(ratio[1]) == 1]
    forms = {
        "thumb": (kernels.RATIOS, kernels.FEATURES),
        "viper": (pairs, [(len(kernels.LOW) + i, kernels.LAST, 1) for i in range(len(pairs))]),
    }
    wrong = 0
    for kind, (ratios, features) in forms.items():
        equal, problem = 0, ""
        for seed in range(-(-count // BATCH)):
            try:
                kernels.check(kind, ratios, features, kernels.rows(BATCH, seed))
                equal += BATCH
            except AssertionError as error:
                problem = f"differs: {str(error)[:200]}"
        print(f"ratios: Cortex-M0, {kind}: {equal:,} equal {problem}", flush=True)
        wrong += bool(problem)
    return wrong


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    table = rows(count)
    wrong = in_machine_code(count)
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
