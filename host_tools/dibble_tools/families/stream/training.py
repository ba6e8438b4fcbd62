"""Fit the family stream: a float network with norms, pruned; then weights in integer steps, trained under rounding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from dibble.inference.stream import MOST_STEPS

from dibble_tools.families.stream.network import MEAN, Adam, LayerShape, StreamNet, Tape, log_softmax, new_net
from dibble_tools.families.stream.pruning import Fits, importance, pruned, worth_most
from dibble_tools.families.stream.rounding import SPREAD, integer_net, tables_of
from dibble_tools.families.stream.tables import WEIGHT_RANGE, StreamTables

BATCH = 128
RATE, ROUNDED_RATE = 0.006, 0.5  # of the first steps: of a float network; in steps of an 8-bit weight
DECAY = 0.002
WARM_UP = 60  # steps
PRUNED_AT = 0.35  # of the float network's steps
ROUNDED_SHARE = 0.35  # of the steps
RESTS_FROM, RESTS_TO = 0.5, 0.95  # of those under rounding: in between weights come to rest
RESTS_EACH = 20  # steps
BIAS_PACE = 60.0  # how far a bias moves, compared to a weight: it is in steps of a sum
LOSS_KEPT = 0.02  # of each step's, in the mean that is told

Batch = Callable[[], tuple[np.ndarray, np.ndarray]]
Told = Callable[[float, float], None]


@dataclass(frozen=True)
class FittedStream:
    """A network, and how far its float original is ahead.

    Attributes:
        net: in floats, on (codes - middle) / SPREAD.
    """

    tables: StreamTables
    net: StreamNet
    middle: float

    def float_scores(self, pieces: np.ndarray) -> np.ndarray:
        """Return the float network's logits (batch, classes) at the end of pieces (hops, batch, bands)."""
        return Tape(self.net, _inputs(pieces, self.middle), training=False).out[-1]


def fit(
    bands: int,
    shapes: Sequence[LayerShape],
    batch: Batch,
    steps: int,
    middle: float,
    rng: np.random.Generator,
    told: Told = lambda share, loss: None,
    fits: Fits = lambda shapes: True,
) -> FittedStream:
    """Return a network fitted to pieces of streams.

    Args:
        shapes: of the network in the beginning; it loses units unless it fits.
        batch: returns (pieces (hops, batch, bands) of codes, targets (batch, classes)).
        steps: of training, those under rounding among them.
        middle: code that is about the mean.
        told: called with the share of the steps that are done and the mean loss.
        fits: whether a network of given shapes may be the result.
    """
    rounded = max(int(ROUNDED_SHARE * steps), 1)
    before = 1 - ROUNDED_SHARE

    def train_floats(net: StreamNet, begin: float, end: float) -> None:
        _train(
            net,
            batch,
            steps - rounded,
            RATE,
            [1.0] * len(net.tensors()),
            [DECAY if t.ndim > 1 else 0.0 for t in net.tensors()],
            lambda x: _inputs(x, middle),
            lambda share, loss: told(before * share, loss),
            (begin, end),
        )

    net = new_net(bands, shapes, rng)
    wide = 0.0 if fits(shapes) else PRUNED_AT
    train_floats(net, 0, wide)
    if wide:
        heard = [batch() for _ in range(4)]
        pieces = np.concatenate([pieces for pieces, _ in heard], axis=1)
        matters = importance(net, _inputs(pieces, middle), np.concatenate([targets for _, targets in heard]))
        net = pruned(net, worth_most(net, matters, fits))
    train_floats(net, wide, 1)
    _settle_norms(net, batch, middle)
    found = integer_net(net, np.concatenate([batch()[0] for _ in range(4)], axis=1), middle)
    paces = []
    for layer, shape in zip(found.layers, found.shapes, strict=True):
        if layer is not None:
            pace = WEIGHT_RANGE[shape.bits][1] / WEIGHT_RANGE[8][1]
            paces += [pace, BIAS_PACE * pace]
    none = [0.0] * len(paces)
    _train(
        found,
        batch,
        rounded,
        ROUNDED_RATE,
        paces,
        none,
        lambda x: x,
        lambda share, loss: told(before + ROUNDED_SHARE * share, loss),
    )
    return FittedStream(tables_of(found), net, middle)


def _inputs(codes: np.ndarray, middle: float) -> np.ndarray:
    return (codes - np.float32(middle)) / np.float32(SPREAD)


def _train(
    net: StreamNet,
    batch: Batch,
    steps: int,
    rate: float,
    paces: list[float],
    decays: list[float],
    inputs: Callable[[np.ndarray], np.ndarray],
    told: Told,
    stretch: tuple[float, float] = (0.0, 1.0),
) -> None:
    """Train in place: Adam, its steps falling as a cosine does; of all steps those of a stretch.

    Under rounding, weights of 4 bits near the middle of two steps go to and fro to the end, and the biases follow none
    of them. So more and more come to rest at a step, those next to one first (Nagel and others, 2022, arXiv:2203.11086,
    freeze those that are seen to do so), and what still moves makes up for it.
    """
    optimizer = Adam(net.tensors(), paces, decays)
    coarse = _coarse(net)
    resting = [np.zeros(weights.shape, bool) for weights in coarse]
    mean = 0.0
    first, end = (int(share * steps) for share in stretch)
    for step in range(first, end):
        pieces, targets = batch()
        tape = Tape(net, inputs(pieces), training=True)
        logs = log_softmax(tape.out)
        loss = -float((logs * targets).sum(axis=-1).mean())
        mean += (LOSS_KEPT if step > first else 1) * (loss - mean)
        delta = (np.exp(logs) - targets) / np.float32(logs.shape[0] * logs.shape[1])
        size = rate * min(1.0, (step - first + 1) / WARM_UP) * 0.5 * (1 + np.cos(np.pi * step / steps))
        optimizer.move(tape.gradients(delta), size)
        for layer, rounding in zip(net.layers, net.rounding, strict=False):
            if layer is not None and rounding is not None:  # what is cut off would take long to come back
                np.clip(layer.weights, rounding.least, rounding.most, out=layer.weights)
        rest = (step / steps - RESTS_FROM) / (RESTS_TO - RESTS_FROM)
        if rest > 0 and step % RESTS_EACH == 0:
            resting = [_nearest(weights, rest) for weights in coarse]
        for weights, still in zip(coarse, resting, strict=True):
            np.copyto(weights, np.rint(weights), where=still)
        if step % 10 == 9:
            told((step + 1) / steps, mean)


def _coarse(net: StreamNet) -> list[np.ndarray]:
    """Return the weights of 4 bits of a net in integer steps; none of a net in floats."""
    most = WEIGHT_RANGE[4][1]
    return [
        layer.weights
        for layer, rounding in zip(net.layers, net.rounding, strict=False)
        if layer is not None and rounding is not None and rounding.most == most
    ]


def _nearest(weights: np.ndarray, share: float) -> np.ndarray:
    """Return which weights, so large a share, are next to a whole step."""
    apart = np.abs(weights - np.rint(weights))
    return np.asarray(apart <= np.quantile(apart, min(share, 1.0)))


def _settle_norms(net: StreamNet, batch: Batch, middle: float) -> None:
    """Let the norms' running figures reach what the last weights make."""
    for _ in range(20):
        Tape(net, _inputs(batch()[0], middle), training=True)


def shapes_for(classes: int, width: int, hop_s: float, bits: int = 4, clip_s: float = 1.0) -> list[LayerShape]:
    """Return a network about as deep as a clip is long: taps over the bands, depthwise and pointwise layers, a mean.

    Args:
        width: units of its layers, a multiple of 4; the last two are half as wide again.
        hop_s: from one row to the next; layers behind the first are computed at each second one below 40 ms.
        clip_s: how long most sounds are; the mean is over what taps leave of it.
    """
    stride = 2 if hop_s < 0.04 else 1
    each = hop_s * stride
    taps = max(round(0.1 / hop_s), 2)
    seen = max(round(0.24 / each), 3)
    mean = 1 << int(np.clip(round(np.log2(max(clip_s - 0.36, each) / each)), 0, MOST_STEPS))
    wide = (width * 3 // 2 + 3) // 4 * 4
    return [
        LayerShape("full", width, taps, stride, bits),
        LayerShape("depthwise", width, seen, relu=False),
        LayerShape("full", width, bits=bits),
        LayerShape("depthwise", width, seen, relu=False),
        LayerShape("full", wide, bits=bits),
        LayerShape("depthwise", wide, max(seen - 2, 3), relu=False),
        LayerShape("full", wide, bits=bits),
        LayerShape(MEAN, wide, mean),
        LayerShape("full", classes),
    ]
