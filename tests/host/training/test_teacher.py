"""The teacher: probabilities from rows unseen, calibrated, and a search that can be cut short."""

import warnings

import numpy as np
import pytest
from dibble_tools.training import teacher
from dibble_tools.training import teachers as candidates
from dibble_tools.training.teacher import calibrated, fit_distill_temperature, fit_teacher, log_loss
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression


def blobs(rows, seed=0, noise=1.0):
    """Return integer values (rows, 4) and two classes, of which the first two features tell."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, rows)
    x = rng.normal(size=(rows, 4)) * noise
    x[:, :2] += y[:, None]
    return np.clip(x * 100 + 500, 0, 1000).astype(np.int64), y


def thirds(rows):
    """Return three folds that judge every row."""
    at = np.arange(rows)
    return [(at[at % 3 != i], at[at % 3 == i]) for i in range(3)]


def teach(values, y, folds=None, *, classes=2, weights=None, **options):
    options = {"seed": 0, "jobs": 1, "budget_s": 60.0} | options
    return fit_teacher(
        values,
        y,
        classes,
        np.ones(len(y)) if weights is None else weights,
        thirds(len(y)) if folds is None else folds,
        **options,
    )


@pytest.fixture
def few_candidates(monkeypatch):
    """Leave two quick candidates, for what doesn't depend on which they are."""
    quick = {
        "logistic": teacher.CANDIDATES["logistic"],
        "forest": lambda y, seed: RandomForestClassifier(10, random_state=seed, n_jobs=1),
    }
    monkeypatch.setattr(teacher, "CANDIDATES", quick)


def test_soft_labels_come_from_rows_unseen():
    """Labels drawn at random can be memorized, not known: unseen rows get about a half."""
    values, _ = blobs(240)
    y = np.random.default_rng(5).integers(0, 2, 240)
    found = teach(values, y)
    assert np.abs(found.soft - 0.5).mean() < 0.1
    trees = RandomForestClassifier(20, random_state=0).fit(values, y)
    assert np.abs(trees.predict_proba(values) - 0.5).mean() > 0.25


def test_every_candidate_and_the_blend_are_scored():
    values, y = blobs(300)
    found = teach(values, y)
    assert list(found.scores) == [*teacher.CANDIDATES, "blend"]
    assert all(score["accuracy"] > 0.6 and 0 <= score["std"] < 0.2 for score in found.scores.values())
    assert all(score["log_loss"] <= score["log_loss_raw"] + 1e-9 for score in found.scores.values())
    assert found.scores[found.name]["log_loss"] == min(score["log_loss"] for score in found.scores.values())
    assert found.notes == []


@pytest.mark.usefixtures("few_candidates")
def test_probabilities_sum_to_one():
    values, y = blobs(90)
    found = teach(values, y)
    assert found.soft.shape == (90, 2)
    assert found.soft.sum(axis=1) == pytest.approx(np.ones(90))
    assert found.predict_proba(values).sum(axis=1) == pytest.approx(np.ones(90))
    assert found.predict(values).tolist() == found.predict_proba(values).argmax(axis=1).tolist()


@pytest.mark.usefixtures("few_candidates")
def test_a_forest_of_few_rows_says_nothing_of_scikit_learns_settings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "forest" in teach(*blobs(24)).scores


def test_rows_that_no_fold_judges_get_the_final_estimators_view():
    values, y = blobs(90)
    found = teach(values, y, thirds(90)[:2])
    rest = np.arange(90) % 3 == 2
    seen = found.predict_proba(values)
    assert np.abs(found.soft - seen)[rest].max() <= 1 / 256  # rounded, and what is left over
    assert np.abs(found.soft - seen)[~rest].max() > 0.1
    assert np.array_equal(found.soft * 256, np.rint(found.soft * 256))


def test_a_class_missing_from_a_fold_does_no_harm():
    """Class 2 is judged by estimators that never saw it; class 3 has no row at all."""
    values, y = blobs(120)
    y[:20] = 2
    at = np.arange(120)
    found = teach(values, y, [(at[60:], at[:60]), (at[:60], at[60:])], classes=4)
    assert all(score["log_loss"] < 1 for score in found.scores.values())  # not for 20 rows that nobody could know
    assert found.soft.shape == (120, 4)
    assert found.soft.sum(axis=1) == pytest.approx(np.ones(120))
    assert (found.soft[:20, 2] == 1).all()  # its label: nobody knew the class
    assert found.soft[20:60, 2].max() < 0.1
    assert found.soft[:, 3].max() < 0.1


def test_a_fold_of_a_single_class_does_no_harm():
    values, y = blobs(60)
    at = np.argsort(y, kind="stable")
    first = int((y == 0).sum())
    found = teach(values, y, [(at[:first], at[first:]), (at[first:], at[:first])])
    assert found.soft.sum(axis=1) == pytest.approx(np.ones(60))


def test_calibration_helps_where_a_forest_is_overconfident():
    """Few full trees are often all of one mind where the classes overlap."""
    values, y = blobs(400, noise=2.0)
    forest = RandomForestClassifier(5, random_state=0).fit(values[:200], y[:200])
    raw, truth, weights = forest.predict_proba(values[200:]), y[200:], np.ones(200)
    half = np.arange(200) < 100
    found = fit_distill_temperature(raw[half], truth[half], weights[half])
    assert found > 1.2
    before = log_loss(raw[~half], truth[~half], weights[~half])
    assert log_loss(calibrated(raw[~half], found), truth[~half], weights[~half]) < 0.8 * before


def test_calibration_keeps_the_order_and_what_is_calibrated():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    assert calibrated(probabilities, 1.0) == pytest.approx(probabilities)
    assert calibrated(probabilities, 2.0)[0] == pytest.approx(np.sqrt([0.5, 0.3, 0.2]) / np.sqrt([0.5, 0.3, 0.2]).sum())
    assert calibrated(np.array([[1.0, 0.0]]), 1.0)[0, 1] == pytest.approx(1e-4, rel=1e-3)


def test_log_loss_is_weighted():
    probabilities = np.array([[0.5, 0.5], [0.2, 0.8]])
    found = log_loss(probabilities, np.array([0, 1]), np.array([3.0, 1.0]))
    assert found == pytest.approx(-(3 * np.log(0.5) + np.log(0.8)) / 4)


@pytest.mark.parametrize("name", teacher.CANDIDATES)
def test_weights_reach_every_candidate(name, monkeypatch):
    monkeypatch.setattr(teacher, "CANDIDATES", {name: teacher.CANDIDATES[name]})
    values, y = blobs(150, noise=2.0)
    plain = teach(values, y)
    heavy = teach(values, y, weights=np.where(y == 1, 1.8, 0.2))
    assert (heavy.predict(values) == 1).mean() > (plain.predict(values) == 1).mean() + 0.1


def test_same_seed_same_teacher_whatever_the_number_of_jobs():
    values, y = blobs(120)
    first, second = teach(values, y), teach(values, y, jobs=2)
    assert first.soft.tolist() == second.soft.tolist()
    assert first.scores == second.scores
    assert first.predict_proba(values).tolist() == second.predict_proba(values).tolist()


def test_a_spent_budget_leaves_the_first_candidate_and_says_so():
    values, y = blobs(90)
    found = teach(values, y, budget_s=0.0)
    assert (found.name, list(found.scores)) == ("logistic", ["logistic"])
    assert found.notes == ["teacher: network, boosting, extra trees, forest not tried: their 0 s were over"]


@pytest.mark.usefixtures("few_candidates")
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_keeps_what_is_done(jobs):
    values, y = blobs(90)

    def interrupt(step):
        if step == "teacher: forest, 1 of 3":
            raise KeyboardInterrupt

    found = teach(values, y, jobs=jobs, progress=interrupt)
    assert (found.name, list(found.scores)) == ("logistic", ["logistic"])
    assert found.notes == ["teacher: interrupted, chosen among logistic"]


@pytest.mark.usefixtures("few_candidates")
def test_an_interrupt_before_anything_is_done_ends_it():
    def interrupt(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        teach(*blobs(90), progress=interrupt)


def test_many_rows_are_fitted_on_a_share_of_each_class(monkeypatch):
    seen = []

    class Spy(LogisticRegression):
        def fit(self, x, y, sample_weight=None):
            seen.append(np.bincount(y).tolist())
            return super().fit(x, y, sample_weight)

    monkeypatch.setattr(teacher, "CANDIDATES", {"logistic": lambda y, seed: Spy()})
    values, _ = blobs(900)
    y = (np.arange(900) % 10 == 0).astype(int)
    found = teach(values, y, max_rows=100)
    assert seen == [[90, 10]] * 4
    assert len(found.soft) == 900


def test_features_are_evened_out():
    """A skewed feature by its logarithm, another as it is, a constant not at all; one wild value is clipped."""
    rng = np.random.default_rng(0)
    skewed, straight = np.exp(rng.normal(8, 1, 2000)), rng.normal(500, 50, 2000)
    values = np.column_stack([skewed, straight, np.full(2000, 7)]).astype(np.int64)
    values[0, 1] = 10**9
    evener = candidates.Evener().fit(values)
    assert evener.log_.tolist() == [True, False, False]
    found = evener.transform(values)
    assert np.abs(found).max() < 5
    assert found[:, :2].std(axis=0) == pytest.approx([1, 1], abs=0.01)
    assert found[:, 2].tolist() == [0] * 2000


def test_subsamples_are_rows_given():
    rows = np.arange(100, 200)
    found = teacher._stratified(rows, np.repeat([0, 1], [90, 10]), 30, 0)
    assert len(set(found.tolist())) == 30
    assert (found >= 190).sum() == 3
