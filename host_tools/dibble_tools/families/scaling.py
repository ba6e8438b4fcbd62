"""Scalers: a feature's value -> an 8-bit code, by offset, multiplier and shift, after a logarithm where it helps.

The board's `kernels.scale` computes the same; families are trained on the codes themselves, so
nothing is lost between host and node.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dibble_tools.common import portable

VALUE_BITS = 15  # of a value that enters the product: with a multiplier of 7 bits it stays a small int
LOG_STEPS = 256  # of a doubling
MULTIPLIER_BITS = 7  # one byte in the file; a scale within 1 % of the wanted is as good
TAIL = 0.002  # of the rows on either side may saturate
CODE_MAX = 255
WHOLE_LOSS = 1.15  # the whole range is good enough where its codes are at most so much less even
LOG_GAIN = 1.2  # a logarithm is taken where it makes a distribution this much more even


@dataclass(frozen=True)
class Scaler:
    """code = clamp((u - zero_point) * multiplier >> shift, 0, top).

    Attributes:
        log: u is the value's logarithm (`log2_steps` of value + bias), not the value >> drop.
        bias: >= 1 where log, else 0.
        zero_point: 0..32767.
        multiplier: 1..127.
        shift: 0..29.
        top: largest code, 1..255.
    """

    log: bool
    bias: int
    zero_point: int
    multiplier: int
    shift: int
    top: int


def drop_of(limit: int) -> int:
    """Return by how many bits a value up to `limit` is shifted before it is scaled."""
    return max(0, int(limit).bit_length() - VALUE_BITS)


def log2_steps(values: np.ndarray) -> np.ndarray:
    """Return log2 of values >= 1 in 1/256, straight between powers of two: exact integers."""
    values = np.asarray(values, dtype=np.int64)
    exponent = np.zeros_like(values)
    for step in (16, 8, 4, 2, 1):
        more = values >> exponent >= 1 << step
        exponent = np.where(more, exponent + step, exponent)
    fraction = np.where(exponent >= 8, values >> np.maximum(exponent - 8, 0), values << np.maximum(8 - exponent, 0))
    return (exponent << 8) + fraction - LOG_STEPS


def apply(scaler: Scaler, column: np.ndarray, limit: int) -> np.ndarray:
    """Return the codes (int64, 0..top) of a column of feature values."""
    column = np.asarray(column, dtype=np.int64)
    u = log2_steps(column + scaler.bias) if scaler.log else column >> drop_of(limit)
    return np.clip((u - scaler.zero_point) * scaler.multiplier >> scaler.shift, 0, scaler.top)


def fit_scaler(column: np.ndarray, limit: int, top: int, low: int = 0, *, cheap: bool = False) -> Scaler:
    """Choose the scaler that spreads a column of training values over 0..top.

    Args:
        column: values 0..limit.
        low: what a value of 0 stands for: a quantity that is > 0 keeps its ratios under the logarithm.
        cheap: prefer one that spreads the whole range, where that is about as even: a node needn't clamp it.
    """
    best, most = None, -1.0
    biases = {max(low, 1), max(int(np.median(column)) // 4, 1)} if limit >= LOG_STEPS else set()
    for bias in (0, *sorted(biases)):
        if bias + limit >= 1 << 30:
            continue
        scaler = _spread(column, limit, top, bias)
        entropy = _evenness(scaler, column, limit)
        if entropy > most * (LOG_GAIN if bias else 1):
            best, most = scaler, entropy
    assert best is not None
    if cheap and not drop_of(limit):
        whole = _over(0, max(limit, 1), top, 0)
        if _evenness(whole, column, limit) * WHOLE_LOSS > most:
            return whole
    return best


def fit_linear_scalers(column: np.ndarray, limit: int, parts: int, whole: bool, top: int = CODE_MAX) -> list[Scaler]:
    """Return scalers without logarithm, each to 0..top over an equal part of a column's range: their codes add up.

    Args:
        column: values 0..limit.
        parts: of the range, at most: fewer where one scaler tells all values apart already.
        whole: from the least to the largest value; else what is usual, so that strays saturate.
    """
    u = np.asarray(column, dtype=np.int64) >> drop_of(limit)
    low, high = (int(q) for q in np.quantile(u, [0, 1] if whole else [TAIL, 1 - TAIL], method="nearest"))
    span = max(high - low, 1)
    parts = max(1, min(parts, span // top))
    edges = [low + span * i // parts for i in range(parts + 1)]
    return [_over(a, b - a, top, 0) for a, b in pairwise(edges)]


def _spread(column: np.ndarray, limit: int, top: int, bias: int) -> Scaler:
    u = log2_steps(column + bias) if bias else np.asarray(column, dtype=np.int64) >> drop_of(limit)
    least, most = (int(q) for q in np.quantile(u, [TAIL, 1 - TAIL], method="nearest"))
    return _over(least, max(most - least, 1), top, bias)


def _over(zero_point: int, span: int, top: int, bias: int) -> Scaler:
    """Return the scaler that takes zero_point to 0 and zero_point + span to top, or a little below."""
    multiplier = shift = 0
    for shift in range(29, -1, -1):  # the finest that fits, so that the multiplier has most bits
        multiplier = ((top + 1) << shift) // (span + 1)  # all codes equally wide
        if multiplier < 1 << MULTIPLIER_BITS:
            break
    return Scaler(bias > 0, bias, zero_point, max(multiplier, 1), shift, top)


def _evenness(scaler: Scaler, column: np.ndarray, limit: int) -> float:
    """Return how many of 16 classes of codes a column fills, counted as exp of the entropy."""
    counts = np.bincount(apply(scaler, column, limit) * 15 // scaler.top, minlength=16) / len(column)
    counts = counts[counts > 0]
    return float(portable.exp(-(counts * portable.log(counts)).sum()))
