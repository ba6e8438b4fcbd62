"""A dense ReLU network trained by gradient descent, in floats or as a node rounds.

NumPy only: PyTorch is gigabytes, and these networks are a few hundred weights. And its arithmetic is
`portable`'s, so that a network comes out the same on every computer: rounding amplifies any difference.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from dibble_tools.common import portable
from dibble_tools.families.mlp.tables import CODE_MAX

BATCHES = 1250  # of one training, whatever the number of rows
EPOCHS = 30  # more learns the training groups by heart
LEAST = 600  # batches, where so many epochs are fewer: few rows need steps too
RATE = 0.02
DECAY = 1e-3
MOMENTS = (0.9, 0.99)
BATCH = (64, 512)


@dataclass(frozen=True)
class Net:
    """Weights and biases of all layers in one vector, so that an optimizer's step is a few operations.

    Attributes:
        sizes: number of inputs, of each hidden layer's units, of outputs.
        vector: for each layer its weights (units, inputs), then its biases.
        mask: of the same length, 0 where a weight is pruned and stays 0, else 1.
    """

    sizes: tuple[int, ...]
    vector: np.ndarray
    mask: np.ndarray

    def layers(self, vector: np.ndarray | None = None) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return (weights, biases) of each layer: views of the vector, or of another as long."""
        vector = self.vector if vector is None else vector
        result, at = [], 0
        for inputs, units in pairwise(self.sizes):
            middle, end = at + units * inputs, at + units * (inputs + 1)
            result.append((vector[at:middle].reshape(units, inputs), vector[middle:end]))
            at = end
        return result


@dataclass(frozen=True)
class Grid:
    """How a net whose weights are in integer steps is rounded, as a node would.

    Attributes:
        tops: largest integer weight of each layer.
        gains: for each layer, 2**-shift of each unit; of the last, nats of logit an accumulator step.
        ties: for each weight and bias a number, equal for those that move together; None: all on their own.
        pace: for each weight and bias, how far it moves compared to an 8-bit weight.
    """

    tops: list[int]
    gains: list[np.ndarray]
    pace: np.ndarray
    ties: np.ndarray | None = None


def new_net(sizes: tuple[int, ...], rng: np.random.Generator) -> Net:
    """Return a net of random weights, of a spread that keeps the variance through ReLUs (He), and no biases."""
    length = sum(units * (inputs + 1) for inputs, units in pairwise(sizes))
    net = Net(sizes, np.zeros(length), np.ones(length))
    for weights, _ in net.layers():  # evenly spread: normal ones take a logarithm of libm
        weights[:] = (2 * rng.random(weights.shape) - 1) * np.sqrt(6 / weights.shape[1])
    return net


def forward(net: Net, x: np.ndarray, grid: Grid | None = None) -> list[np.ndarray]:
    """Return the inputs of each layer, then the logits of classes 1, 2... (rows, classes - 1)."""
    outputs = [x]
    layers = net.layers()
    for i, (weights, biases) in enumerate(layers):
        if grid is not None:
            weights = np.clip(np.rint(weights), -grid.tops[i], grid.tops[i])
        x = portable.matmul(x, weights.T)
        x += biases
        if grid is not None:
            x *= grid.gains[i]
        if i + 1 < len(layers):
            x = np.clip(np.floor(x + 0.5), 0, CODE_MAX) if grid is not None else np.maximum(x, 0)
        outputs.append(x)
    return outputs


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the softmax (rows, classes) of logits of classes 1, 2...; class 0's logit is 0."""
    return portable.softmax(np.column_stack([np.zeros(len(logits)), logits]))


def loss(net: Net, x: np.ndarray, targets: np.ndarray, weights: np.ndarray, grid: Grid | None = None) -> float:
    """Return the mean weighted cross-entropy in nats."""
    chances = probabilities(forward(net, x, grid)[-1])
    return -portable.dot(weights, (targets * portable.log(np.maximum(chances, 1e-12))).sum(axis=1)) / len(x)


def gradient(net: Net, x: np.ndarray, targets: np.ndarray, weights: np.ndarray, grid: Grid | None = None) -> np.ndarray:
    """Return the derivative of `loss` by the net's vector; roundings count as the identity (straight through)."""
    outputs = forward(net, x, grid)
    delta = (probabilities(outputs[-1]) - targets)[:, 1:]
    delta *= (weights / len(x))[:, None]
    result = np.empty_like(net.vector)
    layers, slopes = net.layers(), net.layers(result)
    for i in range(len(layers) - 1, -1, -1):
        if grid is not None:
            delta = delta * grid.gains[i]
        slopes[i][0][:] = portable.matmul(delta.T, outputs[i])
        delta.sum(axis=0, out=slopes[i][1])
        if i:
            weight = layers[i][0]
            if grid is not None:
                weight = np.clip(np.rint(weight), -grid.tops[i], grid.tops[i])
            delta = portable.matmul(delta, weight)
            delta *= (outputs[i] > 0) & (outputs[i] < CODE_MAX) if grid is not None else outputs[i] > 0
    return result


def train(
    net: Net,
    x: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    rng: np.random.Generator,
    *,
    share: float = 1.0,
    rate: float = RATE,
    grid: Grid | None = None,
) -> Net:
    """Return the net after Adam with decaying steps.

    Args:
        x: (rows, inputs), about standardized.
        targets: (rows, classes).
        share: how long, compared to a first training.
        rate: size of the first steps.
    """
    rows = len(x)
    batch = int(np.clip(EPOCHS * rows / BATCHES, *BATCH))
    steps = max(int(share * np.clip(EPOCHS * rows / batch, LEAST, BATCHES)), 20)
    net = replace(net, vector=net.vector * net.mask)
    vector = net.vector
    mean, square = np.zeros_like(vector), np.zeros_like(vector)
    b1, b2 = MOMENTS
    unseen_1 = unseen_2 = 1.0  # what the moments still hold of their start
    decay = np.zeros_like(vector)
    for w, _ in net.layers(decay):
        w[:] = DECAY if grid is None else 0
    order, at = rng.permutation(rows), 0
    for step in range(1, steps + 1):
        if at >= rows:
            order, at = rng.permutation(rows), 0
        some = order[at : at + batch]
        at += batch
        slope = gradient(net, x[some], targets[some], weights[some], grid)
        slope += decay * vector
        if grid is not None and grid.ties is not None:
            slope = np.bincount(grid.ties, slope)[grid.ties]
        slope *= net.mask
        mean += (1 - b1) * (slope - mean)
        square += (1 - b2) * (slope * slope - square)
        unseen_1, unseen_2, left = unseen_1 * b1, unseen_2 * b2, 1 - step / steps
        size = rate * left * left * (3 - 2 * left) * np.sqrt(1 - unseen_2) / (1 - unseen_1)
        move = mean / (np.sqrt(square) + 1e-8)
        move *= size
        if grid is not None:
            move *= grid.pace
        vector -= move
    return net
