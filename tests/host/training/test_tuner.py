"""The tuner: it finds what fits, keeps the limits, and ends in time or when interrupted."""

import dataclasses

import numpy as np
import pytest
from dibble_tools.data.channels import Channel
from dibble_tools.model.limits import Limits
from dibble_tools.training import tuner
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.cross_validation import Task, doubt, judge, surprise
from dibble_tools.training.naming import About
from dibble_tools.training.recipes import parse_recipe
from dibble_tools.training.training_set import TrainingSet, mix
from dibble_tools.training.tuner import FINALISTS, finals, front, ranked, search


def task_of(rule, max_bytes: int | None = 600, rows: int = 600, features: int = 4) -> Task:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 1001, (rows, features))
    truth = rule(values).astype(int)
    names = [f"class {i}" for i in range(truth.max() + 1)]
    soft = np.eye(len(names))[truth]
    lesson = TrainingSet(values, [1000] * features, [0] * features, mix(soft, truth, 0.5), truth, np.ones(rows))
    channels = [Channel(f"x{i}", "", 1, 0, 0, 1000) for i in range(features)]
    about = About("t", channels, [], names, 0, values, None)
    parts = [(np.flatnonzero(np.arange(rows) % 3 != k), np.flatnonzero(np.arange(rows) % 3 == k)) for k in range(3)]
    costs = parse_costs([], names)
    order = list(range(features))
    sizes = about.names_bytes(order)
    return Task(lesson, parts, order, costs, Limits(max_bytes=max_bytes), 0, about.smallest_blob, sizes)


def linear(values: np.ndarray) -> np.ndarray:
    return values[:, 0] + values[:, 1] > 1000


@pytest.mark.parametrize("recipe", ["mlp:0@2", "mlp:8@3/half", "mlp:8@3/codebook", "additive:8+0@2", "boosted:8x4@2"])
def test_every_kind_learns_a_line(recipe: str) -> None:
    tried = judge(task_of(linear), parse_recipe(recipe))
    assert tried is not None
    assert tried.accuracy > 0.9
    assert tried.cost == pytest.approx(1 - tried.accuracy)
    assert len(tried.margins) == len(tried.right) == 600
    assert tried.fits == (tried.bytes <= 600)


def test_a_voting_forest_counts_votes() -> None:
    tried = judge(task_of(linear), parse_recipe("voting:5x8@2"))
    assert tried is not None
    assert np.array_equal(tried.margins, np.rint(tried.margins))


def test_search_keeps_the_limit_and_finds_the_rule() -> None:
    done = search(task_of(linear, max_bytes=140), ["mlp", "additive"], budget_s=8, jobs=1)
    assert done[0].fits
    assert done[0].bytes <= 140
    assert done[0].accuracy > 0.96
    assert len({t.recipe for t in done}) == len(done) > 3


def test_nothing_on_the_front_is_beaten_by_a_smaller_one() -> None:
    done = search(task_of(linear), ["mlp"], budget_s=3, jobs=1)
    best = front(done)
    assert [t.bytes for t in best] == sorted(t.bytes for t in best)
    assert [t.loss for t in best] == sorted((t.loss for t in best), reverse=True)
    for t in done:
        assert any(b.bytes <= t.bytes and b.loss <= t.loss for b in best)


def test_an_interrupt_keeps_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    task, calls = task_of(linear, rows=150), []

    def tell(done, known, share, best) -> None:
        calls.append(done)
        raise KeyboardInterrupt

    assert len(search(task, ["mlp"], budget_s=60, jobs=1, progress=tell)) == calls[0]


def test_an_interrupt_before_anything_was_found_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(task, recipe, bar) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tuner, "judge", stop)
    with pytest.raises(KeyboardInterrupt):
        search(task_of(linear, rows=60), ["mlp"], budget_s=60, jobs=1)


def test_those_within_the_limits_come_first() -> None:
    task = task_of(linear, max_bytes=120)
    tried = [judge(task, parse_recipe(text)) for text in ("mlp:8@4", "mlp:0@1")]
    assert [t.fits for t in ranked(tried)] == [True, False]
    assert ranked(tried)[0].accuracy < ranked(tried)[1].accuracy


def test_surprise_is_the_mean_nats_of_the_true_class() -> None:
    scores = np.log(np.array([[0.5, 0.5], [0.25, 0.75], [0.75, 0.25], [0.25, 0.75]]))
    truth = np.array([0, 1, 0, 0])
    own = -np.log([0.5, 0.75, 0.75, 0.25]).mean()
    assert surprise(scores, truth) <= own + 1e-12
    assert surprise(scores * 8, truth) == pytest.approx(surprise(scores, truth))


def test_finals_rank_the_best_by_the_mean_over_all_folds() -> None:
    task = task_of(linear, rows=300)
    tried = ranked([judge(task, parse_recipe(text)) for text in ("mlp:0@2", "mlp:4@3", "additive:8+0@2")])
    rng = np.random.default_rng(3)
    halves = rng.permutation(300).reshape(2, 150)
    other = [(halves[0], halves[1]), (halves[1], halves[0])]
    again = finals(task, tried, [other], jobs=1)
    assert {t.recipe for t in again} == {t.recipe for t in tried}
    assert [t.loss for t in again] == sorted(t.loss for t in again)
    for t in again:
        alone = judge(task, t.recipe), judge(dataclasses.replace(task, folds=other), t.recipe)
        assert t.accuracy == pytest.approx((alone[0].accuracy + alone[1].accuracy) / 2)
        assert len(t.margins) == len(t.right) == 600


def test_finals_leave_out_what_breaks_a_limit() -> None:
    task = task_of(linear, max_bytes=120, rows=150)
    tried = ranked([judge(task, parse_recipe(text)) for text in ("mlp:8@4", "mlp:0@1", "mlp:0@2")])
    again = finals(task, tried, [task.folds], jobs=1)
    assert len(again) == 3 <= FINALISTS
    assert str(again[-1].recipe) == "mlp:8@4"


def test_doubt_grows_with_every_halving_of_the_features() -> None:
    steps = [doubt(parse_recipe(f"mlp:8@{n}"), 8) for n in (8, 4, 2, 1)]
    assert steps[0] == 0
    assert np.allclose(np.diff(steps), steps[1])
    assert doubt(parse_recipe("mlp:8@8/quarter"), 8) > doubt(parse_recipe("mlp:8@8/half"), 8) > 0


def test_a_search_without_time_left_still_finds_something_that_fits() -> None:
    done = search(task_of(linear, rows=120), ["mlp"], budget_s=0.0, jobs=1)
    assert done[0].fits
