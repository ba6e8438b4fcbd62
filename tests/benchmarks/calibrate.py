"""Fit limits.COSTS and HEAP: exact WASI instructions of predict() and bytes kept, of random models of every family.

    python tests/benchmarks/calibrate.py

Prints what to put into host_tools/dibble_tools/model/limits.py, and for each model the count beside its estimate.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

sys.path.insert(0, str(Path(__file__).parents[1] / "host" / "support"))
from dibble_tools.bench.cases import Case
from dibble_tools.bench.kept import heap_kept
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.machines.replay import cost
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.limits import HEAP, work
from dibble_tools.model.writer import ModelSpec, export, forest_spec
from helpers import channels_of, random_additive, random_mlp, random_rows, random_spec, random_trees

SHAPES = [(3, 2), (5, 3), (8, 5), (12, 2), (4, 7), (6, 3), (1, 2), (2, 4)]  # features, classes
WINDOWS = [
    [(0, 0, 1), (1, 0, 1), (2, 0, 1)],
    [(0, 1, 6), (1, 1, 24), (2, 2, 5)],
    [(0, 5, 6), (1, 5, 24), (2, 4, 5), (0, 3, 9)],
    [(0, 6, 6), (1, 6, 24), (2, 4, 5), (1, 0, 1)],
]


def specs() -> list[ModelSpec]:
    """Return random models: several of every family and form."""
    found = []
    for seed, (features, classes) in enumerate(SHAPES):
        lows = [-100] * features
        highs = [[120, 30_000, 10**6][i % 3] for i in range(features)]
        channels = channels_of(lows, highs)
        limits = [high - low for low, high in zip(lows, highs, strict=True)]
        names = [f"c{i}" for i in range(classes)]
        tables = [
            *([random_additive(seed, limits, classes, [255, 60][seed % 2])] if features > 1 else []),
            random_mlp(seed, limits, classes, [], ["dense8"]),
            random_mlp(seed, limits, classes, [8], ["dense8", "dense8"]),
            random_mlp(seed, limits, classes, [4 + seed, 5], ["sparse8", "dense8", "sparse8"]),
            random_mlp(seed, limits, classes, [7], ["codebook4", "codebook4"]),
        ]
        found += [ModelSpec("r", channels, names, t) for t in tables]
        for trees, depth in ((1, 3), (4 + 3 * seed, 4 + seed % 3), (2, 9)):
            grown = random_trees(np.random.default_rng(seed), limits, classes, trees, depth)
            found.append(forest_spec("r", channels, names, grown))
    return found + [random_spec(1, [FeatureSpec(*kind) for kind in kinds]) for kinds in WINDOWS]


def main() -> None:
    """Print costs and how well they fit."""
    counts, measured, kept = [], [], []
    for spec in specs():
        model = HostModel(export(spec))
        low, high = ([getattr(c, end) for c in spec.channels] for end in ("low", "high"))
        readings = random_rows(1, spec.channels, 40)
        readings = np.where((readings < low) | (readings > high), low, readings)
        counts.append(work(model.content))
        measured.append(cost(model, readings).instructions)
        kept.append(heap_kept(Case("random", model, readings, readings)))
        print(f"{len(measured)} models", end="\r", file=sys.stderr)
    fit("COSTS", counts, measured, -1)
    fit("HEAP", [{k: v for k, v in row.items() if k in HEAP} for row in counts], kept, 0)


def fit(title: str, counts: list[dict[str, float]], measured: list[int], places: int) -> None:
    """Print what each part takes, and for each model the measure and its estimate."""
    names = list(dict.fromkeys(name for row in counts for name in row))
    table = np.array([[row.get(name, 0) for name in names] for row in counts], dtype=float)
    truth = np.array(measured, dtype=float)
    costs, _ = nnls(table / truth[:, None], np.ones(len(truth)))
    print(title)
    for name, value in zip(names, costs, strict=True):
        print(f'    "{name}": {round(value, places):_.0f},')
    for row, true, estimate in zip(counts, truth, table @ costs, strict=True):
        print(f"{true:10,.0f} {estimate / true:5.2f} { ({k: round(v, 1) for k, v in row.items() if v}) }")


if __name__ == "__main__":
    main()
