"""The tuner: it finds what fits, keeps the limits, and ends in time or when interrupted."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from dibble_tools.data.channels import Channel
from dibble_tools.data.prepare import DataOptions
from dibble_tools.families.forest.voting import SURE
from dibble_tools.model.limits import Limits
from dibble_tools.training import train as training
from dibble_tools.training import tuner
from dibble_tools.training.basis import correlated, misled
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.cross_validation import Candidate, Task, cross_validate, nats, penalty, spread_of
from dibble_tools.training.folds import Fold, Learner
from dibble_tools.training.naming import About
from dibble_tools.training.recipes import parse_recipe
from dibble_tools.training.result import Clock, TrainOptions
from dibble_tools.training.training_set import TrainingSet, mix
from dibble_tools.training.tuner import EQUAL, FINALISTS, equal_and_smallest, front, merged, ranked, rerank, search


def task_of(rule, max_bytes: int | None = 600, rows: int = 600, features: int = 4) -> Task:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 1001, (rows, features))
    truth = rule(values).astype(int)
    names = [f"class {i}" for i in range(truth.max() + 1)]
    soft = np.eye(len(names))[truth]
    whole = TrainingSet(values, [1000] * features, [0] * features, mix(soft, truth, 0.5), truth, np.ones(rows))
    channels = [Channel(f"x{i}", "", 1, 0, 0, 1000) for i in range(features)]
    about = About("t", channels, [], names, 0, values, None)
    order = list(range(features))
    folds = folds_of(whole, [np.flatnonzero(np.arange(rows) % 3 == k) for k in range(3)])
    sizes = about.names_bytes(order)
    costs, limits = parse_costs([], names), Limits(max_bytes=max_bytes)
    return Task(folds, len(names), features, costs, limits, 0, about.smallest_blob, sizes)


def folds_of(whole: TrainingSet, parts: list[np.ndarray]) -> list[Fold]:
    rows, order = np.arange(len(whole.y_true)), list(range(whole.values.shape[1]))
    return [
        Fold(whole.rows(np.setdiff1d(rows, part)), order, part, whole.values[part], whole.y_true[part], part)
        for part in parts
    ]


def linear(values: np.ndarray) -> np.ndarray:
    return values[:, 0] + values[:, 1] > 1000


@pytest.mark.parametrize("recipe", ["mlp:0@2", "mlp:8@3/half", "mlp:8@3/codebook", "additive:8+0@2", "boosted:8x4@2"])
def test_every_kind_learns_a_line(recipe: str) -> None:
    tried = cross_validate(task_of(linear), parse_recipe(recipe))
    assert tried is not None
    assert tried.accuracy > 0.9
    assert tried.cost == pytest.approx(1 - tried.accuracy)
    assert tried.accuracy == tried.predictions.correct.mean()
    assert len(tried.predictions.margins) == len(tried.losses) == 600
    assert tried.fits == (tried.bytes <= 600)


def test_a_voting_forest_counts_votes() -> None:
    tried = cross_validate(task_of(linear), parse_recipe("voting:5x8@2"))
    assert tried is not None
    votes = tried.predictions.margins  # of 5 trees, each of a surer or less sure leaf
    assert votes.max() <= 5
    assert np.array_equal(SURE * votes, np.rint(SURE * votes))


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
    for t in (t for t in done if t.complete):
        assert any(b.bytes <= t.bytes and b.loss <= t.loss for b in best)


def test_an_interrupt_keeps_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    task, calls = task_of(linear, rows=150), []

    def tell(done, known, share, best) -> None:
        calls.append(done)
        raise KeyboardInterrupt

    assert len(search(task, ["mlp"], budget_s=60, jobs=1, progress=tell)) == calls[0]


def test_an_interrupt_before_anything_was_found_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(task, recipe, incumbent, spread) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tuner, "cross_validate", stop)
    with pytest.raises(KeyboardInterrupt):
        search(task_of(linear, rows=60), ["mlp"], budget_s=60, jobs=1)


def test_those_within_the_limits_come_first() -> None:
    task = task_of(linear, max_bytes=120)
    tried = [cross_validate(task, parse_recipe(text)) for text in ("mlp:8@4", "mlp:0@1")]
    assert [t.fits for t in ranked(tried)] == [True, False]
    assert ranked(tried)[0].accuracy < ranked(tried)[1].accuracy


def test_cross_entropy_is_that_of_the_divisor_that_suits_best() -> None:
    scores = np.log(np.array([[0.5, 0.5], [0.25, 0.75], [0.75, 0.25], [0.25, 0.75]]))
    y_true = np.array([0, 1, 0, 0])
    own = -np.log([0.5, 0.75, 0.75, 0.25])
    assert nats(scores, y_true).mean() <= own.mean() + 1e-12
    assert nats(scores * 8, y_true) == pytest.approx(nats(scores, y_true))


def test_a_recipe_clearly_worse_than_the_incumbent_is_left_after_a_fold() -> None:
    task = task_of(linear, rows=300)
    good, poor = parse_recipe("mlp:0@4"), parse_recipe("mlp:0@1")
    incumbent = cross_validate(task, good)
    tried = cross_validate(task, poor, incumbent)
    assert not tried.complete
    assert len(tried.fold_losses) == 1
    assert cross_validate(task, poor).complete
    assert cross_validate(task, poor, incumbent, 100.0).complete  # groups may differ by more
    assert cross_validate(task, good, cross_validate(task, poor)).complete
    macro = dataclasses.replace(task, objective="macro-f1")  # one fold's classes aren't in the shares of all folds'
    assert cross_validate(macro, good, cross_validate(macro, good)).complete


def test_the_spread_is_that_of_leads_from_group_to_group() -> None:
    task = task_of(linear, rows=120)
    first = cross_validate(task, parse_recipe("mlp:0@2"))
    units = np.arange(len(first.losses)) * 4 // len(first.losses)
    of_groups = dataclasses.replace(first, predictions=dataclasses.replace(first.predictions, units=units))
    leads = np.array([0.0, 0.1, 0.3, 0.2])
    others = [dataclasses.replace(of_groups, losses=first.losses + k * leads[units]) for k in (1, 2, 3)]
    assert spread_of([of_groups, *others]) == pytest.approx(2 * leads.std(ddof=1))
    assert spread_of([of_groups, *others[:2]]) == np.inf


def test_macro_f1_weighs_each_class_alike() -> None:
    task = dataclasses.replace(task_of(lambda values: values[:, 0] > 900, rows=300), objective="macro-f1")
    tried = cross_validate(task, parse_recipe("additive:8+0@2"))
    y, correct, each = tried.predictions.y_true, tried.predictions.correct, tried.losses
    expected = np.mean([(~correct + 0.3 * tried.predictions.nats)[y == k].mean() for k in (0, 1)])
    assert each.mean() == pytest.approx(expected)


def test_the_best_are_ranked_by_all_folds_they_were_made_on() -> None:
    task = task_of(linear, rows=300)
    tried = ranked([cross_validate(task, parse_recipe(text)) for text in ("mlp:0@2", "mlp:4@3", "additive:8+0@2")])
    other = dataclasses.replace(task, seed=1, folds=task.folds[1:])
    again = rerank(tried, [other], jobs=1)
    assert {t.recipe for t in again} == {t.recipe for t in tried}
    for t in again:
        alone = cross_validate(task, t.recipe), cross_validate(other, t.recipe)
        rows = [len(a.losses) for a in alone]
        assert t.accuracy == pytest.approx(np.average([a.accuracy for a in alone], weights=rows))
        assert len(t.losses) == sum(rows) == 500


def test_once_time_is_up_those_without_a_second_look_fall_back() -> None:
    task = task_of(linear, rows=300)
    tried = ranked([cross_validate(task, parse_recipe(text)) for text in ("mlp:0@2", "mlp:4@3", "additive:8+0@2")])
    other, left = dataclasses.replace(task, seed=1), iter([9.0, 9.0, 0.0])
    again = rerank(tried, [other], jobs=1, left_s=lambda: next(left))
    assert {t.recipe for t in again[:2]} == {t.recipe for t in tried[:2]}
    assert [len(t.losses) // len(tried[0].losses) for t in again] == [2, 2, 1]
    asked: list[int] = []
    others = (asked.append(1) or task for _ in range(3))
    untouched = rerank(tried, others, jobs=1, left_s=lambda: 0.0)
    assert len(asked) == 1
    assert {len(t.losses) for t in untouched} == {len(tried[0].losses)}


def test_of_equal_candidates_the_smallest_comes_first() -> None:
    """Equal: worse by less than the error of the difference, and by no more than EQUAL."""
    task = task_of(linear, rows=300)
    first = cross_validate(task, parse_recipe("mlp:4@3"))
    rows = len(first.losses)
    noisy = first.losses + np.random.default_rng(0).normal(0.002, 0.2, rows)
    chance = dataclasses.replace(first, losses=noisy, bytes=first.bytes - 1)
    worse = dataclasses.replace(first, losses=first.losses + 0.002, bytes=first.bytes - 2)  # on every row
    far = dataclasses.replace(first, losses=first.losses + EQUAL * 1.01, bytes=first.bytes - 3)
    assert equal_and_smallest([first, chance, worse, far]) == 1
    assert equal_and_smallest([first, worse]) == 0


def test_candidates_that_break_a_limit_in_another_round_do_not_fit() -> None:
    task = task_of(linear, rows=150)
    first = cross_validate(task, parse_recipe("mlp:0@2"))
    assert merged([first, first], task).fits
    assert not merged([first, None], task).fits


def test_rerank_leaves_out_what_breaks_a_limit() -> None:
    task = task_of(linear, max_bytes=120, rows=150)
    tried = ranked([cross_validate(task, parse_recipe(text)) for text in ("mlp:8@4", "mlp:0@1", "mlp:0@2")])
    again = rerank(tried, [task], jobs=1)
    assert len(again) == 3 <= FINALISTS
    assert str(again[-1].recipe) == "mlp:8@4"


def test_the_penalty_grows_with_every_halving_of_the_features() -> None:
    steps = [penalty(parse_recipe(f"mlp:8@{n}"), 8) for n in (8, 4, 2, 1)]
    assert steps[0] == 0
    assert np.allclose(np.diff(steps), steps[1])
    assert penalty(parse_recipe("mlp:8@8/quarter"), 8) > penalty(parse_recipe("mlp:8@8/half"), 8) > 0


def test_a_search_without_time_left_still_finds_something_that_fits() -> None:
    done = search(task_of(linear, rows=120), ["mlp"], budget_s=0.0, jobs=1)
    assert done[0].fits


@pytest.mark.parametrize(("wrong", "taken"), [(0.0, True), (0.05, True), (0.45, False)])
def test_a_teacher_that_misleads_is_left_out(wrong: float, taken: bool) -> None:
    """It says the wrong class, and is sure, of a share of the rows that a line tells apart."""
    task = task_of(linear)
    folds = []
    for fold in task.folds:
        s = fold.training_set
        misses = (s.values[:, 0] > 1000 * (1 - wrong)) & (s.values[:, 1] > 1000 * (1 - 2 * wrong))
        soft = np.eye(2)[np.where(misses, 1 - s.y_true, s.y_true)]
        folds.append(dataclasses.replace(fold, training_set=dataclasses.replace(s, targets=mix(soft, s.y_true, 0.8))))
    said = misled(dataclasses.replace(task, folds=folds))  # by more than three points of accuracy at 0.45
    assert (said is None) == taken
    assert taken or said.startswith("students learn from labels alone")


@pytest.mark.parametrize("together", [True, False])
def test_networks_learn_from_uncorrelated_inputs_where_that_helps(together: bool) -> None:
    """Where inputs move together, and what tells the classes apart is in small differences."""
    task = task_of(lambda v: (v[:, 0] > 500) ^ (v[:, 1] > 500), rows=360)
    common = np.random.default_rng(1).integers(0, 1001, (360, 1)) if together else 0
    weight = 0.06 if together else 1

    def moved(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return (values * weight + (common[rows] * (1 - weight) if together else 0)).astype(np.int64)

    folds = []
    for fold in task.folds:
        rest = np.setdiff1d(np.arange(360), fold.rows)
        learned = dataclasses.replace(fold.training_set, values=moved(fold.training_set.values, rest))
        folds.append(dataclasses.replace(fold, training_set=learned, values=moved(fold.values, fold.rows)))
    said = correlated(dataclasses.replace(task, folds=folds))
    assert (said is not None) == together


def test_a_search_gets_its_part_however_long_the_teacher_took(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the first recipes win, whatever they are."""
    asked: list[float] = []

    def remembered(task: Task, kinds: list[str], *, budget_s: float, **_: object) -> list[Candidate]:
        asked.append(budget_s)
        return []

    monkeypatch.setattr(training, "search", remembered)
    monkeypatch.setattr(training, "rerank", lambda candidates, others, **_: candidates)
    options = TrainOptions(DataOptions(label="label"), budget_s=100.0)
    learner = Learner(None, np.zeros(1), 2, parse_costs([], ["a", "b"]), 0.0, 0, 1)  # type: ignore[arg-type]
    basis = SimpleNamespace(learner=learner, rows=np.arange(1))
    for used_s, expected_s in ((10.0, 50.0), (59.0, 20.0), (300.0, 20.0)):
        now = iter([0.0])
        clock = Clock(100.0, lambda now=now, used_s=used_s: next(now, used_s))
        training._search(task_of(lambda v: v[:, 0] > 500), basis, options, clock, lambda step, share: None, [])  # type: ignore[arg-type]
        assert asked.pop() == expected_s
