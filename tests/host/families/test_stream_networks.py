"""The family stream: random networks of every kind of layer on every VM, its proofs, and its gradients."""

import numpy as np
import pytest
from dibble_tools.bench.stream_net import codes, drawn, model_of
from dibble_tools.common.errors import InputError
from dibble_tools.families.stream.network import (
    DEPTHWISE,
    FULL,
    MEAN,
    LayerShape,
    Rounding,
    Tape,
    hops_seen,
    log_softmax,
    new_net,
)
from dibble_tools.families.stream.tables import StreamLayer, StreamTables
from dibble_tools.machines.replay import on_unix, on_wasi
from dibble_tools.model.encoding import number
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import ModelSpec, export

BANDS = 11
SHAPES = [
    LayerShape(FULL, 8, 3, bits=4),
    LayerShape(DEPTHWISE, 8, 5),
    LayerShape(FULL, 12, 2, stride=2),
    LayerShape(MEAN, 12, 4),
    LayerShape(FULL, 8, bits=4),
    LayerShape(FULL, 5),
]


@pytest.fixture(scope="module")
def model() -> HostModel:
    drawn_model = model_of(drawn(BANDS, SHAPES), golden=6)
    content = drawn_model.content
    margins = drawn_model.decide(codes(BANDS, 60, seed=5)).margin
    spec = ModelSpec(
        "a stream",
        content.channels,
        list(content.classes),
        drawn(BANDS, SHAPES),
        unsure_below=int(np.quantile(margins[12:], 0.3)),
        hysteresis=2,
        parts={b"cells": number(BANDS)},
    )
    return HostModel(export(spec, codes(BANDS, 6).tolist()))


def test_every_vm_decides_as_the_host(model: HostModel) -> None:
    rows = codes(BANDS, 60, seed=5)
    expected = model.decide(rows).columns()
    assert len(np.unique(expected[:, 0])) > 2 and len(np.unique(expected[:, 4])) > 2 and expected[:, 2].any()
    for replay in (
        on_unix(model, rows, None, viper=True),
        on_unix(model, rows, None, viper=False),
        on_wasi(model, rows, None),
    ):
        assert np.array_equal(replay.decisions.columns(), expected), replay.kernels
        assert replay.golden == 6
    model.cross_check(rows)


def test_a_row_of_another_length_is_an_error_and_changes_nothing(model: HostModel) -> None:
    node = model.model
    node.restart()
    with pytest.raises(Exception, match=f"expected {BANDS} readings, got 3"):
        node.predict(bytes(3))
    model.cross_check(codes(BANDS, 20))


def full(weights: np.ndarray, biases: list[int], **shape: int) -> StreamLayer:
    units, taps, _ = weights.shape
    return StreamLayer(LayerShape(FULL, units, taps, **shape), weights, tuple(biases), (9,) * units)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([full(np.ones((3, 1, 4), int), [0] * 3), full(np.ones((2, 1, 3), int), [0] * 2)], "a multiple of 4 units"),
        ([full(np.full((2, 1, 4), -1), [0] * 2)], "scores within"),
        ([full(np.full((2, 1, 4), 9), [0] * 2, bits=4)], "weights of 4 bits"),
        ([full(np.ones((2, 1, 4), int), [2**30, 0])], "a sum can reach"),
        ([full(np.ones((2, 255, 20), int), [0] * 2)], "at most 4096 inputs"),
        ([StreamLayer(LayerShape(MEAN, 4, 4))], "before a layer"),
    ],
)
def test_what_a_node_could_not_compute_is_refused(layers: list[StreamLayer], message: str) -> None:
    inputs = 20 if "4096" in message else 4
    with pytest.raises(InputError, match=message):
        StreamTables(inputs, tuple(layers)).check()


@pytest.mark.parametrize("rounded", [False, True])
def test_gradients_are_those_of_finite_differences(*, rounded: bool) -> None:
    """Where nothing is rounded to; under rounding those of the last layer, which is exact."""
    rng = np.random.default_rng(1)
    shapes = [
        LayerShape(FULL, 4, 3, stride=2),
        LayerShape(DEPTHWISE, 4, 2, relu=False),
        LayerShape(FULL, 4),
        LayerShape(MEAN, 4, 2),
        LayerShape(FULL, 3),
    ]
    net = new_net(5, shapes, rng)
    x = rng.normal(size=(hops_seen(shapes, 3), 6, 5)).astype(np.float32)
    if rounded:
        x = np.rint(100 + 40 * x)
        for layer in net.layers:
            if layer is not None:
                layer.gain = None
                layer.weights *= 20
        net.rounding = [
            None if s.kind == MEAN else Rounding(-127, 127, np.full(s.units, 1 / 64, np.float32)) for s in shapes
        ]
    net.tensors()[-1][:] = [0.3, -0.2, 0.1] if not rounded else [3, -2, 1]
    target = np.eye(3, dtype=np.float32)[rng.integers(0, 3, (3, 6))]

    def loss() -> float:
        return -float((log_softmax(Tape(net, x, training=True).out) * target).sum(dtype=np.float64))

    tape = Tape(net, x, training=True)
    slopes = tape.gradients(np.exp(log_softmax(tape.out)) - target)
    tensors = net.tensors()
    assert [s.shape for s in slopes] == [t.shape for t in tensors]
    for k in range(len(tensors) - 2 if rounded else 0, len(tensors)):
        step = np.float32(1 if rounded else 2e-3)
        for at in list(np.ndindex(tensors[k].shape))[:: max(tensors[k].size // 5, 1)]:
            own = tensors[k][at]
            tensors[k][at] = own + step
            up = loss()
            tensors[k][at] = own - step
            down = loss()
            tensors[k][at] = own
            assert slopes[k][at] == pytest.approx((up - down) / (2 * float(step)), rel=0.05, abs=0.05), (k, at)
