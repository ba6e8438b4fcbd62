"""Train on a file and print a line for each recipe: what it is, and its model's SHA-256.

Run by test_same_everywhere as a program of its own, under the settings of another computer. The first recipe goes
all the way, with costs, a balance, novelty and the margin below which it is unsure; the others learn from the same
soft labels.
"""

import hashlib
import sys
from pathlib import Path

from dibble_tools.data.prepare import DataOptions
from dibble_tools.training.recipes import parse_recipe
from dibble_tools.training.result import Clock, TrainOptions
from dibble_tools.training.students import fit_student
from dibble_tools.training.train import learn

FIRST = "mlp:6@4"
OTHERS = (
    "mlp:0@4",
    "mlp:8-4@3",
    "mlp:8@4/quarter",
    "mlp:8@4/codebook",
    "additive:12+2@4",
    "boosted:5x3@4",
    "voting:4x8@4",
)


def main(file: Path, jobs: int) -> None:
    """Print the lines."""
    data = DataOptions(label="state", group="node")
    options = TrainOptions(data, recipe=FIRST, budget_s=1.0, jobs=jobs, balance=0.3, costs=["c0:c1=3"], novelty=0.02)
    done = learn(file, options, Clock(1.0))
    show(FIRST, done.shipped.model.blob)
    for text in OTHERS:
        show(text, done.about.smallest_blob(fit_student(parse_recipe(text), done.training_set, done.order, 0)))


def show(recipe: str, blob: bytes) -> None:
    """Print a line."""
    print(recipe, hashlib.sha256(blob).hexdigest(), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
