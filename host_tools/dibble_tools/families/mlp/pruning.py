"""Pruning in rounds of cutting and retraining: single weights (unstructured) or whole hidden units (structured)."""

from dataclasses import replace

import numpy as np

from dibble_tools.families.mlp.network import RATE, Net, forward, train

ROUNDS = 3
SHARE = 0.5  # of a first training, for each round
SLOW = 0.5  # of its rate


def magnitude(net: Net, x: np.ndarray) -> np.ndarray:
    """Return |weight| * standard deviation of its input over the rows, like net.vector; 0 for biases."""
    result = np.zeros_like(net.vector)
    inputs = forward(net, x)
    for (weights, _), (found, _), entering in zip(net.layers(), net.layers(result), inputs[:-1], strict=True):
        found[:] = np.abs(weights) * entering.std(axis=0)
    return result


def prune_weights(
    net: Net, x: np.ndarray, targets: np.ndarray, weights: np.ndarray, rng: np.random.Generator, *, sparsity: float
) -> Net:
    """Return the net with this share of all its weights held at 0, retrained."""
    are_weights = np.zeros(len(net.vector), dtype=bool)
    for w, _ in net.layers(are_weights):
        w[:] = True
    for part in range(1, ROUNDS + 1):
        share = sparsity * (1 - (1 - part / ROUNDS) ** 3)  # most go first, when much is idle (Zhu & Gupta 2017)
        matters = np.where(are_weights, magnitude(net, x) * net.mask, np.inf)
        gone = np.argsort(matters, kind="stable")[: round(share * are_weights.sum())]
        mask = np.ones_like(net.mask)
        mask[gone] = 0
        net = train(replace(net, mask=mask), x, targets, weights, rng, share=SHARE, rate=SLOW * RATE)
    return net


def prune_units(
    net: Net, x: np.ndarray, targets: np.ndarray, weights: np.ndarray, rng: np.random.Generator, *, count: int
) -> Net:
    """Return the net with `count` units fewer in each hidden layer, those that vary the next layer least, retrained."""
    for part in range(ROUNDS, 0, -1):
        some = count // part
        count -= some
        net = _without(net, magnitude(net, x), some)
        net = train(net, x, targets, weights, rng, share=SHARE, rate=SLOW * RATE)
    return net


def _without(net: Net, matters: np.ndarray, count: int) -> Net:
    layers, found = net.layers(), net.layers(matters)
    keep = [np.arange(net.sizes[0])]
    for i in range(len(layers) - 1):
        order = np.argsort((found[i + 1][0] ** 2).sum(axis=0), kind="stable")  # what the next layer gets of a unit
        keep.append(np.sort(order[count:]))
    keep.append(np.arange(net.sizes[-1]))
    parts = []
    for (w, b), before, own in zip(layers, keep, keep[1:], strict=False):
        parts += [w[np.ix_(own, before)].ravel(), b[own]]
    vector = np.concatenate(parts)
    return Net(tuple(len(k) for k in keep), vector, np.ones_like(vector))
