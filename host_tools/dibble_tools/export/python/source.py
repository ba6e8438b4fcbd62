"""Write a model as one Python file: tables and kernels, without the library."""

import re
import string
import textwrap
from collections.abc import Sequence
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.export.context import context_of, environment
from dibble_tools.export.names import prefix_of
from dibble_tools.model.content import WITHOUT_FILE, Additive, Content, Forest, Maps, Mlp, NetworkLayer

WIDTH = 100
FUNCTIONS = {"dense8": "dense", "dense16": "wide", "sparse8": "sparse", "codebook4": "codebook"}


def write_python(content: Content, prefix: str = "") -> dict[str, str]:
    """Return the text of PREFIX.py by its name.

    Args:
        prefix: the module's name; "" makes one of the model's name.
    Raises:
        InputError: the model has ratios.
    """
    if content.ratios:
        raise InputError(
            f"{content.name}: expected a model without ratios, got {len(content.ratios)}: --to c writes them"
        )
    content = content.compacted()
    prefix = prefix_of(prefix or content.name)
    env = environment("python")
    env.filters.update(shown=_shown, constants=_constants, bytes_literal=_bytes)
    text = env.get_template("python_model.py.j2").render(context_of(content, prefix) | _parts(content))
    return {f"{prefix}.py": _spaced(text)}


def _spaced(text: str) -> str:
    """Return the text without spaces at the ends of lines, and two empty lines after each function and class."""
    lines: list[str] = []
    head, code = text.split('"""\n\n', 1)
    for line in code.splitlines():
        if line[:1] in ("#", *string.ascii_letters) and len(lines) > 1 and not lines[-1] and lines[-2][:1] == " ":
            lines.append("")
        lines.append(line.rstrip())
    return f'{head}"""\n\n' + re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)) + "\n"


def _parts(content: Content) -> dict[str, Any]:
    """Return what the templates ask for beyond the C templates' context."""
    channels_of_features = [feature.channel for feature in content.features]
    windowed = any(feature.kind for feature in content.features)
    parts: dict[str, Any] = {
        "highs": [channel.high for channel in content.channels],
        "stand_offsets": [-1 if offset is None else offset for offset in content.stand_ins],
        "channels_of_features": channels_of_features,
        "plain": not windowed and channels_of_features != list(range(len(content.channels))),
        "functions": {"add"} if content.novelty or isinstance(content.family, Additive) else set(),
        "additive_groups": [],
        "code_bytes": len(content.features) + 1,
        "hidden": [],
        "layers": [],
        "forms": [],
    } | _golden(content)
    family = content.family
    if isinstance(family, Additive):
        parts["additive_groups"].append(("family", _groups(family)))
    elif isinstance(family, Forest):
        parts["node_tables"] = [list(table) for table in zip(*family.nodes, strict=True)]
    elif isinstance(family, Maps):
        raise InputError(WITHOUT_FILE)
    elif isinstance(family, Mlp):
        parts |= _layers(family) if len(content.classes) > 1 else {}
    if content.novelty:
        parts["additive_groups"].append(("usual", _groups(content.novelty)))
    return parts


def _groups(tables: Additive) -> list[dict[str, Any]]:
    """Return, class by class, its base and its column of each term's table."""
    groups = []
    for k, base in enumerate(tables.base):
        columns = [(t, [entry[k - 1] for entry in t.entries]) for t in tables.terms] if k else []
        singles = [(t.a, column) for t, column in columns if t.b is None]
        groups.append({"base": base, "singles": singles, "pairs": [pair for pair in columns if pair[0].b is not None]})
    return groups


def _layers(network: Mlp) -> dict[str, Any]:
    layers = []
    for layer in network.layers:
        weights = [_weights(layer, row) for row in layer.rows]
        each = zip(layer.biases, layer.shifts, weights, strict=True)
        units = [{"bias": bias, "shift": shift, "weights": text} for bias, shift, text in each]
        layers.append({"form": FUNCTIONS[layer.form], "units": units, "book": [weight + 128 for weight in layer.book]})
    return {
        "layers": layers,
        "forms": [layer["form"] for layer in layers],
        # One zero more than there are outputs, so that a codebook's last half has one to meet.
        "hidden": [len(layer.rows) + 1 for layer in network.layers[:-1]],
    }


def _weights(layer: NetworkLayer, row: Any) -> str:
    if layer.form == "dense16":
        return _constants(row)
    if layer.form == "sparse8":
        return f"{bytes(at for at, _ in row)!r}, {bytes(weight + 128 for _, weight in row)!r}"
    if layer.form == "codebook4":
        padded = [*row, 0] if len(row) % 2 else row
        return repr(bytes(a << 4 | b for a, b in zip(padded[::2], padded[1::2], strict=True)))
    return repr(bytes(weight + 128 for weight in row))


def _golden(content: Content) -> dict[str, Any]:
    """Return the golden vectors as little-endian numbers of one width."""
    numbers: list[int] = []
    for vector in content.golden:
        for reading, channel in zip(vector.readings, content.channels, strict=True):
            numbers.append(0 if reading is None else reading - channel.low + 1)
        numbers += (vector.class_index, vector.margin, vector.flags)
    width = (max([*numbers, 1]).bit_length() + 7) // 8
    return {"golden_width": width, "golden_bytes": b"".join(number.to_bytes(width, "little") for number in numbers)}


def _shown(text: str) -> str:
    """Return a name as it may stand in a docstring or a comment."""
    return "".join(c if c.isprintable() and c not in '\\"' else " " for c in text)


def _constants(values: Sequence[Any]) -> str:
    """Return a tuple's source, on as many lines as it needs."""
    text = "(" + ", ".join(map(repr, values)) + ("," if len(values) == 1 else "") + ")"
    if len(text) <= WIDTH or any(isinstance(value, str) for value in values):
        return text
    return "(\n" + textwrap.fill(text[1:-1] + ",", WIDTH, initial_indent="    ", subsequent_indent="    ") + "\n)"


def _bytes(values: Sequence[int], indent: int = 0) -> str:
    """Return the source of a bytes object, on as many lines as it needs."""
    data = bytes(values)
    if len(repr(data)) + indent <= WIDTH:
        return repr(data)
    pad = " " * indent
    pieces = "\n".join(f"{pad}    {piece!r}" for piece in _cut(data))
    return f"(\n{pieces}\n{pad})"


def _cut(data: bytes) -> list[bytes]:
    """Cut bytes so that each piece's source fits a line."""
    pieces = [b""]
    for i in range(len(data)):
        if len(repr(pieces[-1] + data[i : i + 1])) > WIDTH - 20:
            pieces.append(b"")
        pieces[-1] += data[i : i + 1]
    return pieces
