"""Portable arithmetic: as good as libm's, and exact where a sum's order could show."""

import math
from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np
import pytest
from dibble_tools.common import portable

getcontext().prec = 40


def units_off(found: np.ndarray, exact: list[Decimal]) -> float:
    """Return the largest error in units of the last place of the exact value."""
    return max(
        abs(float((Decimal(float(f)) - e) / Decimal(float(np.spacing(float(abs(e)))))))
        for f, e in zip(found, exact, strict=True)
    )


def test_exp_is_within_two_units_of_the_last_place() -> None:
    x = np.concatenate([np.random.default_rng(0).uniform(-40, 40, 500), [0.0, 1.0, -1.0, 650.0, -650.0, 1e-9]])
    assert units_off(portable.exp(x), [Decimal(float(v)).exp() for v in x]) <= 2


def test_log_is_within_two_units_of_the_last_place() -> None:
    x = np.concatenate([np.exp(np.random.default_rng(1).uniform(-60, 60, 500)), [0.5, 2.0, 0.7, 1.5, 1e-300]])
    assert units_off(portable.log(x), [Decimal(float(v)).ln() for v in x]) <= 2
    assert portable.log(np.array([1.0])) == 0


def test_what_is_beyond_is_as_good_as_nothing_or_without_end() -> None:
    low, high = portable.exp(np.array([-1e9, 1e9]))
    assert 0 < low < 1e-300
    assert 1e300 < high < np.inf


def test_softmax_sums_to_one_whatever_the_scores() -> None:
    scores = np.array([[0.0, 0.0], [1000.0, -1000.0], [-5.0, 3.0]])
    assert portable.softmax(scores).sum(axis=1) == pytest.approx(np.ones(3))
    assert portable.log_softmax(scores)[0].tolist() == pytest.approx([-np.log(2)] * 2)


def steps_of(a: np.ndarray, bits: int) -> tuple[np.ndarray, Fraction]:
    """Return Python's ints and the power of two that, multiplied, are the array rounded, halves to even."""
    largest = max(abs(Fraction(float(v))) for v in a.flat)
    step = Fraction(2) ** (math.frexp(float(largest))[1] - bits)
    return np.vectorize(lambda v: round(Fraction(float(v)) / step), otypes=[object])(a), step


@pytest.mark.parametrize("bits", [8, 21, 25])
def test_rounded_entries_are_those_of_fractions(bits: int) -> None:
    rng = np.random.default_rng(bits)
    for scale in (1e-30, 1.0, 3e20):
        a = np.concatenate([rng.normal(size=60) * scale, np.arange(-8, 9) * scale * 2.0**-bits, [0.0, scale]])
        numbers, step = steps_of(a, bits)
        assert [Fraction(float(v)) for v in portable.rounded(a, bits)] == [n * step for n in numbers]
    assert portable.rounded(np.zeros(3), bits).tolist() == [0, 0, 0]
    assert portable.rounded(np.array([0.3], np.float32), bits).dtype == np.float64


def test_few_terms_leave_a_small_error() -> None:
    x = np.linspace(-30, 30, 2001)
    assert np.abs(portable.exp(x, portable.QUICK_TERMS) / portable.exp(x) - 1).max() < 1e-8


@pytest.mark.parametrize("inner", [1, 7, 300, 5000])
def test_products_of_matrices_are_exact_sums_of_rounded_factors(inner: int) -> None:
    """In any order: the columns shuffled, the same bits; and the bits are those of exact fractions."""
    rng = np.random.default_rng(inner)
    a, b = rng.normal(size=(3, inner)) * 1e3, rng.normal(size=(inner, 2)) * 1e-4
    found = portable.matmul(a, b)
    order = rng.permutation(inner)
    assert np.array_equal(found, portable.matmul(a[:, order], b[order]))
    assert np.allclose(found, a @ b, rtol=0, atol=1e-4 * np.abs(a @ b).max())
    bits = (53 - inner.bit_length()) // 2
    first, step = steps_of(a, bits)
    second, other = steps_of(b, 53 - inner.bit_length() - bits)
    for i, j in np.ndindex(3, 2):
        exact = sum(x * y for x, y in zip(first[i], second[:, j], strict=True))
        assert Fraction(found[i, j]) == exact * step * other
        assert abs(exact) < 2**53


def test_a_matrix_rounded_before_gives_the_same_product_transposed() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(40, 5)), rng.normal(size=(40, 3))
    bits = portable.shared_bits(40)
    before = portable.Rounded(portable.rounded(x, bits), bits)
    assert np.allclose(portable.matmul(before.T, y), x.T @ y, atol=1e-5)
    assert np.allclose(portable.matmul(before, y[:5]), x @ y[:5], atol=1e-5)


def test_nothing_is_nothing() -> None:
    assert np.array_equal(portable.matmul(np.zeros((2, 3)), np.ones((3, 2))), np.zeros((2, 2)))


def test_solve_and_inverse_root_undo_a_positive_definite_matrix() -> None:
    half = np.random.default_rng(3).normal(size=(4, 6, 6))
    a = half @ np.swapaxes(half, 1, 2) + np.eye(6)
    b = np.random.default_rng(4).normal(size=(4, 6, 2))
    assert np.allclose(a @ portable.solve(a, b), b)
    root = portable.inverse_root(a)
    assert np.allclose(root @ np.swapaxes(root, 1, 2) @ a, np.eye(6))
    assert (np.tril(root, -1) == 0).all()
    assert np.allclose(portable.apply(a, b), a @ b)
