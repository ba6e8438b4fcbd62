"""L-BFGS comes where scipy's does, within bounds and without."""

import numpy as np
import pytest
from dibble_tools.families.lbfgs import minimize
from scipy.optimize import minimize as scipys


def logistic(seed: int):
    """Return an objective: regularized logistic regression of 200 rows, columns of very different sizes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(200, 8)) * 10.0 ** rng.integers(-1, 2, 8)
    sign = np.where(rng.random(200) < 1 / (1 + np.exp(-x[:, 0])), 1, -1)

    def objective(w: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (x @ w)
        loss = np.logaddexp(0, -margin).sum() + 0.05 * (w @ w)
        return float(loss), -((sign / (1 + np.exp(margin))) @ x) + 0.1 * w

    return objective


@pytest.mark.parametrize("seed", range(4))
def test_the_least_value_is_scipys(seed: int) -> None:
    objective, start = logistic(seed), np.zeros(8)
    found = minimize(objective, start, steps=500, tolerance=1e-12)
    assert objective(found)[0] == pytest.approx(scipys(objective, start, jac=True, method="L-BFGS-B").fun, rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_bounds_hold_and_the_least_value_within_them_is_scipys(seed: int) -> None:
    objective, start = logistic(seed), np.full(8, 0.05)
    low, high = np.array([0.0, -0.1] * 4), np.array([0.1, 0.3] * 4)
    high[6] = low[6] = 0.0  # one that can't move
    found = minimize(objective, start, steps=500, tolerance=1e-12, lowest=low, highest=high)
    assert ((found >= low) & (found <= high)).all()
    bounds = np.column_stack([low, high])
    expected = scipys(objective, np.clip(start, low, high), jac=True, method="L-BFGS-B", bounds=bounds).fun
    assert objective(found)[0] == pytest.approx(expected, rel=1e-5)


def test_a_start_that_is_the_least_stays() -> None:
    assert minimize(lambda p: (float(p @ p), 2 * p), np.zeros(3), steps=10, tolerance=1e-9).tolist() == [0, 0, 0]
