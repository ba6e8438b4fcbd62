"""Everything in a model file, as JSON-ready values."""

from typing import Any

import numpy as np
from dibble.inference.features import KINDS
from dibble.inference.model import FORMAT

from host_tools.channels import steps_to_text, to_values
from host_tools.host_model import HostModel


def describe(opened: HostModel) -> dict[str, Any]:
    """Return what a model file holds; thresholds as counts, tables as sizes."""
    model = opened.model
    features, _, _, _, starts, _, _, trees = model.forest
    windows = model.windows.windows if model.windows else None
    counts = {feature: count for feature, _, _, count in model.layout}
    names = [channel.name for channel in opened.channels]
    return {
        "name": model.name,
        "format": FORMAT,
        "family": "forest",
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
                "thresholds": counts.get(i, 0),
            }
            for i in range(len(model.codes))
        ],
        "trees": trees,
        "pages": len(starts),
        "splits": len(features),
        "table_bytes": {
            "nodes": 4 * len(features),
            "thresholds": sum(width * count for _, width, _, count in model.layout),
        },
        "unsure_below": model.unsure_below,
        "hysteresis": model.decision.hysteresis,
        "golden_vectors": model.golden_count,
    }
