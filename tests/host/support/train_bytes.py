"""Train a recipe of each family on a file and print a line for each: the recipe, and its model's SHA-256.

Run by test_same_everywhere as a program of its own, under the settings of another computer.
"""

import hashlib
import sys
from pathlib import Path

from dibble_tools.data.prepare import DataOptions
from dibble_tools.training import teachers
from dibble_tools.training.result import Clock, TrainOptions
from dibble_tools.training.train import learn

RECIPES = (
    "mlp:0@4",
    "mlp:8-4@4",
    "mlp:8@4/quarter",
    "mlp:8@4/codebook",
    "additive:12+2@4",
    "boosted:5x3@4",
    "voting:4x8@4",
)


def main(file: Path, jobs: int) -> None:
    """Print the lines."""
    teachers.TREES = 20
    for i, recipe in enumerate(RECIPES):
        data = DataOptions(label="state", group="node")
        novelty = 0.02 if i == 0 else None
        options = TrainOptions(
            data, recipe=recipe, budget_s=1.0, jobs=jobs, balance=0.3, costs=["c0:c1=3"], novelty=novelty
        )
        print(recipe, hashlib.sha256(learn(file, options, Clock(1.0)).model.blob).hexdigest(), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
