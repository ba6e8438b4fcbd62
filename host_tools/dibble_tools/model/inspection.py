"""Everything in a model file, as JSON-ready values."""

from typing import Any

import numpy as np
from dibble.inference import additive, forest, mlp
from dibble.inference.features import KINDS
from dibble.inference.format import ADDITIVE, FOREST, NOVELTY, Cursor
from dibble.inference.model import Model

from dibble_tools.data.channels import steps_to_text, to_values
from dibble_tools.model.host_model import HostModel

FAMILIES = {1: "forest", 2: "additive", 3: "mlp"}
FORMS = ("int8", "int16", "int8, zeros left out", "4-bit codebook")


def describe(opened: HostModel) -> dict[str, Any]:
    """Return what a model file holds; thresholds as counts, tables as sizes."""
    model = opened.model
    windows = model.windows.windows if model.windows else None
    names = [channel.name for channel in opened.channels]
    return {
        "name": model.name,
        "format": opened.blob[4],
        "parts": [str(name, "utf-8") for name in model.parts],
        "family": FAMILIES[model.blob[5] & 127],
        "bytes": len(opened.blob),
        "classes": list(model.classes),
        "interval_s": model.interval_ms / 1000 if model.interval_ms else None,
        "channels": [
            {
                "name": channel.name,
                "unit": channel.unit,
                "resolution": float(to_values(np.array(1), channel)),
                "low": channel.low,
                "high": channel.high,
                "range": f"{steps_to_text(channel.low, channel)} .. {steps_to_text(channel.high, channel)}",
            }
            for channel in opened.channels
        ],
        "features": [
            {
                "channel": names[windows[i].channel if windows else i],
                "feature": KINDS[windows[i].kind] if windows else "last",
                "readings": windows[i].size if windows else 1,
            }
            for i in range(len(model.limits))
        ],
        "tables": _tables(model),
        "novel_below": model.novel_below if model.blob[5] & NOVELTY else None,
        "unsure_below": model.unsure_below,
        "hysteresis": model.decision.hysteresis,
        "golden_vectors": model.golden_count,
    }


def _tables(model: Model) -> dict[str, Any]:
    """Return what the family's tables are: counts and sizes."""
    cursor, classes = Cursor(model.blob, model.family_at), len(model.classes)
    family = model.blob[5] & 127
    if family == FOREST:
        layout, (features, _, _, _, starts, _, _, trees, _, amounts, _) = forest.read(cursor, model.limits, classes)
        content = {
            "trees": trees,
            "pages": len(starts),
            "splits": len(features),
            "leaves": "votes" if bytes(amounts) == b"\1" * classes else f"{len(amounts)} scores",
            "thresholds": sum(count for _, _, _, count in layout),
        }
    elif family == ADDITIVE:
        _, singles, pairs, tables, _, _ = additive.read(cursor, model.limits, classes)
        content = {
            "features_alone": len(singles),
            "pairs": len(pairs),
            "entries": sum(len(column) for columns in tables for column in columns),
        }
    else:
        _, _, layers = mlp.read(cursor, model.limits, classes)
        sizes = [len(model.limits), *(len(rows) for _, (rows, *_) in layers)]
        content = {
            "layers": "-".join(map(str, sizes)),
            "weights": ", ".join(FORMS[form] for form, _ in layers),
        }
    return {**content, "bytes": cursor.at - model.family_at}
