"""ONNX files of int8: what ONNX's own reference evaluator decides is what the reader and the model decide."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from dibble_tools import convert
from dibble_tools.common.errors import InputError
from dibble_tools.families.maps.onnx_import import onnx_network
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

ROWS = 60


class File:
    """A file in the making: each operator between a DequantizeLinear and a QuantizeLinear."""

    def __init__(self, shape: tuple[int, int, int], seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.count = 0
        self.frame = helper.make_tensor_value_info("frame", TensorProto.FLOAT, [1, *shape])
        self.scale = 1 / 255
        self.last = self.quantize("frame", 1 / 255, -128)

    def constant(self, values: np.ndarray) -> str:
        self.count += 1
        self.constants.append(numpy_helper.from_array(np.asarray(values), f"c{self.count}"))
        return f"c{self.count}"

    def append(self, kind: str, inputs: list[str], **told: object) -> str:
        self.count += 1
        self.nodes.append(helper.make_node(kind, inputs, [f"t{self.count}"], **told))
        return f"t{self.count}"

    def quantize(self, source: str, scale: float, point: int) -> str:
        """Return the dequantized name of what is quantized."""
        parameters = [self.constant(np.float32(scale)), self.constant(np.int8(point))]
        self.scale = scale
        return self.append("DequantizeLinear", [self.append("QuantizeLinear", [source, *parameters]), *parameters])

    def weighted(self, kind: str, shape: tuple[int, ...], scale: float, relu: bool = True, **told: object) -> str:
        scales = self.rng.uniform(0.002, 0.01, shape[0] if kind == "Conv" else 1).astype(np.float32)
        points = np.zeros(len(scales), np.int8)
        values = self.rng.integers(-127, 128, shape).astype(np.int8)
        parameters = [self.constant(values), self.constant(scales if len(scales) > 1 else scales[0])]
        zero = self.constant(points if len(points) > 1 else points[0])
        axis = {"axis": 0} if len(scales) > 1 else {}
        weights = self.append("DequantizeLinear", [*parameters, zero], **axis)
        biases = self.constant(self.rng.normal(0, 0.2, shape[0]).astype(np.float32))
        out = self.append(kind, [self.last, weights, biases], **told)
        self.last = self.quantize(self.append("Relu", [out]) if relu else out, scale, -128 if relu else 0)
        return self.last

    def write(self, path: Path) -> Path:
        out = helper.make_tensor_value_info(self.last, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "g", [self.frame], [out], self.constants)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)]), str(path))
        return path


def small(seed: int) -> File:
    file = File((2, 9, 8), seed)
    first = file.weighted("Conv", (8, 2, 3, 3), 0.03, pads=[1, 1, 1, 1], strides=[2, 2])
    file.weighted("Conv", (8, 1, 3, 3), 0.03, pads=[1, 1, 1, 1], group=8)
    file.weighted("Conv", (8, 8, 1, 1), 0.03)
    file.last = file.quantize(file.append("Add", [file.last, first]), 0.06, -128)
    scale = file.scale
    file.last = file.quantize(file.append("MaxPool", [file.last], kernel_shape=[2, 2]), scale, -128)
    file.last = file.append("Flatten", [file.last])
    file.weighted("Gemm", (3, 8 * 4 * 3), 0.1, relu=False, transB=1)
    file.last = file.append("Softmax", [file.last])
    return file


def frames() -> np.ndarray:
    """Return codes (rows, height, width, depth)."""
    rng = np.random.default_rng(3)
    level = rng.uniform(0, 255, (ROWS, 1, 1, 1))
    return np.clip(level + rng.normal(0, 60, (ROWS, 9, 8, 2)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_reference_evaluator_decides_alike(seed, tmp_path):
    path = small(seed).write(tmp_path / "net.onnx")
    codes = frames()
    evaluator = ReferenceEvaluator(str(path))
    reals = (codes.astype(np.float32) / 255).transpose(0, 3, 1, 2)
    outputs = np.array([evaluator.run(None, {"frame": row[None]})[0][0] for row in reals])
    top = np.sort(outputs, axis=1)
    clear = top[:, -1] - top[:, -2] > 0.03  # halves are rounded to even there: a step of a logit at most
    decided = onnx_network(path).decide(codes.astype(np.int64))
    # Biases are floats there, and whole steps here; random weights magnify it.
    assert np.mean((decided == outputs.argmax(axis=1))[clear]) > 0.95 and clear.mean() > 0.5
    model = convert(path, codes)
    own = model.decide(codes.reshape(ROWS, -1).astype(np.int64)).class_index
    assert np.mean(own == decided) >= 0.9


def test_what_is_no_such_network_is_refused_by_name(tmp_path):
    path = tmp_path / "net.onnx"

    def error() -> str:
        with pytest.raises(InputError) as told:
            convert(path)
        return str(told.value)

    whole = small(1).write(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in error() or "expected" in error()
    file = File((1, 4, 4), 0)
    file.last = file.append("Tanh", [file.last])
    file.write(path)
    assert "operator 3, Tanh: expected operators of QuantizeLinear" in error()
    file = File((1, 4, 4), 0)
    floats = file.constant(np.zeros((2, 1, 3, 3), np.float32))
    file.last = file.append("Conv", [file.last, floats])
    file.write(path)
    assert "Conv: expected an input that is dequantized from int8, got weights of float32" in error()
