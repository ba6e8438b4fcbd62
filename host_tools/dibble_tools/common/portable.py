"""Arithmetic that comes out the same to the last bit on every computer, so that training does.

What differs between computers is the order in which BLAS sums, whether it fuses a product with a
sum, and the last bit of exp and log in libm and its vector versions. Elementwise +, -, *, / and sqrt
of numpy are those of IEEE 754, each rounded by itself, and np.sum goes in an order that depends on
shapes alone. All of this module is made of these, or exact. `PORTABLE.md` beside `training/` has the
argument in full.
"""

import math
from dataclasses import dataclass

import numpy as np

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 0.6931471805598903, 5.497923018708371e-14  # their sum is ln 2; the first has 44 bits
EXP_MAX = 700.0  # nats: what is beyond is as good as 0 or without end
EXP_TERMS = [1 / math.factorial(i) for i in range(13)]
LOG_TERMS = [1 / i for i in range(1, 23, 2)]
QUICK_TERMS = 8
MANTISSA = 53  # bits of a float64


def exp(x: np.ndarray, terms: int = len(EXP_TERMS)) -> np.ndarray:
    """Return e**x, float64, within 2 units of the last place; x is clipped to +-700.

    Args:
        terms: of the series; `QUICK_TERMS` leave a relative error below 1e-8.
    """
    x = np.clip(x, -EXP_MAX, EXP_MAX)
    twos = np.rint(x * LOG2_E)
    rest = x
    rest -= twos * LN2_HIGH
    rest -= twos * LN2_LOW
    power = np.full_like(rest, EXP_TERMS[terms - 1])
    for term in EXP_TERMS[terms - 2 :: -1]:
        power *= rest
        power += term
    power *= ((twos.astype(np.int64) + 1023) << 52).view(np.float64)  # exact: a power of two
    return power


def log(x: np.ndarray) -> np.ndarray:
    """Return the natural logarithm of x > 0, float64, within 2 units of the last place."""
    part, twos = np.frexp(np.asarray(x, dtype=np.float64))
    low = part < math.sqrt(0.5)
    part, twos = np.where(low, 2 * part, part), twos - low
    ratio = (part - 1) / (part + 1)
    square = ratio * ratio
    series = np.full_like(ratio, LOG_TERMS[-1])
    for term in LOG_TERMS[-2::-1]:
        series *= square
        series += term
    return twos * LN2_HIGH + (twos * LN2_LOW + 2 * ratio * series)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return probabilities of scores in nats, over the last axis."""
    powers = exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """Return the logarithms of `softmax`."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return shifted - log(exp(shifted).sum(axis=-1, keepdims=True))


def dot(a: np.ndarray, b: np.ndarray) -> float:
    """Return the sum of products of two vectors."""
    return float((a * b).sum())


@dataclass(frozen=True)
class Rounded:
    """A matrix whose entries are multiples of one power of two, at most 2**bits times that."""

    numbers: np.ndarray
    bits: int

    @property
    def T(self) -> "Rounded":
        """The same transposed."""
        return Rounded(self.numbers.T, self.bits)


def rounded(a: np.ndarray, bits: int) -> np.ndarray:
    """Return the array rounded to `bits` bits of its largest entry, halves to even.

    A number so large that its own last place is the wanted step takes what is below with it when it goes.
    """
    largest = max(float(np.maximum.reduce(a, axis=None, initial=0)), -float(np.minimum.reduce(a, axis=None, initial=0)))
    return rounded_below(a, math.frexp(largest)[1], bits)


def rounded_below(a: np.ndarray, exponent: int, bits: int) -> np.ndarray:
    """Return the array, whose entries are at most 2**exponent, rounded to `bits` bits of that."""
    large = math.ldexp(1.5, exponent - bits + MANTISSA - 1)
    result = np.add(a, large, dtype=np.float64)
    result -= large
    return result


def matmul(a: np.ndarray | Rounded, b: np.ndarray) -> np.ndarray:
    """Return a @ b of matrices, both rounded to some 20 to 25 bits of their largest entry.

    They are integers times a power of two, so small that every sum of their products is an integer below
    2**53: exact in float64, so that neither the order of the sums nor a fused multiply-add changes a bit.

    Args:
        a: with many rows or columns that stay the same, rounded once before, to `shared_bits`.
    """
    room = MANTISSA - len(b).bit_length()
    first = a if isinstance(a, Rounded) else Rounded(rounded(a, room // 2), room // 2)
    return first.numbers @ rounded(b, room - first.bits)


def shared_bits(rows: int) -> int:
    """Return how many bits matrices may have that are multiplied by each other along at most so many rows."""
    return (MANTISSA - rows.bit_length()) // 2


def apply(matrices: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return matrices @ columns, (..., n, m) @ (..., m, k), in full precision: for small ones."""
    return (matrices[..., :, :, None] * columns[..., None, :, :]).sum(axis=-2)


def solve(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return x of a @ x = b for small positive definite matrices: (..., n, n), (..., n, k)."""
    a, b = a.copy(), b.copy()
    n = a.shape[-1]
    for i in range(n):
        for j in range(n):
            if j != i:
                factor = (a[..., j, i] / a[..., i, i])[..., None]
                a[..., j, i:] -= factor * a[..., i, i:]
                b[..., j, :] -= factor * b[..., i, :]
    return b / np.diagonal(a, axis1=-2, axis2=-1)[..., None]


def inverse_root(a: np.ndarray) -> np.ndarray:
    """Return upper triangular matrices u with u @ u.T = inverse(a), of positive definite ones (..., n, n)."""
    a = a.copy()
    n = a.shape[-1]
    inverse = np.zeros_like(a)
    inverse[..., np.arange(n), np.arange(n)] = 1
    for j in range(n):  # Cholesky by columns, each used at once to eliminate
        column = a[..., j:, j] / np.sqrt(a[..., j, j])[..., None]
        a[..., j:, j:] -= column[..., :, None] * column[..., None, :]
        inverse[..., j, :] /= column[..., :1]
        inverse[..., j + 1 :, :] -= column[..., 1:, None] * inverse[..., j, None, :]
    return np.swapaxes(inverse, -1, -2)
