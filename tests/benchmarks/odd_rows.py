"""Rows with gaps, missing readings and such out of range, of random models: every form decides as the host does.

    python tests/benchmarks/odd_rows.py [--rows 100000] [--forms "thumb" "tables, viper" ...]

Random channels, windows, tables of every family, stand-ins, novelty; some 2 % of readings are missing, 5 % at an end or
beyond. Whole models on the VMs, as code and as C on this computer: class, margin, flags, channel and held class, each
model's rows one past. Assembler and viper's kernels on an emulated Cortex-M0 (tests/host/support/odd_rows.py): what is
told of a row, each feature, and each word of the past. Exit status 1 where one differs.
"""

import argparse
import itertools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "host" / "support"))

import odd_rows
from generated_forms import run
from random_models import random_case

KERNELS = ("thumb", "viper")
FORMS = ("tables, viper", "tables, bytecode", "tables, 32 bits", "code", "code, 32 bits", "c, sanitized")
OF_A_MODEL = 2500
BATCHES = 12  # that an emulated chip's flash holds


def kernels(kind: str, count: int) -> int:
    """Return how many rows of at least so many the machine code of a kind takes otherwise."""
    rows = different = 0
    while rows < count:
        first = rows // odd_rows.BATCH
        different += odd_rows.kernel_differences(kind, [odd_rows.PastCase(first + i) for i in range(BATCHES)])
        rows += BATCHES * odd_rows.BATCH
    print(f"windows and ranges, Cortex-M0, {kind}: {rows:,} rows, {different} otherwise", flush=True)
    return different


def models(form: str, count: int) -> int:
    """Return how many models a form decides otherwise, of as many as have so many rows."""
    rows, problems = 0, []
    for seed in itertools.count(1000):
        if rows >= count:
            break
        found = run(form, random_case(seed, OF_A_MODEL))
        if not found.refused:
            rows += OF_A_MODEL
        if found.problem:
            problems.append(f"{seed}: {found.problem[:200]}")
    print(f"{form}: {rows:,} rows, {len(problems)} models otherwise", *problems, sep="\n  ", flush=True)
    return len(problems)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="of each form")
    parser.add_argument("--forms", nargs="*", choices=KERNELS + FORMS, default=KERNELS + FORMS)
    options = parser.parse_args()
    wrong = [(kernels if form in KERNELS else models)(form, options.rows) for form in options.forms]
    return 1 if any(wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
