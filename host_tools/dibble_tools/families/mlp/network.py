"""A dense ReLU network trained by gradient descent, in floats or as a node rounds; without hidden layers, solved.

NumPy only: PyTorch is gigabytes, and these networks are a few hundred weights. And its arithmetic is
`portable`'s, so that a network comes out the same on every computer: rounding amplifies any difference.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from dibble_tools.common import portable
from dibble_tools.families.lbfgs import minimize
from dibble_tools.families.mlp.tables import CODE_MAX

STEPS = 600  # of one training, whatever the number of rows: few rows need steps too
EPOCHS = 30  # more learns the training groups by heart; where rows are few it takes more to make the steps
RATE = 0.03
DECAY = 1e-3
MOMENTS = (0.9, 0.99)
BATCH = (64, 1024)
SOLVE_STEPS, SOLVE_TOLERANCE = 200, 1e-7


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
    bits = _bits(net, 1)
    columns = portable.rounded(x.T, bits)
    return [each.T for each in _forward(_factors(net, net.vector, grid, bits), columns, grid, bits)]


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the softmax (rows, classes) of logits of classes 1, 2...; class 0's logit is 0."""
    return portable.softmax(np.column_stack([np.zeros(len(logits)), logits]))


def loss(net: Net, x: np.ndarray, targets: np.ndarray, weights: np.ndarray, grid: Grid | None = None) -> float:
    """Return the mean weighted cross-entropy in nats."""
    chances = probabilities(forward(net, x, grid)[-1])
    return -portable.dot(weights, (targets * portable.log(np.maximum(chances, 1e-12))).sum(axis=1)) / len(x)


def gradient(net: Net, x: np.ndarray, targets: np.ndarray, weights: np.ndarray, grid: Grid | None = None) -> np.ndarray:
    """Return the derivative of `loss` by the net's vector; roundings count as the identity (straight through)."""
    result = np.empty_like(net.vector)
    bits = _bits(net, len(x))
    factors = _factors(net, net.vector, grid, bits)
    _slopes(factors, portable.rounded(x.T, bits), targets.T[1:], weights, grid, bits, net.layers(result))
    return result / len(x)


# Passes work on columns, one a row of data: sums over classes and units are then sums of vectors. All
# factors of products are rounded once, to as many bits as suit each sum that they enter.


def _bits(net: Net, rows: int) -> int:
    return portable.shared_bits(max(rows, *net.sizes))


def _factors(net: Net, vector: np.ndarray, grid: Grid | None, bits: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (weights as factors of products, biases) of each layer: integers under a grid, else rounded."""
    if grid is None:
        weights = portable.rounded(vector, bits)
    else:
        weights = np.rint(vector)
        for (w, _), top in zip(net.layers(weights), grid.tops, strict=True):
            np.clip(w, -top, top, out=w)
    return [(w, b[:, None]) for (w, _), (_, b) in zip(net.layers(weights), net.layers(vector), strict=True)]


def _forward(
    factors: list[tuple[np.ndarray, np.ndarray]], x: np.ndarray, grid: Grid | None, bits: int
) -> list[np.ndarray]:
    """Return the inputs (inputs, rows) of each layer, rounded, then the logits (classes - 1, rows)."""
    outputs = [x]
    for i, (weights, biases) in enumerate(factors):
        x = weights @ x
        x += biases
        if grid is not None:
            x *= grid.gains[i][:, None]
        if i + 1 < len(factors):
            if grid is None:
                x = portable.rounded(np.maximum(x, 0, out=x), bits)
            else:
                x += 0.5
                np.clip(np.floor(x, out=x), 0, CODE_MAX, out=x)
        outputs.append(x)
    return outputs


def _slopes(
    factors: list[tuple[np.ndarray, np.ndarray]],
    x: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    grid: Grid | None,
    bits: int,
    slopes: list[tuple[np.ndarray, np.ndarray]],
) -> None:
    """Write the derivatives of the summed weighted cross-entropy.

    Args:
        x, targets: (inputs, rows), rounded; (classes - 1, rows).
        slopes: of each layer (by weights, by biases), to be written.
    """
    outputs = _forward(factors, x, grid, bits)
    delta = _chances(outputs[-1])
    delta -= targets
    delta *= weights
    for i in range(len(factors) - 1, -1, -1):
        if grid is not None:
            delta *= grid.gains[i][:, None]
        delta = portable.rounded(delta, bits)
        np.matmul(delta, outputs[i].T, out=slopes[i][0])
        np.add.reduce(delta, axis=1, out=slopes[i][1])
        if i:
            delta = factors[i][0].T @ delta
            delta *= (outputs[i] > 0) & (outputs[i] < CODE_MAX) if grid is not None else outputs[i] > 0


def _chances(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities of classes 1, 2... (classes - 1, rows), good to some 26 bits."""
    if len(logits) == 1:
        chances = portable.exp(-logits, portable.QUICK_TERMS)
        chances += 1
        return np.divide(1, chances, out=chances)
    top = np.maximum(np.maximum.reduce(logits, axis=0), 0)
    powers = portable.exp(np.vstack([logits - top, -top]), portable.QUICK_TERMS)
    chances = powers[:-1]
    chances /= np.add.reduce(powers, axis=0)
    return chances


def learn(
    net: Net,
    x: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    rng: np.random.Generator,
    *,
    share: float = 1.0,
    rate: float = RATE,
    decay: float = DECAY,
) -> Net:
    """Return the net after a first training in floats, which without hidden layers goes to the end; see `train`."""
    if len(net.sizes) == 2:
        return solve(net, x, targets, weights, decay=decay)
    return train(net, x, targets, weights, rng, share=share, rate=rate, decay=decay)


def solve(net: Net, x: np.ndarray, targets: np.ndarray, weights: np.ndarray, *, decay: float = DECAY) -> Net:
    """Return the net without hidden layers, multinomial logistic regression, of least loss: it has one minimum.

    Args:
        x, targets, weights, decay: see `train`.
    """
    rows = len(x)
    bits = _bits(net, rows)
    columns = portable.rounded(x.T, bits)
    pull = np.zeros_like(net.vector)
    net.layers(pull)[0][0][:] = decay * rows

    def objective(vector: np.ndarray) -> tuple[float, np.ndarray]:
        logits = _forward(_factors(net, vector, None, bits), columns, None, bits)[-1]
        chances = probabilities(logits.T)
        nats = -(targets * portable.log(np.maximum(chances, 1e-300))).sum(axis=1)
        delta = portable.rounded(((chances - targets) * weights[:, None]).T[1:], bits)
        slope = np.concatenate([(delta @ columns.T).ravel(), delta.sum(axis=1)])
        return portable.dot(weights, nats) + portable.dot(pull * vector, vector) / 2, slope + pull * vector

    start = np.zeros_like(net.vector)
    return replace(net, vector=minimize(objective, start, steps=SOLVE_STEPS, tolerance=SOLVE_TOLERANCE))


def train(
    net: Net,
    x: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    rng: np.random.Generator,
    *,
    share: float = 1.0,
    rate: float = RATE,
    decay: float = DECAY,
    grid: Grid | None = None,
) -> Net:
    """Return the net after Adam with decaying steps.

    Args:
        x: (rows, inputs), about standardized.
        targets: (rows, classes).
        share: how long, compared to a first training.
        rate: size of the first steps.
        decay: of the weights, without a grid: what keeps few rows from being learned by heart.
    """
    rows = len(x)
    batch = int(np.clip(EPOCHS * rows / STEPS, *BATCH))
    steps = max(int(share * STEPS), 20)
    net = replace(net, vector=net.vector * net.mask)
    vector, sparse = net.vector, not net.mask.all()
    bits = _bits(net, batch)
    x, targets = portable.rounded(x.T, bits), targets.T[1:]
    slope, mean, square = (np.zeros_like(vector) for _ in range(3))
    slopes = net.layers(slope)
    b1, b2 = MOMENTS
    unseen_1 = unseen_2 = 1.0  # what the moments still hold of their start
    pull = np.zeros_like(vector)
    for w, _ in net.layers(pull):
        w[:] = decay if grid is None else 0
    at = rows
    for step in range(1, steps + 1):
        if at >= rows:
            order, at = rng.permutation(rows), 0
            mixed_x, mixed_targets, mixed_weights = x[:, order], targets[:, order], weights[order]
        some = slice(at, at + batch)
        at += batch
        share_of = mixed_weights[some]
        _slopes(
            _factors(net, vector, grid, bits), mixed_x[:, some], mixed_targets[:, some], share_of, grid, bits, slopes
        )
        slope /= len(share_of)
        if grid is None:
            slope += pull * vector
        elif grid.ties is not None:
            slope[:] = np.bincount(grid.ties, slope)[grid.ties]
        if sparse:
            slope *= net.mask
        mean *= b1
        mean += slope
        square *= b2
        square += slope * slope
        unseen_1, unseen_2, left = unseen_1 * b1, unseen_2 * b2, 1 - step / steps
        size = rate * left * left * (3 - 2 * left) * (1 - b1) / (1 - unseen_1)
        size *= np.sqrt((1 - unseen_2) / (1 - b2))
        move = np.sqrt(square)
        move += 1e-7
        np.divide(mean, move, out=move)
        move *= size
        if grid is not None:
            move *= grid.pace
        vector -= move
    return net
