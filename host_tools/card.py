"""The model card: what a model was made from, how, and how good it is; card.json beside model.dib."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sklearn
from dibble import __version__

from host_tools.evaluator import Decisions
from host_tools.host_model import MODEL_FILE, HostModel
from host_tools.metrics import evaluation, names_of, score

if TYPE_CHECKING:
    from host_tools.train import Prepared, TrainOptions


def make_card(
    path: Path,
    options: "TrainOptions",
    data: "Prepared",
    model: HostModel,
    estimator: Any,
    teacher: Any,
    decisions: Decisions,
    margin_table: list[dict[str, float]],
    vote_agreement: float,
) -> dict[str, Any]:
    """Return the card of a freshly trained model as JSON-ready values.

    Accuracies are over the held-out rows without a missing reading, the same rows for each.
    """
    labels = data.ds.labels
    assert labels is not None
    test = data.split.test
    judged = test & data.whole
    truth, values = labels[judged], data.values[judged]
    answer = names_of(decisions, model.classes)
    soft = estimator.predict(data.values[data.whole])
    names, counts = np.unique(labels, return_counts=True)
    nodes = sum(tree.tree_.node_count for tree in estimator.estimators_)
    subset = Decisions(*decisions.columns()[test].T)
    return {
        "made_by": f"dibble {__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}",
        "name": model.model.name,
        "model": {
            "file": MODEL_FILE,
            "bytes": len(model.blob),
            "sha256": hashlib.sha256(model.blob).hexdigest(),
            "golden_vectors": model.model.golden_count,
        },
        "data": {
            "file": path.name,
            "sha256": data.ds.sha256,
            "rows": len(labels),
            "rows_with_a_missing_reading": int((~data.whole).sum()),
            "label": options.label,
            "time": options.time,
            "group": options.group,
            "rows_of_each_class": {str(n): int(c) for n, c in zip(names, counts, strict=True)},
        },
        "split": {"how": data.split.how, "train_rows": int((~test).sum()), "test_rows": int(test.sum())},
        "forest": {
            "trees": options.trees,
            "leaves": options.leaves,
            "balance": options.balance,
            "seed": options.seed,
            "nodes_in_scikit_learn": nodes,
            "splits_in_the_file": len(model.model.forest[0]),
            "bytes_a_node": round(4 * len(model.model.forest[0]) / nodes, 2),
            "leaves_store": "votes: one class a leaf",
        },
        "unsure": {
            "below_margin": model.model.unsure_below,
            "sure": options.sure,
            "chosen_on": "cross-validation inside the training part",
            "margins": margin_table,
        },
        "agreement": {
            "with_scikit_learn_votes": vote_agreement,
            "with_scikit_learn_predict": round(float(np.mean(soft == answer[data.whole])), 4),
            "rows": int(data.whole.sum()),
        },
        "held_out": {
            "float_reference": {
                "what": f"scikit-learn forest of {len(teacher.estimators_)} full trees, floats",
                **score(truth, teacher.predict(values)).to_json(),
            },
            "float_forest": {
                "what": "the same trees, scikit-learn's predict (averages class shares)",
                **score(truth, estimator.predict(values)).to_json(),
            },
            "integer_model": {
                "what": "what the node computes (counts votes)",
                **evaluation(labels[test], subset, model.classes),
            },
        },
        "notes": data.notes,
    }
