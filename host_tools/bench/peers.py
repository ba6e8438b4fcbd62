"""The digits forest through other people's exporters, and written plainly: bytes, and instructions of the 32-bit VM."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import emlearn
import m2cgen
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from host_tools.replay import WASI_HEAP, WASI_MEMORY
from host_tools.vms import run_wasi

TRAINED_ON = 1200
PLAIN = """
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


def fitted() -> RandomForestClassifier:
    """Return the forest that digits.dib was converted from."""
    x, y = load_digits(return_X_y=True)
    return RandomForestClassifier(10, max_leaf_nodes=100, random_state=0).fit(x[:TRAINED_ON], y[:TRAINED_ON])


def peers(rows: np.ndarray) -> Iterator[tuple[str, int, int | None]]:
    """Yield (what, bytes of what goes to the board, WebAssembly instructions of a prediction)."""
    forest = fitted()
    generated = m2cgen.export_to_python(forest)
    yield "m2cgen", len(generated), fuel(generated, "score(row)", rows)
    with tempfile.TemporaryDirectory() as folder:
        emlearn.convert(forest, dtype="int16_t").save(file=f"{folder}/f.csv", name="f", format="csv")
        yield "emlearn's CSV", (Path(folder) / "f.csv").stat().st_size, None
    text = everywhereml(forest)
    yield "in everywhereml's style", len(text), fuel(text, "forest.predict(row)", rows)
    names = ("feature", "threshold", "children_left", "children_right")
    trees = [
        (*(getattr(tree.tree_, name).tolist() for name in names), tree.tree_.value[:, 0].tolist())
        for tree in forest.estimators_
    ]
    text = PLAIN.replace("{classes}", str(len(forest.classes_))).replace("{trees}", repr(trees))
    yield "plain loops over floats", len(text), fuel(text, "predict(row)", rows)


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
    """Return the instructions of one call for a row, the mean over rows: from two runs."""
    counts = []
    for times in (1, 3):
        text = f"{program}\nrows = {rows.tolist()!r}\ndef run():\n for row in rows:\n  {call}\n"
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "main.py").write_text(f"{text}for _ in range({times}):\n run()\n")
            run = run_wasi(Path(folder), "main.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY)
            assert run.instructions is not None
            counts.append(run.instructions)
    return (counts[1] - counts[0]) // (2 * len(rows))
