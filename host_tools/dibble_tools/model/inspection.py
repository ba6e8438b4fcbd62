"""Everything in a model file, as JSON-ready values."""

from typing import Any

import numpy as np
from dibble.inference.features import KINDS

from dibble_tools.data.channels import steps_to_text, to_values
from dibble_tools.model.content import Additive, Content, Forest
from dibble_tools.model.host_model import HostModel

FORM_TEXTS = {
    "dense8": "int8",
    "dense16": "int16",
    "sparse8": "int8, zeros left out",
    "codebook4": "4-bit codebook",
}


def describe(opened: HostModel) -> dict[str, Any]:
    """Return the description of a model file; thresholds as counts, tables as sizes."""
    model = opened.content
    return {
        "name": model.name,
        "format": model.format,
        "parts": list(model.parts),
        "family": model.family_name,
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
            for channel in model.channels
        ],
        "features": [{"channel": model.title(f), "feature": KINDS[f.kind], "readings": f.size} for f in model.features],
        "tables": _tables(model),
        "novel_below": model.novel_below if model.novelty else None,
        "unsure_below": model.unsure_below,
        "hysteresis": model.hysteresis,
        "golden_vectors": len(model.golden),
    }


def _tables(model: Content) -> dict[str, Any]:
    """Return counts and sizes of the family's tables."""
    family = model.family
    if isinstance(family, Forest):
        found: dict[str, Any] = {
            "trees": family.trees,
            "pages": len(family.page_nodes),
            "splits": len(family.nodes),
            "leaves": "votes" if family.leaves is None else f"{len(family.leaves)} scores",
            "thresholds": sum(map(len, family.thresholds)),
        }
    elif isinstance(family, Additive):
        found = {
            "features_alone": sum(term.b is None for term in family.terms),
            "pairs": sum(term.b is not None for term in family.terms),
            "entries": sum(len(cell) for term in family.terms for cell in term.entries),
        }
    else:
        found = {
            "layers": "-".join(map(str, [len(model.features), *(len(layer.rows) for layer in family.layers)])),
            "weights": ", ".join(FORM_TEXTS[layer.form] for layer in family.layers),
        }
    return {**found, "bytes": model.family_bytes}
