"""The public forests among the models: scikit-learn fits them, `convert` makes the file.

python -m dibble_tools.bench.shipped [FOLDER]   # writes FOLDER/digits, FOLDER/wine: the same bytes each time
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from dibble import __version__
from sklearn.datasets import load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier

from dibble_tools.common.files import write_atomically
from dibble_tools.common.shipped import MODELS
from dibble_tools.data.channels import to_readings
from dibble_tools.model.convert import convert
from dibble_tools.model.decisions import Decisions
from dibble_tools.model.host_model import MODEL_FILE, HostModel
from dibble_tools.model.metrics import evaluation

CARD_FILE = "card.json"


@dataclass(frozen=True)
class Shipped:
    """A forest of scikit-learn's, on data that come with it.

    Attributes:
        x, y: all rows, and their class names.
        held_out: bool (rows,): not trained on.
        columns, channels: their names, and `--channel` options; where left out, found from the values.
    """

    name: str
    about: str
    split: str
    x: np.ndarray
    y: np.ndarray
    held_out: np.ndarray
    trees: int
    leaves: int
    columns: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    def fitted(self, x: np.ndarray | None = None) -> RandomForestClassifier:
        """Return the forest, of the rows not held out; of these values in place of `x`."""
        forest = RandomForestClassifier(self.trees, max_leaf_nodes=self.leaves, random_state=0)
        return forest.fit((self.x if x is None else x)[~self.held_out], self.y[~self.held_out])

    def model(self) -> HostModel:
        """Return it converted; the channels' ranges are those of all rows."""
        import pandas as pd

        x = pd.DataFrame(self.x, columns=list(self.columns)) if self.columns else self.x
        return convert(self.fitted(), x, name=self.name, channels=self.channels)

    def readings(self, model: HostModel) -> np.ndarray:
        """Return all rows as integer readings."""
        return to_readings(self.x, model.channels)


def digits() -> Shipped:
    """Return the forest that other people's figures are of, too: handwritten digits, 8 x 8 pixels."""
    data = load_digits()
    return Shipped(
        "digits",
        "scikit-learn's digits: 8 x 8 pixels of 0..16, from UCI's Optical Recognition of Handwritten Digits",
        "the first 1,200 rows to train on",
        data.data,
        data.target.astype(str),
        np.arange(len(data.data)) >= 1200,
        trees=10,
        leaves=100,
    )


def wine() -> Shipped:
    """Return a forest that even a micro:bit holds: three cultivars of wine, told by chemical analysis."""
    data = load_wine()
    return Shipped(
        "wine",
        "scikit-learn's wine: 13 quantities of Italian wines of three cultivars, from UCI's Wine",
        "each third row held out",
        data.data,
        data.target_names[data.target],
        np.arange(len(data.data)) % 3 == 2,
        trees=10,
        leaves=8,
        columns=tuple(name.replace("/", "_") for name in data.feature_names),
        channels=("color_intensity=:0.01",),
    )


def every() -> Iterator[Shipped]:
    """Yield them all."""
    yield digits()
    yield wine()


def card(shipped: Shipped, model: HostModel) -> dict[str, Any]:
    """Return the model's card: from what and how it was made, and how good it is on the rows held out."""
    held = shipped.held_out
    decided = Decisions(*model.decide(shipped.readings(model)).columns()[held].T)
    names, counts = np.unique(shipped.y, return_counts=True)
    right = float(np.mean(shipped.fitted().predict(shipped.x[held]) == shipped.y[held]))
    return {
        "made_by": f"dibble {__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}",
        "how": "python -m dibble_tools.bench.shipped",
        "name": shipped.name,
        "model": {
            "file": MODEL_FILE,
            "family": "forest",
            "recipe": f"RandomForestClassifier({shipped.trees}, max_leaf_nodes={shipped.leaves}, random_state=0)",
            "bytes": len(model.blob),
            "sha256": hashlib.sha256(model.blob).hexdigest(),
            "golden_vectors": len(model.content.golden),
        },
        "data": {
            "what": shipped.about,
            "rows": len(shipped.x),
            "rows_of_each_class": {str(n): int(c) for n, c in zip(names, counts, strict=True)},
        },
        "split": {"how": shipped.split, "train_rows": int((~held).sum()), "test_rows": int(held.sum())},
        "held_out": {
            "float_reference": {"what": "scikit-learn's own predict of the same forest", "accuracy": right},
            "integer_model": {
                "what": "what the node computes",
                **evaluation(shipped.y[held], decided, model.content.classes),
            },
        },
    }


def write(folder: Path) -> None:
    """Write every model and its card, the model last."""
    for shipped in every():
        model = shipped.model()
        model.cross_check(shipped.readings(model))
        text = json.dumps(card(shipped, model), indent=1, ensure_ascii=False) + "\n"
        write_atomically(folder / shipped.name / CARD_FILE, text.encode())
        model.save(folder / shipped.name / MODEL_FILE)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if sys.argv[1:] else MODELS)
