"""An ONNX file of int8 (QuantizeLinear, DequantizeLinear around each operator) -> a QuantizedNetwork.

What it has of anything else is refused by name. ONNX has the depth first (NCHW); here, as on the node, it comes last.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.common.extras import extras_named
from dibble_tools.families.maps.quantized import QuantizedLayer, QuantizedMap, QuantizedNetwork

KNOWN = (
    "QuantizeLinear, DequantizeLinear, Conv, Gemm, MatMul, MaxPool, AveragePool, GlobalAveragePool, Add, Relu, "
    "Flatten, Reshape, Softmax, Sigmoid"
)
INT8_ZERO = 128  # of codes 0..255


@dataclass
class _Pending:
    """A layer whose output isn't quantized yet."""

    layer: QuantizedLayer
    shape: tuple[int, int, int]
    relu: bool = False


@dataclass
class _Constant:
    """Constant values, and the scale of each unit."""

    values: np.ndarray
    scales: np.ndarray


def onnx_network(path: Path) -> QuantizedNetwork:
    """Return the network in an .onnx file.

    Raises:
        InputError: it isn't one, is cut short, isn't of int8, or has an operator that no kernel does.
    """
    with extras_named():
        import onnx
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    try:
        model = onnx.load(str(path))
    except OSError as error:
        raise InputError(f"{path}: expected an ONNX file: {error.strerror or error}") from None
    except (DecodeError, ValueError):
        raise InputError(f"{path}: damaged or cut short: expected a whole ONNX file") from None
    if not model.graph.node:
        raise InputError(f"{path}: expected an ONNX file with operators, got none: damaged or cut short")
    try:
        return _Reader(onnx, model.graph).network()
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (IndexError, ValueError, TypeError, KeyError):
        raise InputError(f"{path}: damaged: its operators don't fit each other") from None


class _Reader:
    """Reads operators one after the other."""

    def __init__(self, onnx: Any, graph: Any) -> None:
        self.numpy_helper, self.helper = onnx.numpy_helper, onnx.helper
        self.graph = graph
        self.constants = {i.name: onnx.numpy_helper.to_array(i) for i in graph.initializer}
        self.maps: list[QuantizedMap] = []
        self.layers: list[QuantizedLayer] = []
        self.values: dict[str, Any] = {}  # name -> number of a map, _Pending or _Constant
        self.single = False
        self.signed = True

    def network(self) -> QuantizedNetwork:
        inputs = [i for i in self.graph.input if i.name not in self.constants]
        if len(inputs) != 1:
            raise InputError(f"expected one input, got {len(inputs)}")
        shape = [d.dim_value for d in inputs[0].type.tensor_type.shape.dim]
        if len(shape) not in (2, 4):
            raise InputError(f"expected an input of (1, depth, height, width), got {shape}")
        depth, height, width = shape[1:] if len(shape) == 4 else (shape[1], 1, 1)
        self.values[inputs[0].name] = (height, width, depth)
        for i, node in enumerate(self.graph.node):
            self._operator(f"operator {i + 1}, {node.op_type}", node)
        last = self.layers[-1] if self.layers else None
        if last is None or last.kind != "conv" or self.maps[-1].shape[:2] != (1, 1):
            raise InputError("expected a Gemm of the classes' logits, quantized, at the end")
        return QuantizedNetwork(self.maps, self.layers, self.signed, self.single)

    def _operator(self, where: str, node: Any) -> None:
        told = {a.name: self.helper.get_attribute_value(a) for a in node.attribute}
        name, out = node.op_type, node.output[0]
        if name == "DequantizeLinear":
            self._dequantize(where, node)
        elif name == "QuantizeLinear":
            self._quantize(where, node)
        elif name in ("Softmax", "Sigmoid", "Flatten", "Reshape"):
            self.single |= name == "Sigmoid"
            self.values[out] = self._value(node.input[0], where)
        elif name == "Relu":
            pending = self._value(node.input[0], where)
            if not isinstance(pending, _Pending):
                raise InputError(f"{where}: expected it right behind a Conv, Gemm or Add")
            self.values[out] = replace(pending, relu=True)
        elif name == "Conv":
            self._conv(where, node, told)
        elif name in ("Gemm", "MatMul"):
            self._dense(where, node, told)
        elif name in ("MaxPool", "AveragePool", "GlobalAveragePool"):
            self._pool(where, node, told)
        elif name == "Add":
            sources = tuple(self._map(i, where) for i in node.input)
            shape = self.maps[sources[0]].shape
            if self.maps[sources[1]].shape != shape:
                raise InputError(f"{where}: expected two maps of one shape")
            self.values[out] = _Pending(QuantizedLayer(where, "add", sources), shape)
        else:
            raise InputError(f"{where}: expected operators of {KNOWN}")

    def _value(self, name: str, where: str) -> Any:
        if name not in self.values:
            kind = "weights of float32: quantize the network to int8" if name in self.constants else "none"
            raise InputError(f"{where}: expected an input that is dequantized from int8, got {kind}")
        return self.values[name]

    def _map(self, name: str, where: str) -> int:
        found = self._value(name, where)
        if not isinstance(found, int):
            raise InputError(f"{where}: expected an input of int8 (QuantizeLinear before it), got floats")
        return found

    def _scale(self, node: Any, where: str) -> tuple[np.ndarray, np.ndarray, int]:
        """Return (scales, zero points as codes, axis) of a QuantizeLinear or DequantizeLinear."""
        if node.input[1] not in self.constants:
            raise InputError(f"{where}: expected a constant scale")
        scales = np.atleast_1d(self.constants[node.input[1]]).astype(np.float64)
        points = self.constants.get(node.input[2]) if len(node.input) > 2 else np.uint8(0)
        points = np.atleast_1d(np.uint8(0) if points is None else points)
        if points.dtype not in (np.int8, np.uint8, np.int32):
            raise InputError(f"{where}: expected int8, got {points.dtype}")
        self_signed = points.dtype == np.int8
        axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
        return scales, points.astype(np.int64) + (INT8_ZERO if self_signed else 0), axis

    def _dequantize(self, where: str, node: Any) -> None:
        source, out = node.input[0], node.output[0]
        if source not in self.constants:
            self.values[out] = self._value(source, where)
            return
        values = self.constants[source]
        scales, points, _ = self._scale(node, where)
        if (values.dtype == np.int8 and np.any(points != INT8_ZERO)) or values.dtype not in (np.int8, np.int32):
            raise InputError(f"{where}: expected weights of int8 with zero point 0, got {values.dtype}")
        self.values[out] = _Constant(values.astype(np.int64), scales)

    def _quantize(self, where: str, node: Any) -> None:
        scales, points, _ = self._scale(node, where)
        if len(scales) != 1:
            raise InputError(f"{where}: expected one scale of a map, got {len(scales)}")
        value, point = self._value(node.input[0], where), int(points[0])
        if isinstance(value, tuple):  # the frame
            self.signed = len(node.input) > 2 and self.constants[node.input[2]].dtype == np.int8
            self.maps.append(QuantizedMap(value, float(scales[0]), point))
            self.values[node.output[0]] = 0
            return
        if isinstance(value, int):
            value = _Pending(QuantizedLayer(where, "max", (value,)), self.maps[value].shape)
        if not isinstance(value, _Pending):
            raise InputError(f"{where}: expected what an operator made")
        self.layers.append(replace(value.layer, low=point if value.relu else 0))
        self.maps.append(QuantizedMap(value.shape, float(scales[0]), point))
        self.values[node.output[0]] = len(self.maps) - 1

    def _weights(self, where: str, node: Any, source: int, units: int) -> tuple[_Constant, np.ndarray]:
        """Return weights, and biases in steps of the input's scale times theirs."""
        weights = self._value(node.input[1], where)
        if not isinstance(weights, _Constant):
            raise InputError(f"{where}: expected weights of int8 in the file")
        steps = self.maps[source].scale * np.broadcast_to(weights.scales, units)
        if len(node.input) < 3:
            return weights, np.zeros(units, dtype=np.int64)
        if node.input[2] in self.constants:  # floats
            return weights, np.round(self.constants[node.input[2]] / steps).astype(np.int64)
        biases = self._value(node.input[2], where)
        return weights, np.round(biases.values * biases.scales / steps).astype(np.int64)

    def _around(self, told: dict[str, Any], where: str) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
        if told.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID") or set(told.get("dilations", [1])) != {1}:
            raise InputError(f"{where}: expected pads as numbers, and no dilation")
        down, right = told.get("strides", [1, 1])
        top, left, bottom, end = told.get("pads", [0, 0, 0, 0])
        return (down, right), (top, left, bottom, end)

    def _conv(self, where: str, node: Any, told: dict[str, Any]) -> None:
        source = self._map(node.input[0], where)
        depth = self.maps[source].shape[2]
        own = self._value(node.input[1], where)
        units = len(own.values) if isinstance(own, _Constant) else 1
        weights, biases = self._weights(where, node, source, units)
        groups = told.get("group", 1)
        kind = "conv" if groups == 1 else "depthwise"
        if groups not in (1, depth) or (kind == "depthwise" and units != depth):
            raise InputError(f"{where}: expected one group, or one for each of {depth} channels, got {groups}")
        values = weights.values.transpose(0, 2, 3, 1) if kind == "conv" else weights.values[:, 0]
        stride, pads = self._around(told, where)
        self._append(where, kind, source, node, values, weights.scales, biases, stride, pads)

    def _dense(self, where: str, node: Any, told: dict[str, Any]) -> None:
        source = self._map(node.input[0], where)
        height, width, depth = self.maps[source].shape
        own = self._value(node.input[1], where)
        if isinstance(own, _Constant) and not told.get("transB", 0):
            self.values[node.input[1]] = _Constant(own.values.T, own.scales)
            own = self.values[node.input[1]]
        units = len(own.values) if isinstance(own, _Constant) else 1
        weights, biases = self._weights(where, node, source, units)
        values = weights.values.reshape(units, depth, height, width).transpose(0, 2, 3, 1)
        self._append(where, "conv", source, node, values, weights.scales, biases, (1, 1), (0, 0, 0, 0))

    def _append(
        self,
        where: str,
        kind: str,
        source: int,
        node: Any,
        values: np.ndarray,
        scales: np.ndarray,
        biases: np.ndarray,
        stride: tuple[int, int],
        pads: tuple[int, int, int, int],
    ) -> None:
        kernel = int(values.shape[1]), int(values.shape[2])
        each = np.broadcast_to(scales, len(values))
        layer = QuantizedLayer(where, kind, (source,), values, each, biases, kernel, stride, pads)
        made = layer.shape_of().out_shape(self.maps[source].shape)
        self.values[node.output[0]] = _Pending(layer, (made[0], made[1], len(values)))

    def _pool(self, where: str, node: Any, told: dict[str, Any]) -> None:
        source = self._map(node.input[0], where)
        shape = self.maps[source].shape
        everywhere = node.op_type == "GlobalAveragePool"
        kernel = shape[:2] if everywhere else tuple(told["kernel_shape"])
        stride, pads = self._around(told, where)
        kind = "max" if node.op_type == "MaxPool" else "mean"
        if any(pads) and (kind == "mean" or self.maps[source].zero_point):
            raise InputError(f"{where}: expected no padding of a mean, nor of a map without a ReLU before it")
        layer = QuantizedLayer(where, kind, (source,), kernel=(kernel[0], kernel[1]), stride=stride, pads=pads)
        self.values[node.output[0]] = _Pending(layer, layer.shape_of().out_shape(shape))
