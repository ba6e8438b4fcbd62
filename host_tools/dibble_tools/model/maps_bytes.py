"""A network of maps -> bytes of a model file. models/FORMAT.md specifies them; firmware's maps.py reads them."""

import struct
from collections.abc import Iterator

import numpy as np

from dibble_tools.families.maps.places import MapPlace, places
from dibble_tools.families.maps.tables import KINDS, Frame, MapLayer, MapsTables
from dibble_tools.model.encoding import number, signed

CONV_UNITS, DEPTHWISE_UNITS = 8, 32  # of a block
WEIGHT_ZERO = 128


def image_part(frame: Frame) -> bytes:
    """Return the content of the part "image"."""
    out = number(frame.height) + number(frame.width) + bytes((frame.depth, frame.scaled))
    return out + (signed(frame.zero_point) + bytes((frame.multiplier, frame.shift)) if frame.scaled else b"")


def maps_bytes(tables: MapsTables) -> bytes:
    """Return the bytes of the family's tables."""
    where, arena = places(tables)
    frame = where[0]
    out = bytearray(number(arena) + number(frame.at) + number(frame.row - frame.shape[1] * frame.shape[2]))
    out += _around(frame)
    out += number(len(tables.layers))
    for i, layer in enumerate(tables.layers):
        out += _step(layer, where, i + 1)
    for layer in tables.layers:
        out += b"".join(_blocks(layer))
    return bytes(out)


def _around(place: MapPlace) -> bytes:
    told = place.around()
    if told is None:
        return b"\0"
    at, before, between, after, code = told
    return b"\1" + b"".join(map(number, (at, before, between, after))) + bytes((code,))


def _step(layer: MapLayer, where: list[MapPlace], made: int) -> bytes:
    source, target = where[layer.inputs[0]], where[made]
    height, width, units = target.shape
    last = made + 1 == len(where)
    # The kernel's first row and column lie in the pads.
    at = source.at - layer.pads[0] * source.row - layer.pads[1] * source.shape[2]
    out = bytearray((KINDS.index(layer.kind),))
    for value in (at, source.row, source.shape[2], target.at, target.row, height, width):
        out += number(value)
    out += (b"" if last else number(units)) + bytes((*layer.kernel, *layer.stride))
    if layer.weights is None:
        out += number(layer.multiplier) + signed(layer.bias) + bytes((layer.shift,))
    if layer.kind == "add":
        other = where[layer.inputs[1]]
        out += number(other.at) + number(other.row) + number(other.shape[2]) + number(layer.multiplier_b)
    return bytes(out + _around(target))


def _blocks(layer: MapLayer) -> Iterator[bytes]:
    """Yield a layer's weights, block by block."""
    if layer.weights is None:
        return
    rows = (layer.weights.reshape(len(layer.biases), -1) + WEIGHT_ZERO).astype(np.uint8)
    step = CONV_UNITS if layer.kind == "conv" else DEPTHWISE_UNITS
    for first in range(0, len(rows), step):
        part = slice(first, first + step)
        biases, shifts, weights = layer.biases[part], layer.shifts[part], rows[part]
        weights = weights.T if layer.kind == "conv" else weights
        yield struct.pack(f"<{len(biases)}i", *biases) + bytes(shifts) + weights.tobytes()
