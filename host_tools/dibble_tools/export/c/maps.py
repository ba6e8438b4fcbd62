"""Write a network of maps as C99: a frame in, a decision out."""

from typing import Any

from dibble import __version__

from dibble_tools.export import names
from dibble_tools.export.c.tables import Kind, unsigned
from dibble_tools.model.content import Content, Maps, Step

TITLES = {
    "conv": "A full convolution of {units} units, {weights} weights each.",
    "depthwise": "A convolution of {units} channels, each by itself, {weights} weights.",
    "pool": "A pool of {units} channels.",
    "add": "The sum of two maps of {units} channels.",
}


def maps_context(content: Content, prefix: str) -> dict[str, Any]:
    """Return what the templates maps_model.c.j2 and maps_model.h.j2 ask for."""
    network = content.family
    assert isinstance(network, Maps)
    frame = network.frame
    to, row_bytes, skip, rows = network.taken
    steps = [_step(step, i + 1) for i, step in enumerate(network.steps)]
    return {
        "prefix": prefix,
        "PREFIX": prefix.upper(),
        "version": __version__,
        "name": content.name,
        "about": f"a convolutional network of {len(steps)} steps",
        "classes": list(content.classes),
        "class_endings": names.endings(content.classes, "class"),
        "frame": {
            **{"height": frame.height, "width": frame.width, "depth": frame.depth, "scaled": frame.scaled},
            **{"zero_point": frame.zero_point, "multiplier": frame.multiplier, "shift": frame.shift},
            **{"to": to, "row_bytes": row_bytes, "skip": skip, "rows": rows, "around": list(network.around)},
            "type": "int16_t" if frame.scaled else "uint8_t",
        },
        "arena_bytes": network.arena_bytes,
        "steps": steps,
        "kinds": {step.kind for step in network.steps},
        "padded": bool(network.around) or any(step.around for step in network.steps),
        "scores_at": network.steps[-1].words["OUT_AT"],
        "unsure_below": content.unsure_below,
        "hysteresis": content.hysteresis,
        "margin_type": "uint16_t",
        "agreed_type": unsigned([content.hysteresis]).type,
        "golden": [n for v in content.golden for n in (v.seed, v.class_index, v.margin, v.flags)] or [0] * 4,
        "byte": Kind("uint8_t", ""),
        "int8": Kind("int8_t", ""),
        "int32": Kind("int32_t", ""),
        "word": Kind("uint32_t", ""),
    }


def _step(step: Step, number: int) -> dict[str, Any]:
    units, weights = step.words["UNITS"], step.words["WEIGHTS"]
    return {
        "number": number,
        "kind": step.kind,
        "title": TITLES[step.kind].format(units=units, weights=weights),
        "words": list(step.words.values()),
        "around": list(step.around),
        "weighted": bool(step.biases),
        "weights": step.weights.ravel().tolist(),
        "biases": step.biases,
        "shifts": step.shifts,
    }
