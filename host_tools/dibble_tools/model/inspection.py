"""Everything in a model file, as JSON-ready values."""

from typing import Any

import numpy as np
from dibble.inference.features import KINDS

from dibble_tools.data.channels import steps_to_text, to_values
from dibble_tools.data.sound.segments import SoundSettings
from dibble_tools.model.content import Additive, Content, Forest, Maps, RowLayer, Step, Stream
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
    told = list(model.stand_ins)
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
                **(
                    {"stands_in": None if offset is None else steps_to_text(channel.low + offset, channel)}
                    if told
                    else {}
                ),
            }
            for channel, offset in zip(model.channels, told or [None] * len(model.channels), strict=True)
        ],
        "features": [{"channel": model.title(f), "feature": KINDS[f.kind], "readings": f.size} for f in model.features],
        "number": _number(model),
        "sound": _sound(model.sound) if model.sound else None,
        "tables": _tables(model),
        "novel_below": model.novel_below if model.novelty else None,
        "unsure_below": model.unsure_below,
        "hysteresis": model.hysteresis,
        "golden_vectors": len(model.golden),
    }


def _number(model: Content) -> dict[str, Any] | None:
    q = model.number
    if q is None:
        return None
    return {
        "name": q.channel.name,
        "unit": q.channel.unit,
        "ahead_s": q.ahead_s,
        "range": f"{steps_to_text(q.channel.low, q.channel)} .. {steps_to_text(q.channel.high, q.channel)}",
        "within": f"{steps_to_text(q.spread, q.channel)} either way, {q.coverage} times in 100",
    }


def _sound(sound: SoundSettings) -> dict[str, str]:
    """Return what a model hears by, for people."""
    f, gate = sound.front_end, sound.gate
    row_ms = 1000 * f.hop / f.rate_hz
    hz = f.rate_hz / f.size
    found = {
        "samples": f"{f.rate_hz:,} a second, 16 bits",
        "frames": f"{f.size} samples, one each {f.hop} ({row_ms:.0f} ms)",
        "bands": f"{f.bands}, {f.first * hz:,.0f} to {(f.first + sum(f.widths)) * hz:,.0f} Hz",
    }
    if gate is None:
        return found
    return found | {
        "a sound": f"louder than the floor by {gate.on / 16:.2g} octaves, {gate.least * row_ms:.0f} to "
        f"{gate.most * row_ms:.0f} ms, over after {gate.tail * row_ms:.0f} ms",
        "features": f"{sound.features}: {gate.rows} rows of bands, length, level",
    }


def _layer_text(layer: RowLayer) -> str:
    """Return what a layer of a network with a memory is, for people."""
    if layer.kind == "mean":
        return f"mean of {layer.taps} hops"
    taps = f" x {layer.taps} hops" if layer.taps > 1 else ""
    stride = f", each {layer.stride}nd" if layer.stride == 2 else f", each {layer.stride}th" if layer.stride > 2 else ""
    return f"{layer.units}{taps} ({layer.kind}{stride})"


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
    elif isinstance(family, Maps):
        found = {
            "frame": str(family.frame),
            "layers": ", ".join(_step(step) for step in family.steps),
            "weights": sum(step.weights.size for step in family.steps),
            "multiply_adds": family.multiply_adds(),
            "arena_bytes": family.arena_bytes,
        }
    elif isinstance(family, Stream):
        found = {
            "layers": ", ".join(_layer_text(layer) for layer in family.layers),
            "weights": f"{sum(len(row) for layer in family.layers for row in layer.rows):,}",
        }
    else:
        found = {
            "layers": "-".join(map(str, [len(model.features), *(len(layer.rows) for layer in family.layers)])),
            "weights": ", ".join(FORM_TEXTS[layer.form] for layer in family.layers),
        }
    return {**found, "bytes": model.family_bytes}


def _step(step: Step) -> str:
    """Return a step for people: what it makes, and by what."""
    words = step.words
    made = f"{words['OUT_HEIGHT']}x{words['OUT_WIDTH']}x{words['UNITS']}"
    largest = step.kind == "pool" and not words["MULTIPLIER"]
    name = "dense" if words["WIDE"] else "largest" if largest else step.kind
    return f"{name} {made}"
