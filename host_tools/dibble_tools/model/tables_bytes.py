"""Tables of a family -> bytes of a model file. models/FORMAT.md specifies them; firmware's forest.py,
additive.py, mlp.py and stream.py read them."""

import struct
from collections.abc import Sequence

import numpy as np
from dibble.inference.additive import OWN_TABLE
from dibble.inference.forest import width_of
from dibble.inference.format import ADDITIVE, FOREST, MLP, STREAM
from dibble.inference.image import MAPS
from dibble.inference.mlp import CODEBOOK4, DENSE8, DENSE16, SPARSE8
from dibble.inference.stream import DEPTHWISE8, FULL8, TOGETHER
from dibble.inference.stream import MEAN as STREAM_MEAN

from dibble_tools.families.additive.tables import AdditiveTables
from dibble_tools.families.forest.pages import ForestTables
from dibble_tools.families.maps.tables import MapsTables
from dibble_tools.families.mlp.tables import Layer, MlpTables
from dibble_tools.families.stream.tables import StreamLayer, StreamTables
from dibble_tools.model.encoding import number, scaler, signed
from dibble_tools.model.maps_bytes import maps_bytes

Tables = ForestTables | AdditiveTables | MlpTables | StreamTables | MapsTables
FAMILIES: dict[type, int] = {
    ForestTables: FOREST,
    AdditiveTables: ADDITIVE,
    MlpTables: MLP,
    StreamTables: STREAM,
    MapsTables: MAPS,
}
FORMS = {"dense8": DENSE8, "dense16": DENSE16, "sparse8": SPARSE8, "codebook4": CODEBOOK4}
BOOK = 16


def family_of(tables: Tables) -> int:
    """Return the family's number in the file."""
    return FAMILIES[type(tables)]


def family_bytes(tables: Tables, limits: Sequence[int], at: int) -> bytes:
    """Return the bytes of the tables.

    Args:
        limits: largest value of each of the model's features; bytes where features are codes as they come.
        at: where in the file they begin, as wide tables are aligned.
    """
    if isinstance(tables, ForestTables):
        return _forest(tables, limits, at)
    if isinstance(tables, AdditiveTables):
        return _additive(tables)
    if isinstance(tables, MapsTables):
        return maps_bytes(tables)
    if isinstance(tables, StreamTables):
        return _stream(tables)
    return _mlp(tables, at, told=not isinstance(limits, bytes))


def _forest(forest: ForestTables, limits: Sequence[int], at: int) -> bytes:
    out = bytearray()
    for thresholds in forest.thresholds:
        out += number(len(thresholds))
    out += number(forest.trees) + number(len(forest.page_nodes)) + bytes(n - 1 for n in forest.page_nodes)
    if len(forest.page_nodes) > forest.trees:
        out += bytes(forest.page_jumps)
    out += number(len(forest.leaves or ()))
    if forest.leaves:
        out += bytes(c for c, _ in forest.leaves) + bytes(amount for _, amount in forest.leaves)
        out += b"".join(map(number, forest.base))
    for width, code in ((4, "I"), (2, "H"), (1, "B")):
        tables = [t for t, limit in zip(forest.thresholds, limits, strict=True) if width_of(limit) == width]
        if any(tables):
            out += bytes(-(at + len(out)) % width)
        for thresholds in tables:
            out += struct.pack(f"<{len(thresholds)}{code}", *thresholds)
    return bytes(out + forest.features + forest.codes + forest.lefts + forest.rights)


def _additive(tables: AdditiveTables) -> bytes:
    out = bytearray()
    code_of: dict[int, int] = {}
    own = {term.features[0] for term in tables.terms if len(term.features) == 1}
    for feature, s in enumerate(tables.scalers):
        if s is None:
            out.append(0)
            continue
        code_of[feature] = len(code_of)
        out.append(s.top | (0 if feature in own else OWN_TABLE))
        out += scaler(s)
    singles = sorted((t for t in tables.terms if len(t.features) == 1), key=lambda t: t.features[0])
    pairs = [t for t in tables.terms if len(t.features) == 2]
    out += number(len(pairs))
    for term in pairs:
        a, b = term.features
        out += bytes((code_of[a], code_of[b], term.shifts[0] << 4 | term.shifts[1]))
    out += b"".join(number(int(b)) for b in tables.base)
    for term in (*singles, *pairs):
        out += bytes(int(c) for c in term.centre)
    for term in (*singles, *pairs):
        out += term.table.astype(np.uint8).tobytes()
    return bytes(out)


def _mlp(tables: MlpTables, at: int, *, told: bool) -> bytes:
    scalers = b"".join(map(scaler, tables.scalers)) if told else b""
    out = bytearray(scalers + number(tables.base) + number(len(tables.layers)))
    for i, layer in enumerate(tables.layers):
        last = i + 1 == len(tables.layers)
        units = len(layer.biases)
        out += b"" if last else bytes((units,))
        out.append(FORMS[layer.form])
        out += bytes(layer.shifts[:1] if last else layer.shifts)
        out += b"".join(signed(int(b)) for b in layer.biases)
        if layer.form == "dense16":
            out += bytes(-(at + len(out)) % 2)
        out += _weights(layer)
    return bytes(out)


def _weights(layer: Layer) -> bytes:
    weights = np.asarray(layer.weights, dtype=np.int64)
    if layer.form == "dense8":
        return bytes((weights + 128).astype(np.uint8).ravel())
    if layer.form == "dense16":
        return (weights + 32768).astype("<u2").tobytes()
    if layer.form == "sparse8":
        out = bytearray()
        for row in weights:
            kept = np.flatnonzero(row)
            out += bytes((len(kept), *kept.tolist(), *(row[kept] + 128).tolist()))
        return bytes(out)
    book = np.unique(weights)
    places = np.searchsorted(book, weights)
    places = np.pad(places, ((0, 0), (0, weights.shape[1] % 2)))
    padded = np.concatenate([book, np.zeros(BOOK - len(book), dtype=np.int64)]) + 128
    return bytes(padded.astype(np.uint8)) + bytes((places[:, ::2] << 4 | places[:, 1::2]).astype(np.uint8).ravel())


def _stream(tables: StreamTables) -> bytes:
    out = bytearray(number(len(tables.layers)))
    for layer in tables.layers:
        shape, last = layer.shape, layer is tables.layers[-1]
        if layer.weights is None:
            out += bytes((STREAM_MEAN, shape.taps.bit_length() - 1, 1))
            continue
        out += bytes((layer.kind, shape.taps, shape.stride))
        out += b"" if last or layer.kind == DEPTHWISE8 else bytes((shape.units,))
        out += bytes(layer.shifts[:1] if last else layer.shifts)
        out += b"".join(signed(int(b)) for b in layer.biases)
        out += _fours(layer)
    return bytes(out)


def _fours(layer: StreamLayer) -> bytes:
    """Return the weights of four units after the other, those of an input side by side."""
    assert layer.weights is not None
    flat = layer.weights.astype(np.int64).reshape(len(layer.weights), -1)
    flat = np.pad(flat, ((0, -len(flat) % TOGETHER), (0, 0)))
    fours = flat.reshape(-1, TOGETHER, flat.shape[1]).transpose(0, 2, 1)
    if layer.kind in (FULL8, DEPTHWISE8):
        return bytes((fours + 128).astype(np.uint8).ravel())
    return bytes((fours[:, :, ::2] + 8 | (fours[:, :, 1::2] + 8) << 4).astype(np.uint8).ravel())
