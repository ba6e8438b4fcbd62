"""Write a network over a stream as C99: rows of codes in, a decision out at each hop."""

from typing import Any

from dibble import __version__

from dibble_tools.export import names
from dibble_tools.export.c.tables import Kind, unsigned
from dibble_tools.model.content import Content, RowLayer, Stream


def stream_context(content: Content, prefix: str) -> dict[str, Any]:
    """Return what the templates stream_model.c.j2 and stream_model.h.j2 ask for."""
    network = content.family
    assert isinstance(network, Stream)
    layers = [_layer(network, i) for i in range(len(network.layers))]
    return {
        "prefix": prefix,
        "PREFIX": prefix.upper(),
        "version": __version__,
        "name": content.name,
        "about": "a network over a stream of " + ", ".join(layer["title"] for layer in layers),
        "classes": list(content.classes),
        "class_endings": names.endings(content.classes, "class"),
        "codes": network.layers[0].inputs,
        "layers": layers,
        "unsure_below": content.unsure_below,
        "hysteresis": content.hysteresis,
        "margin_type": "uint16_t" if len(content.classes) > 1 else "uint32_t",
        "agreed_type": unsigned([content.hysteresis]).type,
        "golden": content.golden,
        "golden_codes": [code or 0 for vector in content.golden for code in vector.readings] or [0],
        "golden_decisions": [n for v in content.golden for n in (v.class_index, v.margin, v.flags)] or [0],
        "byte": Kind("uint8_t", ""),
        "int8": Kind("int8_t", ""),
        "int32": Kind("int32_t", ""),
        "word": Kind("uint32_t", ""),
    }


def _layer(network: Stream, i: int) -> dict[str, Any]:
    layer = network.layers[i]
    last = i + 1 == len(network.layers)
    return {
        "number": i + 1,
        "kind": layer.kind,
        "inputs": layer.inputs,
        "units": layer.units,
        "taps": layer.taps,
        "span": _span(layer),
        "stride": layer.stride,
        "rows": layer.rows,
        "biases": layer.biases,
        "shifts": layer.shifts,
        "last": last,
        "twin": 0 if last else _span(network.layers[i + 1]),
        "steps": layer.taps.bit_length() - 1,
        "title": TITLES[layer.kind].format(units=layer.units, inputs=layer.inputs, taps=layer.taps),
    }


TITLES = {
    "full8": "{units} units of {taps} x {inputs} inputs",
    "full4": "{units} units of {taps} x {inputs} inputs",
    "depthwise8": "{units} units of {taps} hops of their own input",
    "mean": "the mean of {taps} hops of {inputs} inputs",
}


def _span(layer: RowLayer) -> int:
    """Return the bytes that a layer sees: a mean one row more, that which leaves."""
    return layer.inputs * (layer.taps + (layer.kind == "mean"))
