"""A TensorFlow Lite file of int8 -> a QuantizedNetwork. What it has of anything else is refused by name."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.common.extras import extras_named
from dibble_tools.families.maps.quantized import QuantizedLayer, QuantizedMap, QuantizedNetwork

KNOWN = (
    "CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, AVERAGE_POOL_2D, MEAN, MAX_POOL_2D, ADD, RELU, RELU6, RESHAPE, "
    "SQUEEZE, QUANTIZE, SOFTMAX, LOGISTIC"
)
INT8, UINT8, FLOAT32 = 9, 3, 0  # of tflite's TensorType
SHIFT = 128  # int8 -> 0..255
SAME = 0
NO_ACTIVATION, RELU, RELU6 = 0, 1, 3


def tflite_network(path: Path) -> QuantizedNetwork:
    """Return the network in a .tflite file.

    Raises:
        InputError: it isn't one, is cut short, isn't of int8, or has an operator that no kernel does.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: expected a TensorFlow Lite file: {error.strerror or error}") from None
    if data[4:8] != b"TFL3":
        raise InputError(f"{path}: expected a TensorFlow Lite file (TFL3), got {data[4:8]!r}")
    with extras_named():
        import tflite
    try:
        return _Reader(tflite, data).network()
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (struct.error, IndexError, ValueError, TypeError, AttributeError, OverflowError, MemoryError):
        # whatever a flatbuffer whose offsets lead astray ends in
        raise InputError(
            f"{path}: damaged or cut short: its {len(data):,} bytes aren't a whole TensorFlow Lite file"
        ) from None


class _Reader:
    """Reads operators one after the other."""

    def __init__(self, tflite: Any, data: bytes) -> None:
        self.tflite = tflite
        self.model = tflite.Model.GetRootAsModel(data, 0)
        if self.model.SubgraphsLength() != 1:
            raise InputError(f"expected one graph, got {self.model.SubgraphsLength()}")
        self.graph = self.model.Subgraphs(0)
        self.names = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
        self.map_of: dict[int, int] = {}
        self.maps: list[QuantizedMap] = []
        self.layers: list[QuantizedLayer] = []
        self.single = False

    def network(self) -> QuantizedNetwork:
        if self.graph.InputsLength() != 1 or self.graph.OutputsLength() != 1:
            raise InputError(
                f"expected one input and one output, got {self.graph.InputsLength()} and {self.graph.OutputsLength()}"
            )
        first, last = int(self.graph.Inputs(0)), int(self.graph.Outputs(0))
        self.maps.append(self._map(first, "the input"))
        self.map_of[first] = 0
        done = False
        for i in range(self.graph.OperatorsLength()):
            operator = self.graph.Operators(i)
            code = self.model.OperatorCodes(operator.OpcodeIndex())
            number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            name = self.names.get(number, str(number))
            if done:
                raise InputError(f"operator {i + 1}, {name}: expected nothing after SOFTMAX or LOGISTIC")
            inputs = [int(n) for n in operator.InputsAsNumpy() if n >= 0]
            done = self._operator(f"operator {i + 1}, {name}", name, operator, inputs, int(operator.Outputs(0)))
        if last not in self.map_of or self.map_of[last] != len(self.maps) - 1 or not self.layers:
            raise InputError("expected the last operator to make the output")
        if self.maps[-1].shape[:2] != (1, 1) or self.layers[-1].kind != "conv":
            raise InputError(
                f"expected a FULLY_CONNECTED of the classes' logits at the end, got {self.layers[-1].name}"
            )
        signed = self.graph.Tensors(first).Type() == INT8
        return QuantizedNetwork(self.maps, self.layers, signed, self.single)

    def _operator(self, where: str, name: str, operator: Any, inputs: list[int], out: int) -> bool:
        """Add what an operator does; tell whether it is the last."""
        options = _Options(self.tflite, operator)
        if name in ("SOFTMAX", "LOGISTIC"):  # neither changes which class is first
            self.single = name == "LOGISTIC"
            if self.single and self.maps[-1].shape[2] != 1:
                raise InputError(
                    f"{where}: expected one output, got {self.maps[-1].shape[2]}: classes that exclude nothing"
                )
            self.map_of[out] = self._source(inputs[0], where)
            return True
        if name in ("RESHAPE", "SQUEEZE"):
            self._reshape(where, inputs[0], out)
        elif name == "CONV_2D":
            self._weighted(where, "conv", inputs, out, options.of("Conv2DOptions"))
        elif name == "DEPTHWISE_CONV_2D":
            self._weighted(where, "depthwise", inputs, out, options.of("DepthwiseConv2DOptions"))
        elif name == "FULLY_CONNECTED":
            self._dense(where, inputs, out, options.of("FullyConnectedOptions"))
        elif name in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
            self._pool(where, "mean" if name[0] == "A" else "max", inputs[0], out, options.of("Pool2DOptions"))
        elif name == "MEAN":
            self._mean(where, inputs, out)
        elif name == "ADD":
            if len({self.maps[self._source(n, where)].shape for n in inputs}) != 1:
                raise InputError(f"{where}: expected two maps of one shape")
            self._add(where, "add", inputs, out, options.of("AddOptions").FusedActivationFunction())
        elif name in ("RELU", "RELU6", "QUANTIZE"):
            self._add(where, "max", inputs, out, {"RELU": RELU, "RELU6": RELU6}.get(name, NO_ACTIVATION))
        else:
            raise InputError(f"{where}: expected operators of {KNOWN}")
        return False

    def _source(self, tensor: int, where: str) -> int:
        if tensor not in self.map_of:
            raise InputError(f"{where}: expected an input that an operator before it made")
        return self.map_of[tensor]

    def _map(self, tensor: int, where: str) -> QuantizedMap:
        told = self.graph.Tensors(tensor)
        if told.Type() == FLOAT32:
            raise InputError(f"{where}: expected a network of int8, got float32: quantize it fully (int8 in and out)")
        if told.Type() not in (INT8, UINT8):
            raise InputError(f"{where}: expected a network of int8, got the tensor type {told.Type()}")
        scales, zero_points = self._quantization(tensor, where)
        if len(scales) != 1:
            raise InputError(f"{where}: expected one scale of a map, got {len(scales)}")
        shape = told.ShapeAsNumpy().tolist() if told.ShapeLength() else []
        if not 1 <= len(shape) <= 4 or shape[0] not in (1, -1):
            raise InputError(f"{where}: expected a shape of (1, height, width, depth), got {shape}")
        height, width, depth = [1, 1, 1, *shape[1:]][-3:] if len(shape) != 3 else (shape[1], shape[2], 1)
        shift = SHIFT if told.Type() == INT8 else 0
        return QuantizedMap((height, width, depth), float(scales[0]), int(zero_points[0]) + shift)

    def _quantization(self, tensor: int, where: str) -> tuple[np.ndarray, np.ndarray]:
        told = self.graph.Tensors(tensor).Quantization()
        if told is None or not told.ScaleLength():
            raise InputError(f"{where}: expected a network of int8 with scales, got a tensor without")
        scales = np.asarray(told.ScaleAsNumpy(), dtype=np.float64)
        points = told.ZeroPointAsNumpy() if told.ZeroPointLength() else np.zeros(len(scales), dtype=np.int64)
        if not np.all(scales > 0):
            raise InputError(f"{where}: expected scales above 0")
        return scales, np.asarray(points)

    def _constant(self, tensor: int, where: str, kind: Any) -> np.ndarray:
        told = self.graph.Tensors(tensor)
        found = self.model.Buffers(told.Buffer()).DataAsNumpy()
        shape = told.ShapeAsNumpy().tolist() if told.ShapeLength() else []
        if isinstance(found, int) or len(found) != int(np.prod(shape)) * np.dtype(kind).itemsize:
            raise InputError(f"{where}: expected its weights in the file, {shape}")
        return np.frombuffer(found.tobytes(), kind).reshape(shape)

    def _weights(self, where: str, inputs: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return (weights, their scales, biases)."""
        told = self.graph.Tensors(inputs[1])
        if told.Type() != INT8:
            kind = "float32" if told.Type() == FLOAT32 else f"the tensor type {told.Type()}"
            raise InputError(f"{where}: expected weights of int8, got {kind}: quantize the network fully")
        scales, points = self._quantization(inputs[1], where)
        if np.any(points):
            raise InputError(f"{where}: expected weights of zero point 0, got {points.tolist()[:3]}")
        weights = self._constant(inputs[1], where, "i1").astype(np.int64)
        biases = self._constant(inputs[2], where, "<i4").astype(np.int64) if len(inputs) > 2 else None
        return weights, scales, biases

    def _weighted(self, where: str, kind: str, inputs: list[int], out: int, options: Any) -> None:
        if options.DilationHFactor() != 1 or options.DilationWFactor() != 1:
            raise InputError(
                f"{where}: expected no dilation, got {options.DilationHFactor()}, {options.DilationWFactor()}"
            )
        weights, scales, biases = self._weights(where, inputs)
        source = self._source(inputs[0], where)
        depth = self.maps[source].shape[2]
        if kind == "depthwise":
            weights = weights[0].transpose(2, 0, 1)
            if len(weights) != depth:
                if depth != 1:
                    raise InputError(f"{where}: expected a depth multiplier of 1, got {len(weights) / depth:g}")
                kind, weights = "conv", weights[..., None]  # of one channel all units see it
        elif weights.shape[3] != depth:
            raise InputError(f"{where}: expected {depth} channels, got groups of {weights.shape[3]}")
        stride = options.StrideH(), options.StrideW()
        kernel = weights.shape[1:3]
        pads = self._pads(source, kernel, stride, options.Padding())
        self._append(where, kind, source, out, options.FusedActivationFunction(), weights, scales, biases, stride, pads)

    def _dense(self, where: str, inputs: list[int], out: int, options: Any) -> None:
        weights, scales, biases = self._weights(where, inputs)
        source = self._source(inputs[0], where)
        shape = self.maps[source].shape
        if weights.shape[1] != np.prod(shape):
            raise InputError(f"{where}: expected {np.prod(shape)} inputs, got {weights.shape[1]}")
        weights = weights.reshape(len(weights), *shape)
        activation = options.FusedActivationFunction()
        self._append(where, "conv", source, out, activation, weights, scales, biases, (1, 1), (0, 0, 0, 0))

    def _append(
        self,
        where: str,
        kind: str,
        source: int,
        out: int,
        activation: int,
        weights: np.ndarray,
        scales: np.ndarray,
        biases: np.ndarray | None,
        stride: tuple[int, int],
        pads: tuple[int, int, int, int],
    ) -> None:
        target = self._map(out, where)
        units = len(weights)
        low, high = self._clamp(target, activation, where)
        layer = QuantizedLayer(
            where,
            kind,
            (source,),
            weights,
            np.broadcast_to(scales, units),
            np.zeros(units, dtype=np.int64) if biases is None else biases,
            (int(weights.shape[1]), int(weights.shape[2])),
            stride,
            pads,
            low,
            high,
        )
        self._keep(layer, out, target)

    def _pool(self, where: str, kind: str, tensor: int, out: int, options: Any) -> None:
        source = self._source(tensor, where)
        kernel = options.FilterHeight(), options.FilterWidth()
        stride = options.StrideH(), options.StrideW()
        pads = self._pads(source, kernel, stride, options.Padding())
        if kind == "mean" and any(pads):
            raise InputError(f"{where}: expected no padding, got one whose pixels don't count: use VALID")
        if kind == "max" and any(pads) and self.maps[source].zero_point:
            raise InputError(f"{where}: expected no padding of a map without a ReLU before it: use VALID")
        target = self._map(out, where)
        low, high = self._clamp(target, options.FusedActivationFunction(), where)
        layer = QuantizedLayer(where, kind, (source,), kernel=kernel, stride=stride, pads=pads, low=low, high=high)
        self._keep(layer, out, target)

    def _mean(self, where: str, inputs: list[int], out: int) -> None:
        axes = sorted(int(axis) % 4 for axis in self._constant(inputs[1], where, "<i4").ravel())
        if axes != [1, 2]:
            raise InputError(f"{where}: expected the mean over height and width, got axes {axes}")
        source = self._source(inputs[0], where)
        kernel = self.maps[source].shape[:2]
        self._keep(QuantizedLayer(where, "mean", (source,), kernel=kernel), out, self._map(out, where))

    def _add(self, where: str, kind: str, inputs: list[int], out: int, activation: int) -> None:
        target = self._map(out, where)
        low, high = self._clamp(target, activation, where)
        sources = tuple(self._source(n, where) for n in inputs[: 2 if kind == "add" else 1])
        self._keep(QuantizedLayer(where, kind, sources, low=low, high=high), out, target)

    def _reshape(self, where: str, tensor: int, out: int) -> None:
        source = self._source(tensor, where)
        shape = self._map(out, where).shape
        if shape[:2] != (1, 1) and shape != self.maps[source].shape:
            raise InputError(f"{where}: expected all of a map as one row, got {self.maps[source].shape} as {shape}")
        self.map_of[out] = source

    def _keep(self, layer: QuantizedLayer, out: int, target: QuantizedMap) -> None:
        self.layers.append(layer)
        self.maps.append(target)
        self.map_of[out] = len(self.maps) - 1
        source = self.maps[layer.inputs[0]].shape
        made = layer.shape_of().out_shape(source)
        units = source[2] if layer.weights is None else len(layer.weights)
        if (*made[:2], units) != target.shape:
            raise InputError(f"{layer.name}: expected it to make {(*made[:2], units)}, got {target.shape}")

    def _pads(
        self, source: int, kernel: tuple[int, ...], stride: tuple[int, int], padding: int
    ) -> tuple[int, int, int, int]:
        if padding != SAME:
            return 0, 0, 0, 0
        height, width, _ = self.maps[source].shape
        ends = []
        for size, own, step in ((height, kernel[0], stride[0]), (width, kernel[1], stride[1])):
            total = max((-(-size // step) - 1) * step + own - size, 0)
            ends.append((total // 2, total - total // 2))
        return ends[0][0], ends[1][0], ends[0][1], ends[1][1]

    def _clamp(self, target: QuantizedMap, activation: int, where: str) -> tuple[int, int]:
        if activation == NO_ACTIVATION:
            return 0, 255
        if activation not in (RELU, RELU6):
            raise InputError(f"{where}: expected no activation, RELU or RELU6, got number {activation}")
        high = 255
        if activation == RELU6:
            high = min(255, round(6 / target.scale) + target.zero_point)
        return max(0, target.zero_point), high


class _Options:
    """The options of an operator, by the name of their type."""

    def __init__(self, tflite: Any, operator: Any) -> None:
        self.tflite = tflite
        self.table = operator.BuiltinOptions()

    def of(self, name: str) -> Any:
        options = getattr(self.tflite, name)()
        options.Init(self.table.Bytes, self.table.Pos)
        return options
