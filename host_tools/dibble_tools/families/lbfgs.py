"""The minimum of a smooth convex function, between bounds: L-BFGS with projection, the same on every computer.

scipy's L-BFGS-B sums by BLAS, in an order that depends on the processor.
"""

from collections.abc import Callable

import numpy as np

from dibble_tools.common.portable import dot

MEMORY = 20
ARMIJO = 1e-4
HALVINGS = 25
FLAT = 1e-4  # a gradient whose entries are all smaller is none

Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]


def minimize(
    objective: Objective,
    start: np.ndarray,
    *,
    steps: int,
    tolerance: float,
    lowest: np.ndarray | None = None,
    highest: np.ndarray | None = None,
) -> np.ndarray:
    """Return the point of the least value that is found.

    Args:
        objective: point -> (value, gradient).
        start: a point between the bounds.
        steps: at most.
        tolerance: ends when a step lessens the value by so small a share of it.
        lowest, highest: bounds of each variable; none if left out.
    Source: Nocedal, Updating Quasi-Newton Matrices with Limited Storage, 1980; Bertsekas, Projected Newton
        Methods for Optimization Problems with Simple Constraints, 1982.
    """
    low = np.full(len(start), -np.inf) if lowest is None else lowest
    high = np.full(len(start), np.inf) if highest is None else highest
    point = np.clip(start, low, high)
    value, gradient = objective(point)
    moves: list[tuple[np.ndarray, np.ndarray, float]] = []  # (step, change of the gradient, their product)
    for _ in range(steps):
        free = ~((point <= low) & (gradient > 0) | (point >= high) & (gradient < 0))
        slope = gradient * free
        if np.abs(slope).max(initial=0) <= FLAT:
            break
        direction = _direction(slope, moves) * free
        if not moves or dot(direction, slope) >= 0:
            moves = []
            direction = -slope / max(float(np.sqrt(dot(slope, slope))), 1.0)
        length = 1.0
        for _ in range(HALVINGS):
            there = np.clip(point + length * direction, low, high)
            new_value, new_gradient = objective(there)
            if new_value <= value + ARMIJO * dot(gradient, there - point):
                break
            length /= 2
        else:
            break  # as low as rounding lets it
        step, change = there - point, new_gradient - gradient
        product = dot(step, change)
        if product > 1e-12 * dot(change, change):
            moves = [*moves[-MEMORY + 1 :], (step, change, product)]
        gained = value - new_value
        point, value, gradient = there, new_value, new_gradient
        if gained <= tolerance * max(abs(value), 1.0):
            break
    return point


def _direction(slope: np.ndarray, moves: list[tuple[np.ndarray, np.ndarray, float]]) -> np.ndarray:
    """Return minus the slope times the inverse curvature that the last moves tell of."""
    direction = -slope
    shares = []
    for step, change, product in reversed(moves):
        share = dot(step, direction) / product
        direction = direction - share * change
        shares.append(share)
    if moves:
        _, change, product = moves[-1]
        direction = direction * (product / dot(change, change))
    for (step, change, product), share in zip(moves, reversed(shares), strict=True):
        direction = direction + (share - dot(change, direction) / product) * step
    return direction
