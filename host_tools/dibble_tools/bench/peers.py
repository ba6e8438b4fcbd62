"""The same forest through other people's exporters to Python, and written plainly: bytes, instructions, nanoseconds."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import m2cgen
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from dibble_tools.bench.results import EVERYWHEREML, M2CGEN, PLAIN, Figures
from dibble_tools.bench.unix_time import program_nanoseconds
from dibble_tools.machines.replay import WASI_HEAP, WASI_MEMORY
from dibble_tools.machines.vms import run_wasi, unix_can_exist

PLAINLY = """
def predict(x):
    votes = [0.0] * {classes}
    for feature, threshold, left, right, value in trees:
        i = 0
        while left[i] >= 0:
            if x[feature[i]] <= threshold[i]:
                i = left[i]
            else:
                i = right[i]
        for k in range({classes}):
            votes[k] += value[i][k]
    return votes.index(max(votes))
trees = {trees}
"""


def peers(forest: RandomForestClassifier, rows: np.ndarray, many: np.ndarray) -> Iterator[tuple[str, Figures]]:
    """Yield (way, figures): of the Python text's bytes, and of a prediction.

    Args:
        rows, many: readings to count, and to time.
    """
    m2cgens = m2cgen.export_to_python(forest)
    for way, text, call in (
        (M2CGEN, m2cgens, "score"),
        (EVERYWHEREML, everywhereml(forest), "forest.predict"),
        (PLAIN, plainly(forest), "predict"),
    ):
        figures: Figures = {"model_bytes": len(text), "wasi_instructions_predict": fuel(text, f"{call}(row)", rows)}
        if unix_can_exist():
            figures["pc_ns_predict"] = program_nanoseconds(text, call, many)
        yield way, figures


def plainly(forest: RandomForestClassifier) -> str:
    """Return loops over lists of floats."""
    names = ("feature", "threshold", "children_left", "children_right")
    trees = [
        (*(getattr(tree.tree_, name).tolist() for name in names), tree.tree_.value[:, 0].tolist())
        for tree in forest.estimators_
    ]
    return PLAINLY.replace("{classes}", str(len(forest.classes_))).replace("{trees}", repr(trees))


def everywhereml(forest: RandomForestClassifier) -> str:
    """Return a class with the trees as nested ifs that vote, as everywhereml writes one."""
    lines = ["class Forest:", " def predict(self, x):", f"  votes = [0] * {len(forest.classes_)}"]
    for tree in forest.estimators_:
        _ifs(tree, 0, 2, lines)
    return "\n".join([*lines, "  return votes.index(max(votes))", "forest = Forest()", ""])


def _ifs(tree: DecisionTreeClassifier, node: int, depth: int, lines: list[str]) -> None:
    t = tree.tree_
    if t.children_left[node] < 0:
        lines.append(f"{' ' * depth}votes[{t.value[node, 0].argmax()}] += 1")
        return
    lines.append(f"{' ' * depth}if x[{t.feature[node]}] <= {t.threshold[node]}:")
    _ifs(tree, t.children_left[node], depth + 1, lines)
    lines.append(f"{' ' * depth}else:")
    _ifs(tree, t.children_right[node], depth + 1, lines)


def fuel(program: str, call: str, rows: np.ndarray) -> int:
    """Return the WebAssembly instructions of one call for a row, the mean over rows: from two runs."""
    counts = []
    for times in (1, 3):
        text = f"{program}\nrows = {rows.tolist()!r}\ndef run():\n for row in rows:\n  {call}\n"
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "main.py").write_text(f"{text}for _ in range({times}):\n run()\n")
            run = run_wasi(Path(folder), "main.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY)
            assert run.instructions is not None
            counts.append(run.instructions)
    return (counts[1] - counts[0]) // (2 * len(rows))
