"""A dense ReLU network trained by gradient descent, in floats or as a node rounds.

NumPy only: PyTorch is gigabytes, and these networks are a few hundred weights.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from dibble_tools.families.mlp.tables import CODE_MAX

BATCHES = 1250  # of one training, whatever the number of rows
EPOCHS = 30  # more learns the training groups by heart
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
    net = Net(sizes, np.zeros(length, dtype=np.float32), np.ones(length, dtype=np.float32))
    for weights, _ in net.layers():
        weights[:] = rng.normal(0, np.sqrt(2 / weights.shape[1]), weights.shape)
    return net


def forward(net: Net, x: np.ndarray, grid: Grid | None = None) -> list[np.ndarray]:
    """Return the inputs of each layer, then the logits of classes 1, 2... (rows, classes - 1)."""
    outputs = [x]
    layers = net.layers()
    for i, (weights, biases) in enumerate(layers):
        if grid is not None:
            weights = np.clip(np.rint(weights), -grid.tops[i], grid.tops[i])
        x = x @ weights.T
        x += biases
        if grid is not None:
            x *= grid.gains[i]
        if i + 1 < len(layers):
            x = np.clip(np.floor(x + 0.5), 0, CODE_MAX) if grid is not None else np.maximum(x, 0)
        outputs.append(x)
    return outputs


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the softmax (rows, classes) of logits of classes 1, 2...; class 0's logit is 0."""
    top = np.maximum(logits.max(axis=1, keepdims=True), 0)
    result = np.empty((len(logits), logits.shape[1] + 1), dtype=logits.dtype)
    np.exp(-top, out=result[:, :1])
    np.exp(logits - top, out=result[:, 1:])
    result /= result.sum(axis=1, keepdims=True)
    return result


def loss(net: Net, x: np.ndarray, targets: np.ndarray, weights: np.ndarray, grid: Grid | None = None) -> float:
    """Return the mean weighted cross-entropy in nats."""
    chances = probabilities(forward(net, x, grid)[-1].astype(np.float64))
    return float(-(weights @ (targets * np.log(np.maximum(chances, 1e-12))).sum(axis=1)) / len(x))


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
        np.matmul(delta.T, outputs[i], out=slopes[i][0])
        delta.sum(axis=0, out=slopes[i][1])
        if i:
            weight = layers[i][0]
            if grid is not None:
                weight = np.clip(np.rint(weight), -grid.tops[i], grid.tops[i])
            delta = delta @ weight
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
        x: (rows, inputs) float32, about standardized.
        targets: (rows, classes) float32.
        share: how long, compared to a first training.
        rate: size of the first steps.
    """
    rows = len(x)
    batch = int(np.clip(EPOCHS * rows / BATCHES, *BATCH))
    steps = max(int(share * min(EPOCHS * rows / batch, BATCHES)), 20)
    net = replace(net, vector=net.vector * net.mask)
    vector = net.vector
    mean, square = np.zeros_like(vector), np.zeros_like(vector)
    b1, b2 = MOMENTS
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
            slope = np.bincount(grid.ties, slope)[grid.ties].astype(np.float32)
        slope *= net.mask
        mean += (1 - b1) * (slope - mean)
        square += (1 - b2) * (slope * slope - square)
        size = rate * 0.5 * (1 + np.cos(np.pi * step / steps)) * np.sqrt(1 - b2**step) / (1 - b1**step)
        move = mean / (np.sqrt(square) + 1e-8)
        move *= size
        if grid is not None:
            move *= grid.pace
        vector -= move
    return net
