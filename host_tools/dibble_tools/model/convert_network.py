"""Bring your own network: a .tflite or .onnx file of int8 becomes a model file of the family maps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.families.maps.quantized import QuantizedNetwork
from dibble_tools.families.maps.requantizing import requantized
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.maps_file import export_maps, maps_spec

ENDS = (".tflite", ".onnx")
SCALED_BY = 400  # rows that tell how far a layer's outputs go
CLASSES_MAX = 100


def convert_network(
    path: str | Path,
    X: Any = None,
    *,
    name: str = "",
    classes: Sequence[str] | None = None,
    unsure_below: int = 0,
) -> HostModel:
    """Return the model file of a network of int8 in a .tflite or .onnx file.

    Its shifts stand in for the original's multipliers, so some rows are decided otherwise: on how many of X the model
    decides as the original does, its `notes` say. Channels that no frame changes are left out.

    Args:
        X: frames as the original takes them, (rows, height, width, depth) or (rows, readings): int8, or uint8 (what is
            int8 there + 128: what the node takes), or floats in the input's own unit. They also tell how far each
            layer's outputs go: without, more is rounded away, and nothing is told of how many rows are alike.
        name: the model's; by default the file's.
        classes: names, in the order of the outputs; by default "0", "1", ...
    Raises:
        InputError: no such network, an operator that no kernel does, or another X.
    """
    path = Path(path)
    network = read_network(path)
    labels = [str(i) for i in range(network.classes)] if classes is None else [str(label) for label in classes]
    if len(labels) != network.classes or len(set(labels)) != len(labels):
        raise InputError(f"{path}: expected {network.classes} different class names, got {', '.join(labels)}")
    if len(labels) > CLASSES_MAX:
        raise InputError(f"{path}: expected at most {CLASSES_MAX} classes, got {len(labels)}")
    codes = None if X is None else frame_codes(network, X)
    some = None if codes is None else codes[:: -(-len(codes) // SCALED_BY)]
    tables = requantized(network, some)
    blob = export_maps(maps_spec(name or path.stem, labels, tables, unsure_below))
    shapes = [network.maps[layer.inputs[0]].shape for layer in network.layers]
    weights = sum(layer.weights.size for layer in network.layers if layer.weights is not None)
    kept = tables.weights()
    notes = [f"{len(shapes)} layers, {kept:,} weights, {tables.multiply_adds():,} multiply-adds a frame"]
    if kept < weights:
        notes.append(f"{weights - kept:,} of {weights:,} weights left out: no frame changes what they see or tell")
    if network.signed_frame:
        notes.append("the network's input is int8: a node's frame is the same bytes + 128")
    if codes is not None:
        alike = int((tables.scores(codes).argmax(axis=1) == network.decide(codes)).sum())
        notes.append(f"decides {alike:,} of {len(codes):,} rows of X as the original does ({alike / len(codes):.2%})")
    else:
        notes.append("no rows were given: how many are decided as by the original isn't known")
    return HostModel(blob, notes)


def read_network(path: Path) -> QuantizedNetwork:
    """Return the network in a file; raise InputError as convert_network does."""
    check_ending(path)
    if path.suffix == ".tflite":
        from dibble_tools.families.maps.tflite_import import tflite_network

        return tflite_network(path)
    from dibble_tools.families.maps.onnx_import import onnx_network

    return onnx_network(path)


def check_ending(path: Path) -> None:
    """Raise InputError where a file's name is none of a network."""
    if path.suffix not in ENDS:
        hint = ", which is dibble's own kind already: `dibble inspect` shows it" if path.suffix == ".dib" else ""
        raise InputError(f"{path}: expected a file that ends in {' or '.join(ENDS)}, got {path.name}{hint}")


def frame_codes(network: QuantizedNetwork, X: Any) -> np.ndarray:
    """Return frames of X as codes, int64 (rows, height, width, depth)."""
    frame = network.maps[0]
    values = np.asarray(X)
    size = int(np.prod(frame.shape))
    told = " x ".join(map(str, frame.shape))
    if values.ndim < 2 or not len(values) or values[0].size != size:
        raise InputError(f"expected X of frames of {told} = {size:,} readings, got an array of {values.shape}")
    if values.ndim == 4 and values.shape[1:] != frame.shape:
        raise InputError(f"expected X of frames of {told}, got {' x '.join(map(str, values.shape[1:]))}")
    values = values.reshape(-1, *frame.shape)
    if values.dtype == np.int8:
        return values.astype(np.int64) + 128
    if values.dtype.kind in "bui":
        whole = values.astype(np.int64)
        if whole.min() < 0 or whole.max() > 255:
            raise InputError(f"expected codes of 0..255 in X, got {whole.min()}..{whole.max()}: int8, or floats")
        return whole
    if values.dtype.kind != "f" or not np.isfinite(values).all():
        raise InputError(f"expected X of finite numbers, got {values.dtype}")
    return np.clip(np.round(values / frame.scale) + frame.zero_point, 0, 255).astype(np.int64)
