"""Small TensorFlow Lite files of int8 with random weights, written operator by operator."""

from collections.abc import Callable, Sequence
from typing import Any

import flatbuffers
import numpy as np
import tflite

INT8, INT32, FLOAT32 = tflite.TensorType.INT8, tflite.TensorType.INT32, tflite.TensorType.FLOAT32
SAME, VALID = tflite.Padding.SAME, tflite.Padding.VALID
RELU = tflite.ActivationFunctionType.RELU


class File:
    """A file in the making: operators in order, each reading what the one before made unless told otherwise."""

    def __init__(self, shape: Sequence[int], scale: float = 1 / 255, zero_point: int = -128, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.tensors: list[tuple[list[int], int, list[float], list[int], bytes]] = []
        self.operators: list[tuple[int, list[int], int, int, Callable[[Any], Any] | None]] = []
        self.last = self.tensor([1, *shape], INT8, [scale], [zero_point])
        self.shape = list(shape)

    def tensor(
        self, shape: Sequence[int], kind: int, scales: Sequence[float], points: Sequence[int], data: bytes = b""
    ) -> int:
        self.tensors.append((list(shape), kind, list(scales), list(points), data))
        return len(self.tensors) - 1

    def append(
        self, code: int, inputs: Sequence[int], shape: Sequence[int], scale: float, point: int, options: int, build: Any
    ) -> int:
        self.last = self.tensor([1, *shape], INT8, [scale], [point])
        self.shape = list(shape)
        self.operators.append((code, list(inputs), self.last, options, build))
        return self.last

    def weights(self, shape: Sequence[int], units: int, axis: int, kind: int = INT8) -> tuple[int, int]:
        """Return the tensors of weights and biases."""
        values = self.rng.integers(-127, 128, shape).astype(np.int8)
        scales = self.rng.uniform(0.002, 0.01, units)
        source = self.tensors[self.last][2][0]
        data = values.astype(np.float32).tobytes() if kind == FLOAT32 else values.tobytes()
        weights = self.tensor(shape, kind, [] if kind == FLOAT32 else scales, [0] * units, data)
        biases = (self.rng.normal(0, 0.2, units) / (source * scales)).astype("<i4")
        return weights, self.tensor([units], INT32, source * scales, [0] * units, biases.tobytes())

    def conv(self, units: int, kernel: int, stride: int = 1, padding: int = SAME, **out: Any) -> int:
        """Append a full convolution, with a ReLU unless its zero point is told."""
        shape = [units, kernel, kernel, self.shape[2]]
        return self._weighted(tflite.BuiltinOperator.CONV_2D, shape, units, 0, kernel, stride, padding, **out)

    def depthwise(self, kernel: int, stride: int = 1, padding: int = SAME, **out: Any) -> int:
        """Append a depthwise convolution."""
        units = self.shape[2]
        code = tflite.BuiltinOperator.DEPTHWISE_CONV_2D
        return self._weighted(code, [1, kernel, kernel, units], units, 3, kernel, stride, padding, **out)

    def _weighted(
        self,
        code: int,
        shape: list[int],
        units: int,
        axis: int,
        kernel: int,
        stride: int,
        padding: int,
        *,
        scale: float = 0.03,
        point: int = -128,
        kind: int = INT8,
    ) -> int:
        name = "Conv2DOptions" if axis == 0 else "DepthwiseConv2DOptions"
        activation = RELU if point == -128 else 0

        def build(b: Any) -> Any:
            getattr(tflite, f"{name}Start")(b)
            for field, value in (("Padding", padding), ("StrideW", stride), ("StrideH", stride)):
                getattr(tflite, f"{name}Add{field}")(b, value)
            if axis:
                tflite.DepthwiseConv2DOptionsAddDepthMultiplier(b, 1)
            getattr(tflite, f"{name}AddFusedActivationFunction")(b, activation)
            return getattr(tflite, f"{name}End")(b)

        source = self.last
        inputs = [source, *self.weights(shape, units, axis, kind)]
        height, width = (
            -(-side // stride) if padding == SAME else (side - kernel) // stride + 1 for side in self.shape[:2]
        )
        options = getattr(tflite.BuiltinOptions, name)
        return self.append(code, inputs, [height, width, units], scale, point, options, build)

    def pool(self, kind: str, kernel: int, stride: int) -> int:
        """Append AVERAGE_POOL_2D or MAX_POOL_2D, whose scale is its input's."""

        def build(b: Any) -> Any:
            tflite.Pool2DOptionsStart(b)
            for field, value in (("Padding", VALID), ("StrideW", stride), ("StrideH", stride)):
                getattr(tflite, f"Pool2DOptionsAdd{field}")(b, value)
            tflite.Pool2DOptionsAddFilterWidth(b, kernel)
            tflite.Pool2DOptionsAddFilterHeight(b, kernel)
            return tflite.Pool2DOptionsEnd(b)

        _, _, (scale,), (point,), _ = self.tensors[self.last]
        sides = [(side - kernel) // stride + 1 for side in self.shape[:2]]
        code = getattr(tflite.BuiltinOperator, f"{kind}_POOL_2D")
        options = tflite.BuiltinOptions.Pool2DOptions
        return self.append(code, [self.last], [*sides, self.shape[2]], scale, point, options, build)

    def add(self, other: int, scale: float = 0.05) -> int:
        """Append the sum with another map, with a ReLU."""

        def build(b: Any) -> Any:
            tflite.AddOptionsStart(b)
            tflite.AddOptionsAddFusedActivationFunction(b, RELU)
            return tflite.AddOptionsEnd(b)

        code, options = tflite.BuiltinOperator.ADD, tflite.BuiltinOptions.AddOptions
        return self.append(code, [self.last, other], self.shape, scale, -128, options, build)

    def plain(self, name: str) -> int:
        """Append an operator without options, whose output is as its input."""
        _, _, (scale,), (point,), _ = self.tensors[self.last]
        return self.append(getattr(tflite.BuiltinOperator, name), [self.last], self.shape, scale, point, 0, None)

    def dense(self, classes: int) -> int:
        """Append a dense layer and a softmax."""
        inputs = int(np.prod(self.shape))
        source = self.last
        weights, biases = self.weights([classes, inputs], classes, 0)
        shape, kind, scales, _, data = self.tensors[weights]
        self.tensors[weights] = shape, kind, scales[:1], [0], data
        shape, kind, scales, _, data = self.tensors[biases]
        self.tensors[biases] = shape, kind, scales[:1], [0], data

        def build(b: Any) -> Any:
            tflite.FullyConnectedOptionsStart(b)
            return tflite.FullyConnectedOptionsEnd(b)

        def softmax(b: Any) -> Any:
            tflite.SoftmaxOptionsStart(b)
            tflite.SoftmaxOptionsAddBeta(b, 1.0)
            return tflite.SoftmaxOptionsEnd(b)

        options = tflite.BuiltinOptions
        code = tflite.BuiltinOperator.FULLY_CONNECTED
        self.append(code, [source, weights, biases], [classes], 0.1, 0, options.FullyConnectedOptions, build)
        softmax_code = tflite.BuiltinOperator.SOFTMAX
        return self.append(softmax_code, [self.last], [classes], 1 / 256, -128, options.SoftmaxOptions, softmax)

    def build(self) -> bytes:
        """Return the file's bytes."""
        b = flatbuffers.Builder(1024)
        buffers = []
        for data in [b"", *(tensor[4] for tensor in self.tensors)]:
            vector = b.CreateByteVector(data) if data else None
            tflite.BufferStart(b)
            if vector is not None:
                tflite.BufferAddData(b, vector)
            buffers.append(tflite.BufferEnd(b))
        tensors = [self._tensor(b, i + 1, *tensor[:4]) for i, tensor in enumerate(self.tensors)]
        codes = sorted({operator[0] for operator in self.operators})
        operators = []
        for code, inputs, out, options, build in self.operators:
            table = build(b) if build else None
            told, made = b.CreateNumpyVector(np.int32(inputs)), b.CreateNumpyVector(np.int32([out]))
            tflite.OperatorStart(b)
            tflite.OperatorAddOpcodeIndex(b, codes.index(code))
            tflite.OperatorAddInputs(b, told)
            tflite.OperatorAddOutputs(b, made)
            if table is not None:
                tflite.OperatorAddBuiltinOptionsType(b, options)
                tflite.OperatorAddBuiltinOptions(b, table)
            operators.append(tflite.OperatorEnd(b))
        vectors = _offsets(b, tensors), b.CreateNumpyVector(np.int32([0])), b.CreateNumpyVector(np.int32([self.last]))
        all_operators = _offsets(b, operators)
        tflite.SubGraphStart(b)
        tflite.SubGraphAddTensors(b, vectors[0])
        tflite.SubGraphAddInputs(b, vectors[1])
        tflite.SubGraphAddOutputs(b, vectors[2])
        tflite.SubGraphAddOperators(b, all_operators)
        graph = tflite.SubGraphEnd(b)
        told_codes = []
        for code in codes:
            tflite.OperatorCodeStart(b)
            tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(code, 127))
            tflite.OperatorCodeAddVersion(b, 1 if code not in (0, 3, 4) else 3)
            tflite.OperatorCodeAddBuiltinCode(b, code)
            told_codes.append(tflite.OperatorCodeEnd(b))
        parts = _offsets(b, told_codes), _offsets(b, [graph]), _offsets(b, buffers)
        tflite.ModelStart(b)
        tflite.ModelAddVersion(b, 3)
        tflite.ModelAddOperatorCodes(b, parts[0])
        tflite.ModelAddSubgraphs(b, parts[1])
        tflite.ModelAddBuffers(b, parts[2])
        b.Finish(tflite.ModelEnd(b), b"TFL3")
        return bytes(b.Output())

    def _tensor(self, b: Any, buffer: int, shape: list[int], kind: int, scales: list[float], points: list[int]) -> Any:
        told = b.CreateNumpyVector(np.int32(shape))
        quantization = None
        if scales:
            vectors = b.CreateNumpyVector(np.float32(scales)), b.CreateNumpyVector(np.int64(points[: len(scales)]))
            axis = 3 if len(shape) == 4 and shape[0] == 1 else 0
            tflite.QuantizationParametersStart(b)
            tflite.QuantizationParametersAddScale(b, vectors[0])
            tflite.QuantizationParametersAddZeroPoint(b, vectors[1])
            tflite.QuantizationParametersAddQuantizedDimension(b, axis if len(scales) > 1 else 0)
            quantization = tflite.QuantizationParametersEnd(b)
        tflite.TensorStart(b)
        tflite.TensorAddShape(b, told)
        tflite.TensorAddType(b, kind)
        tflite.TensorAddBuffer(b, buffer)
        if quantization is not None:
            tflite.TensorAddQuantization(b, quantization)
        return tflite.TensorEnd(b)


def _offsets(b: Any, items: Sequence[int]) -> Any:
    b.StartVector(4, len(items), 4)
    for item in reversed(items):
        b.PrependUOffsetTRelative(item)
    return b.EndVector()
