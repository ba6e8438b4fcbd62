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
MANTISSA = 53  # bits of a float64


def exp(x: np.ndarray) -> np.ndarray:
    """Return e**x, float64, within 2 units of the last place; x is clipped to +-700."""
    x = np.clip(x, -EXP_MAX, EXP_MAX)
    twos = np.rint(x * LOG2_E)
    rest = x - twos * LN2_HIGH
    rest -= twos * LN2_LOW
    power = np.full_like(rest, EXP_TERMS[-1])
    for term in EXP_TERMS[-2::-1]:
        power *= rest
        power += term
    return power * ((twos.astype(np.int64) + 1023) << 52).view(np.float64)  # exact: a power of two


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
class Whole:
    """A matrix as integers of at most `bits` bits, held as float64, times a power of two."""

    numbers: np.ndarray
    step: float
    bits: int

    @property
    def T(self) -> "Whole":
        """The same transposed."""
        return Whole(self.numbers.T, self.step, self.bits)


def whole(a: np.ndarray, bits: int) -> Whole:
    """Return the matrix rounded to `bits` bits of its largest entry."""
    largest = max(float(a.max(initial=0)), -float(a.min(initial=0)))
    exponent = bits - math.frexp(largest)[1]
    return Whole(np.rint(a * math.ldexp(1.0, exponent)), math.ldexp(1.0, -exponent), bits)


def matmul(a: np.ndarray | Whole, b: np.ndarray) -> np.ndarray:
    """Return a @ b of matrices, both rounded to some 20 to 25 bits of their largest entry.

    They become integers so small that every sum of their products is an integer below 2**53: exact in
    float64, so that neither the order of the sums nor a fused multiply-add changes a bit.

    Args:
        a: with many rows or columns that stay the same, rounded once before, to `shared_bits`.
    """
    room = MANTISSA - len(b).bit_length()
    first = a if isinstance(a, Whole) else whole(a, room // 2)
    second = whole(b, room - first.bits)
    return (first.numbers @ second.numbers) * (first.step * second.step)


def shared_bits(rows: int) -> int:
    """Return how many bits a matrix may have that is multiplied by others along at most so many rows."""
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
