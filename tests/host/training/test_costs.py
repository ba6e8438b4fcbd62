"""Costs: what the option may say, and the weights and mean costs that follow by hand."""

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.training.costs import Costs, parse_costs

FARM = ["ok", "frost", "wet"]


@pytest.mark.parametrize(
    ("texts", "classes", "pair", "cost"),
    [
        (["frost:ok=5"], FARM, (1, 0), 5),
        ([" frost : ok = 2.5e1 "], FARM, (1, 0), 25),
        (["wet:ok=0"], FARM, (2, 0), 0),
        (["wet:ok=1000000"], FARM, (2, 0), 1e6),
        (["day:1:night=3"], ["day:1", "night"], (0, 1), 3),
        (["night:day:1=3"], ["day:1", "night"], (1, 0), 3),
        (["t=1:t=2=3"], ["t=1", "t=2"], (0, 1), 3),
        (["a:a:b=2"], ["a", "a:b"], (0, 1), 2),
    ],
)
def test_one_cost_is_read_and_the_others_stay(texts, classes, pair, cost):
    expected = 1.0 - np.eye(len(classes))
    expected[pair] = cost
    assert parse_costs(texts, classes).matrix.tolist() == expected.tolist()


def test_each_direction_has_its_own_cost():
    found = parse_costs(["frost:ok=5", "ok:frost=2"], FARM)
    assert found.matrix.tolist() == [[0, 2, 1], [5, 0, 1], [1, 1, 0]]


@pytest.mark.parametrize(
    ("texts", "classes", "message"),
    [
        (["frost"], FARM, "--cost: expected TRUTH:DECIDED=COST such as frost:ok=5, got 'frost'."),
        (["frost=5"], FARM, "--cost: expected TRUTH:DECIDED=COST such as frost:ok=5, got 'frost=5'."),
        (["frost:ok"], FARM, "--cost: expected TRUTH:DECIDED=COST such as frost:ok=5, got 'frost:ok'."),
        ([""], FARM, "--cost: expected TRUTH:DECIDED=COST such as frost:ok=5, got ''."),
        (
            ["frst:ok=5"],
            FARM,
            "--cost frst:ok=5: expected a class, got 'frst'; there are: ok, frost, wet. Did you mean 'frost'?",
        ),
        (["frost:dry=5"], FARM, "--cost frost:dry=5: expected a class, got 'dry'; there are: ok, frost, wet."),
        ([":ok=5"], FARM, "--cost :ok=5: expected a class, got ''; there are: ok, frost, wet."),
        (
            ["day:1:nigth=5"],
            ["day:1", "night"],
            "--cost day:1:nigth=5: expected a class, got 'nigth'; there are: day:1, night. Did you mean 'night'?",
        ),
        (["ok:ok=5"], FARM, "--cost ok:ok=5: expected two classes, got 'ok' twice: being right is free."),
        (["frost:ok="], FARM, "--cost frost:ok=: expected a cost from 0 to 1000000, got ''."),
        (["frost:ok=five"], FARM, "--cost frost:ok=five: expected a cost from 0 to 1000000, got 'five'."),
        (["frost:ok=-1"], FARM, "--cost frost:ok=-1: expected a cost from 0 to 1000000, got '-1'."),
        (["frost:ok=inf"], FARM, "--cost frost:ok=inf: expected a cost from 0 to 1000000, got 'inf'."),
        (["frost:ok=nan"], FARM, "--cost frost:ok=nan: expected a cost from 0 to 1000000, got 'nan'."),
        (
            ["frost:ok=5", "frost:ok=6"],
            FARM,
            "--cost frost:ok=6: expected one cost a pair, got 'frost:ok=5' too: keep one.",
        ),
        (
            ["a:b:c=2"],
            ["a", "b:c", "a:b", "c"],
            "--cost a:b:c=2: expected one meaning, got 'a' decided 'b:c' or 'a:b' decided 'c': rename a class.",
        ),
        (
            ["frost:ok=0", "frost:wet=0"],
            FARM,
            "--cost: expected a cost above 0 for some error on 'frost': else nothing learns it.",
        ),
    ],
)
def test_a_cost_that_makes_no_sense_says_why(texts, classes, message):
    with pytest.raises(InputError) as error:
        parse_costs(texts, classes)
    assert str(error.value) == message


def test_expected_cost_is_the_mean_over_rows():
    costs = parse_costs(["frost:ok=5", "ok:wet=0.5"], FARM)
    truth, decided = np.array([1, 0, 0, 2]), np.array([0, 2, 0, 1])
    assert costs.expected_cost(truth, decided) == (5 + 0.5 + 0 + 1) / 4
    assert np.isnan(costs.expected_cost(truth[:0], decided[:0]))


def test_plain_costs_weigh_all_rows_alike():
    y = np.array([0, 0, 0, 1])
    assert parse_costs([], ["ok", "frost"]).row_weights(y, 0).tolist() == [1, 1, 1, 1]


def test_weights_of_two_classes_are_their_costs():
    """Costs 5 and 1 on two rows each: 5/3 and 1/3, so that they have mean 1."""
    y = np.array([0, 1, 1, 0])
    found = parse_costs(["frost:ok=5"], ["ok", "frost"]).row_weights(y, 0)
    assert found == pytest.approx([1 / 3, 5 / 3, 5 / 3, 1 / 3])


def test_weights_of_three_classes_take_the_mean_cost_of_a_miss():
    """Missing frost costs (5 + 1) / 2 = 3, others 1: 3, 1, 1 over their mean."""
    found = parse_costs(["frost:ok=5"], FARM).row_weights(np.array([1, 0, 2]), 0)
    assert found == pytest.approx([9 / 5, 3 / 5, 3 / 5])


@pytest.mark.parametrize(("balance", "ratio"), [(0, 1), (0.5, 3), (1, 9)])
def test_balance_lifts_the_rare_class(balance, ratio):
    """One row of ten is frost: it weighs (0.9 / 0.1) ** balance times as much."""
    y = np.array([0] * 9 + [1])
    found = parse_costs([], ["ok", "frost"]).row_weights(y, balance)
    assert found[9] / found[0] == pytest.approx(ratio)
    assert found.mean() == pytest.approx(1)


def test_a_class_without_rows_does_no_harm():
    assert parse_costs([], FARM).row_weights(np.array([0, 2]), 1).tolist() == [1, 1]


def test_weighted_rows_move_the_threshold_as_the_cost_does():
    """Elkan: with costs 4 and 1 frost is the cheaper decision from a chance of 1/5 on; weighted, from 1/2 on."""
    costs = parse_costs(["frost:ok=4"], ["ok", "frost"])
    for frosts, cheaper in ((19, 0), (21, 1)):
        y = np.array([1] * frosts + [0] * (100 - frosts))
        weights = costs.row_weights(y, 0)
        heavier = int(weights[y == 1].sum() > weights[y == 0].sum())
        by_cost = int(np.argmin([costs.expected_cost(y, np.full(100, k)) for k in (0, 1)]))
        assert heavier == by_cost == cheaper


def test_costs_are_truth_by_decision():
    costs = Costs(np.array([[0.0, 2.0], [7.0, 0.0]]))
    assert costs.expected_cost(np.array([0]), np.array([1])) == 2
