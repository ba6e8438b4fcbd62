"""Every family's kernels on every VM, next to peers and to C: one run, printed, and written as JSON.

    pip install emlearn m2cgen
    python -m host_tools.bench.benchmark [--out FILE.json] [--quick] [--store]

`fuel` is WebAssembly instructions of MicroPython's 32-bit build, the mean over 20 rows; `M0` exact Cortex-M0
instructions in QEMU: of predict() by the micro:bit's VM, of viper's machine code alone, and of gcc -O2. `ns` is this
computer's, the quickest of some runs: only ratios of one run mean anything. --store writes the counts that CI holds.
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from host_tools.bench import cortex_m0, counts, reference, unix_time
from host_tools.bench.cases import Case, cases

BASELINE = Path(__file__).parent / "baseline.json"


def measure(case: Case, quick: bool) -> dict[str, Any]:
    """Return all figures of a model."""
    row: dict[str, Any] = {"model": case.name}
    row |= {f"fuel_{name}": count for name, count in (counts.fuel(case) | counts.kernels(case)).items()}
    row |= {f"bytes_{name}": size for name, size in counts.sizes(case).items()}
    row["heap_per_prediction"] = counts.heap_per_prediction(case)
    if quick:
        return row
    row |= {f"heap_kept_64_bit_{name}": kept for name, kept in counts.heap_kept(case).items()}
    row["M0_predict_microbit"] = counts.microbit(case)
    alone = not case.model.model.windows
    if alone and cortex_m0.there():
        row |= {f"M0_{name}": count for name, count in cortex_m0.instructions(case)._asdict().items()}
    if alone and shutil.which("gcc"):
        row["ns_gcc"] = reference.nanoseconds(case)
    row["ns_viper"], row["ns_viper_predict"] = unix_time.nanoseconds(case, viper=True)
    row["ns_bytecode"], row["ns_bytecode_predict"] = unix_time.nanoseconds(case, viper=False)
    row["ns_code"], row["ns_code_predict"] = unix_time.nanoseconds(case, viper=False, code=True)
    return row


def ratios(rows: list[dict[str, Any]]) -> list[tuple[str, float, str]]:
    """Return (what, ratio, what is aimed at)."""
    by = {row["model"]: row for row in rows}
    digits, additive, mlp = (by[name] for name in ("digits forest 10 x 100", "additive 8 x 4", "mlp 8-16-4"))
    m2cgen = by["m2cgen"]["fuel_predict"]
    found = [
        ("digits predict() / m2cgen's score()", digits["fuel_predict_code"] / m2cgen, "1/5"),
        ("digits kernel as code, ranges held / m2cgen's", digits["fuel_kernel_code"] / m2cgen, "1/10"),
        (
            "additive predict() / digits predict(), code",
            additive["fuel_predict_code"] / digits["fuel_predict_code"],
            "1/5",
        ),
        ("additive / digits predict(), tables", additive["fuel_predict_tables"] / digits["fuel_predict_tables"], "1/5"),
        ("mlp predict() as code / 200,000", mlp["fuel_predict_code"] / 200_000, "1"),
    ]
    if "M0_viper" in digits:
        found.append(("digits viper on Cortex-M0 / emlearn's C module, 6,268", digits["M0_viper"] / 6268, "1, aim 0.5"))
    for row, aim in ((digits, "3"), (mlp, "4"), (additive, "-")):
        if "ns_gcc" in row:
            found.append((f"{row['model']}: viper / gcc -O2, ns", row["ns_viper"] / row["ns_gcc"], aim))
    return found


def main() -> None:
    """Print and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--quick", action="store_true", help="counts on the 32-bit VM and bytes only")
    parser.add_argument("--store", action="store_true", help=f"write {BASELINE.name}")
    arguments = parser.parse_args()
    from host_tools.bench.peers import peers  # what they need isn't installed with the tests

    every = list(cases())
    if arguments.store:
        stored = {case.name: {**counts.fuel(case), **counts.sizes(case)} for case in every}
        BASELINE.write_text(json.dumps(stored, indent=1) + "\n")
        return
    rows = [measure(case, arguments.quick) for case in every]
    rows += [{"model": name, "bytes_model": size, "fuel_predict": count} for name, size, count in peers(every[0].rows)]
    for row in rows:
        print(row["model"])
        for name, figure in row.items():
            if name != "model" and figure is not None:
                print(f"    {name:28}{figure:14,.0f}")
    found = ratios(rows)
    print(f"\n{'':58}ratio   aimed at")
    for what, ratio, aim in found:
        print(f"{what:56} {ratio:6.3f}   {aim}")
    if arguments.out:
        arguments.out.write_text(json.dumps({"rows": rows, "ratios": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
