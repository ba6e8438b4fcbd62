"""Units of a stream network that are left out: what stays computes the same, fits, and is what mattered."""

import numpy as np
import pytest
from dibble_tools.families.stream.network import DEPTHWISE, FULL, MEAN, LayerShape, StreamNet, Tape, hops_seen, new_net
from dibble_tools.families.stream.pruning import importance, narrower, pruned, worth_most
from dibble_tools.families.stream.training import fit

SHAPES = [
    LayerShape(FULL, 12, 3, stride=2, bits=4),
    LayerShape(DEPTHWISE, 12, 2, relu=False),
    LayerShape(FULL, 8, bits=4),
    LayerShape(MEAN, 8, 2),
    LayerShape(FULL, 3),
]
KEPT = [np.array([0, 2, 3, 5, 6, 7, 9, 10]), np.array([1, 2, 4, 7])]


def net_of(rng: np.random.Generator) -> StreamNet:
    """Return a net whose norms are unlike each other's."""
    net = new_net(5, SHAPES, rng)
    for layer in net.layers:
        if layer is not None and layer.gain is not None:
            for tensor in (layer.bias, layer.gain, layer.mean, layer.variance):
                assert tensor is not None
                tensor[:] = rng.uniform(0.5, 2, len(tensor))
    return net


def silenced(net: StreamNet) -> None:
    """Let nothing be made of the units that aren't kept."""
    for layer, kept in zip([net.layers[2], net.layers[4]], KEPT, strict=True):
        assert layer is not None
        layer.weights[:, np.setdiff1d(np.arange(layer.weights.shape[1]), kept)] = 0


def test_a_net_without_units_is_the_net_with_zeros_in_their_place() -> None:
    """To the last bit: of whole numbers sums have no order."""
    rng = np.random.default_rng(1)
    net = new_net(5, SHAPES, rng)
    for layer in net.layers:
        if layer is not None:
            layer.weights[:] = rng.integers(-3, 4, layer.weights.shape)
            layer.bias[:] = rng.integers(-9, 10, len(layer.bias))
            layer.gain = None
    x = rng.integers(-9, 10, (hops_seen(SHAPES, 4), 6, 5)).astype(np.float32)
    fewer = pruned(net, KEPT)
    assert not np.array_equal(Tape(fewer, x, training=False).out, Tape(net, x, training=False).out)
    silenced(net)
    assert np.array_equal(Tape(fewer, x, training=False).out, Tape(net, x, training=False).out)


def test_norms_go_with_their_units() -> None:
    rng = np.random.default_rng(2)
    net = net_of(rng)
    x = rng.normal(size=(hops_seen(SHAPES, 4), 6, 5)).astype(np.float32)
    fewer = pruned(net, KEPT)
    assert [s.units for s in fewer.shapes] == [8, 8, 4, 4, 3]
    silenced(net)
    expected = Tape(net, x, training=False).out
    assert Tape(fewer, x, training=False).out == pytest.approx(expected, abs=1e-4 * float(np.abs(expected).max()))


def test_units_matter_as_the_loss_does_when_they_are_weakened() -> None:
    """Squared slopes by a factor on a unit's output against finite differences, as shares of their layer."""
    rng = np.random.default_rng(3)
    net = net_of(rng)
    x = rng.normal(size=(hops_seen(SHAPES), 16, 5)).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 16)]

    def loss() -> float:
        out = Tape(net, x, training=True).out.astype(np.float64)
        logs = out - np.log(np.exp(out).sum(axis=-1, keepdims=True))
        return -float((logs * targets).sum())

    found = importance(net, x, targets)
    for own, layer in zip(found, [net.layers[2], net.layers[4]], strict=True):
        assert layer is not None
        squares = []
        for unit in range(len(own)):
            before, losses = layer.weights[:, unit].copy(), []
            for factor in (1.001, 0.999):
                layer.weights[:, unit] = before * np.float32(factor)
                losses.append(loss())
            layer.weights[:, unit] = before
            squares.append(((losses[0] - losses[1]) / 0.002) ** 2)
        assert own == pytest.approx(np.array(squares) / sum(squares), rel=0.05, abs=2e-3)


def test_units_that_matter_least_go_until_the_rest_fits() -> None:
    net = net_of(np.random.default_rng(4))
    matter = [np.array([9.0, 0, 8, 7, 0.2, 6, 5, 4, 0, 3, 2, 0.1]), np.array([0.5, 3, 2, 0.4, 9, 0, 0.1, 7])]

    def fits(shapes: list[LayerShape]) -> bool:
        return shapes[0].units + shapes[2].units <= 12

    kept = worth_most(net, matter, fits)
    assert [which.tolist() for which in kept] == [which.tolist() for which in KEPT]
    assert fits(narrower(SHAPES, [len(which) for which in kept]))
    everything = worth_most(net, matter, lambda shapes: True)
    assert [len(which) for which in everything] == [12, 8]
    with pytest.raises(ValueError, match="expected a network of 4 units a layer to fit"):
        worth_most(net, matter, lambda shapes: False)


@pytest.mark.parametrize("most", [12, 20])
def test_a_fitted_network_fits_and_has_not_lost_more_than_that(most: int) -> None:
    rng = np.random.default_rng(5)

    def batch() -> tuple[np.ndarray, np.ndarray]:
        pieces = rng.integers(0, 256, (hops_seen(SHAPES), 32, 5)).astype(np.float32)
        return pieces, np.eye(3, dtype=np.float32)[pieces[..., 0].mean(axis=0).astype(int) // 86]

    fitted = fit(5, SHAPES, batch, 30, 127.0, rng, fits=lambda shapes: shapes[0].units + shapes[2].units <= most)
    units = [layer.shape.units for layer in fitted.tables.layers]
    assert units[0] + units[2] == most and units[0] == units[1] and units[2] == units[3] and units[4] == 3
    assert [shape.units for shape in fitted.net.shapes] == units
    fitted.tables.check()
