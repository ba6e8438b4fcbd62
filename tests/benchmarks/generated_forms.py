"""Every form that a model is written in, on random models of every family, row by row against the host's oracle.

    python tests/benchmarks/generated_forms.py [--models 60] [--rows 1500] [--seed 0] [--forms code "c, -O2"]

Run it after adding a family, a kind of feature, a part of the model file or a form: what is new has its place in
tests/host/support/random_models.py or generated_forms.py. Each form is given models until so many of them have been
compared; those that a form can't hold are refused, which is counted. The exit code is 1 where a row is decided
otherwise, or a form fails. The first rows only go to simulated and emulated machines, and not as many models.
"""

import argparse
import itertools
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "host" / "support")]

from generated_forms import FORMS, case_for, run  # noqa: E402

# A prediction takes seconds there, or a model does: so many models and rows of them at most.
SLOW = {"microbit, emulated": (6, 400), "c, Cortex-M0": (20, 300), "c, ATmega328P": (20, 300)}
MOST_REFUSED = 3  # times as many models as are wanted


def main() -> int:
    """Compare, and print a line a form and each disagreement; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=60, help="compared in each form")
    parser.add_argument("--rows", type=int, default=1500, help="of each model")
    parser.add_argument("--seed", type=int, default=0, help="of the first model")
    parser.add_argument("--forms", nargs="+", default=list(FORMS), choices=list(FORMS), metavar="FORM")
    chosen = parser.parse_args()
    print(f"{'form':28}{'models':>8}{'rows':>10}{'refused':>9}{'disagreements':>15}{'s':>7}", flush=True)
    wrong = 0
    for form in chosen.forms:
        most, most_rows = SLOW.get(form, (chosen.models, chosen.rows))
        started = time.monotonic()
        models = rows = refused = bad = 0
        for seed in itertools.count(chosen.seed):
            if models >= min(chosen.models, most) or refused > MOST_REFUSED * chosen.models:
                break
            case = case_for(form, seed, min(chosen.rows, most_rows))
            result = run(form, case)
            if result.refused:
                refused += 1
                continue
            models += 1
            rows += result.rows
            if result.problem:
                bad += 1
                print(f"{form}: {case.name}: {result.problem[-500:]}", flush=True)
        wrong += bad
        seconds = time.monotonic() - started
        print(f"{form:28}{models:8}{rows:10,}{refused:9}{bad:15}{seconds:7.0f}", flush=True)
    print(f"{wrong} models are decided otherwise in some form" if wrong else "every form decides as the oracle does")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
