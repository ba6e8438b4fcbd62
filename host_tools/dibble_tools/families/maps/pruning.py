"""Channels that are the same for every frame, as networks trained with decay have many: they cost, and tell nothing."""

from dataclasses import replace

import numpy as np

from dibble_tools.families.maps.tables import CODE_MAX, MapLayer, MapsTables

UNKNOWN = -1


def without_constant_channels(tables: MapsTables) -> MapsTables:
    """Return the network without channels whose code never changes: the layers that see them have it in their bias."""
    constants = _constants(tables)
    gone = _removable(tables, constants)
    layers = []
    for i, layer in enumerate(tables.layers):
        made = _narrowed(layer, gone[layer.inputs[0]], constants[layer.inputs[0]])
        layers.append(_without_units(made, gone[i + 1]) if made.weights is not None else made)
    return replace(tables, layers=layers)


def _constants(tables: MapsTables) -> list[np.ndarray]:
    """Return each map's channels' codes, UNKNOWN where they change."""
    found = [np.full(tables.frame.depth, UNKNOWN)]
    for i, layer in enumerate(tables.layers):
        known = found[layer.inputs[0]].copy()
        if any(layer.pads):
            known[known != layer.pad_code] = UNKNOWN  # at the edge it is another code
        if layer.kind == "add" or i + 1 == len(tables.layers):
            units = len(layer.biases) if layer.weights is not None else len(known)
            found.append(np.full(units, UNKNOWN))
        elif layer.kind == "pool":
            window = layer.kernel[0] * layer.kernel[1]
            means = np.clip(known * layer.multiplier * window + layer.bias >> layer.shift, 0, CODE_MAX)
            found.append(np.where(known == UNKNOWN, UNKNOWN, means if layer.multiplier else known))
        else:
            least, most = (np.array(layer.biases), np.array(layer.biases))
            assert layer.weights is not None
            low = np.where(known == UNKNOWN, 0, known)
            high = np.where(known == UNKNOWN, CODE_MAX, known)
            if layer.kind == "depthwise":
                low, high = low[:, None, None], high[:, None, None]
            axes = tuple(range(1, layer.weights.ndim))
            each = layer.weights * low, layer.weights * high
            least = least + np.minimum(*each).sum(axis=axes)
            most = most + np.maximum(*each).sum(axis=axes)
            least, most = (np.clip(bound >> np.array(layer.shifts), 0, CODE_MAX) for bound in (least, most))
            found.append(np.where(least == most, least, UNKNOWN))
    return found


def _removable(tables: MapsTables, constants: list[np.ndarray]) -> list[np.ndarray]:
    """Return which channels of each map can go; at least one stays."""
    gone = [known != UNKNOWN for known in constants]
    gone[0][:] = False
    for i in range(len(constants) - 2, -1, -1):
        for made, layer in enumerate(tables.layers, 1):
            if i not in layer.inputs:
                continue
            if layer.kind == "add":
                gone[i][:] = False
            elif layer.kind == "conv":
                gone[i] &= (constants[i] == layer.pad_code) | (not any(layer.pads))
            else:
                gone[i] &= gone[made]
        if gone[i].all():
            gone[i][0] = False
    # What a layer keeps of each channel's own it also has to see.
    for made, layer in enumerate(tables.layers, 1):
        if layer.kind in ("depthwise", "pool"):
            gone[made] = gone[layer.inputs[0]].copy()
    return gone


def _narrowed(layer: MapLayer, gone: np.ndarray, known: np.ndarray) -> MapLayer:
    """Return a layer that doesn't see the channels that are gone."""
    if layer.kind != "conv" or not gone.any():
        return layer
    assert layer.weights is not None
    own = (layer.weights[..., gone] * known[gone]).reshape(len(layer.biases), -1).sum(axis=1)
    biases = tuple((np.array(layer.biases) + own).tolist())
    return replace(layer, weights=layer.weights[..., ~gone], biases=biases)


def _without_units(layer: MapLayer, gone: np.ndarray) -> MapLayer:
    assert layer.weights is not None
    if not gone.any():
        return layer
    kept = np.flatnonzero(~gone)
    return replace(
        layer,
        weights=layer.weights[kept],
        biases=tuple(layer.biases[k] for k in kept),
        shifts=tuple(layer.shifts[k] for k in kept),
    )
