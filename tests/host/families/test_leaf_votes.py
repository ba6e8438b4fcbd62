"""A voting forest's leaves, put right: against every class and amount, tried one by one."""

import numpy as np
import pytest
from dibble_tools.families.forest import leaf_votes
from dibble_tools.families.forest.integer_trees import leaf_id, scores, with_leaves
from dibble_tools.families.forest.voting import SURE, VotingRecipe, fit_voting


@pytest.mark.parametrize("seed", range(20))
def test_the_best_class_and_amount_are_those_of_trying_each(seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes, rows = int(rng.integers(2, 6)), int(rng.integers(1, 30))
    rest = rng.integers(0, 40, (rows, classes))  # small: ties are common
    shares = rng.dirichlet(np.ones(classes), rows) * 2
    wanted = shares.argmax(axis=1)
    choices = np.unique(np.append(rng.integers(1, 33, 4), 0))

    def cost(k: int, amount: int) -> float:
        sums = rest.copy()
        sums[:, k] += amount
        nats, wrong = sums / SURE, (sums.argmax(axis=1) != wanted).sum()
        centred = [a - a.mean(axis=1, keepdims=True) for a in (nats, shares)]
        return float(wrong + leaf_votes.CLOSE * ((centred[0] - centred[1]) ** 2).sum())

    now = (int(rng.integers(classes)), int(rng.choice(choices)))
    found = leaf_votes._best(rest, wanted, shares, choices, float(SURE), now)
    assert cost(*found) == pytest.approx(min(cost(k, int(a)) for k in range(classes) for a in choices))


def test_integers_come_to_decide_as_the_shares_do() -> None:
    """Six classes, few leaves: a leaf of its largest class, by its lead, decides one row in ten otherwise."""
    rng = np.random.default_rng(3)
    values = rng.integers(0, 1000, (1500, 6))
    truth = (values + rng.integers(0, 500, values.shape)).argmax(axis=1)
    made = fit_voting(values[:1000], np.eye(6)[truth[:1000]], np.ones(1000), VotingRecipe(5, 20, max_nodes=45))
    alike = scores(made.trees, values[1000:]).argmax(axis=1) == made.scores(values[1000:]).argmax(axis=1)
    assert alike.mean() > 0.96


def test_splits_that_decide_nothing_any_more_go_and_none_is_there_twice() -> None:
    a, b = -1 - int(leaf_id(np.array(0), np.array(5))), -1 - int(leaf_id(np.array(1), np.array(7)))
    nodes, roots = leaf_votes._merged([(0, 10, a, a), (1, 5, 0, b), (1, 5, a, b), (0, 3, 2, 1)], [3, 1, a])
    assert (nodes, roots) == ([(1, 5, a, b)], [0, 0, a])
    assert with_leaves(nodes, roots, [0, 0]).nodes == [(1, 5, -1, -2)]


def test_a_split_that_two_trees_come_to_keeps_its_leaves() -> None:
    """Whichever tree changed them, the other's rows would change with them."""
    one, two = (-1 - int(leaf_id(np.array(k), np.array(9))) for k in (0, 1))
    nodes = [(0, 10, one, two), (1, 5, 0, two)]
    values = np.array([[0, 0], [20, 0], [0, 9], [20, 9]])
    wrong = np.array([[0.0, 2.0], [2.0, 0.0], [2.0, 0.0], [2.0, 0.0]])  # the other way round
    made, roots = leaf_votes.refit_votes(nodes, [0, 1], values, wrong, 9.0)
    assert made[roots[0]] == nodes[0]
