"""The additive family: exact integer scores, proven bounds, and a fit that finds what is there."""

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.families.additive.tables import AdditiveTables, Term, quantize, sum_tables
from dibble_tools.families.additive.training import (
    AdditiveRecipe,
    AdditiveStages,
    _pair_penalty,
    _Problem,
    _single_penalty,
    as_bytes,
    fit,
)
from dibble_tools.families.scaling import Scaler, fit_scaler

LIMITS = [7, 300, 65_535, 2**30 - 1]


def identity(top: int) -> Scaler:
    return Scaler(False, 0, 0, 1, 0, top)


def constant(entry: int, top: int, feature: int = 0) -> Term:
    return Term((feature,), (0,), np.full((1, top + 1), entry, np.uint8), np.full(1, entry, np.uint8))


def random_tables(seed: int, classes: int) -> AdditiveTables:
    rng = np.random.default_rng(seed)
    tops = rng.integers(1, 32, 4)
    scalers = [fit_scaler(rng.integers(0, n + 1, 200), n, int(t)) for n, t in zip(LIMITS, tops, strict=True)]
    keys = [((f,), (0,)) for f in (0, 1, 3)] + [((0, 2), (1, 2)), ((3, 1), (0, 3)), ((1, 2), (4, 5))]
    terms = []
    for features, shifts in keys:
        cells = int(np.prod([(tops[f] >> s) + 1 for f, s in zip(features, shifts, strict=True)]))
        table = rng.integers(0, 256, (classes - 1, cells)).astype(np.uint8)
        terms.append(Term(features, shifts, table, table.mean(axis=1).round().astype(np.uint8)))
    return AdditiveTables(classes, scalers, terms, rng.integers(0, 60_000, classes).tolist(), 32.0)


def slow_code(scaler: Scaler, value: int, limit: int) -> int:
    if scaler.log:
        value += scaler.bias
        power = value.bit_length() - 1
        u = power * 256 + ((value << 8) >> power) - 256
    else:
        u = value >> max(0, limit.bit_length() - 15)
    return min(max((u - scaler.zero_point) * scaler.multiplier >> scaler.shift, 0), scaler.top)


def slow_scores(tables: AdditiveTables, row: list[int]) -> list[int]:
    scores = list(tables.base)
    for term in tables.terms:
        cell = 0
        for feature, shift in zip(term.features, term.shifts, strict=True):
            scaler = tables.scalers[feature]
            cell = cell * ((scaler.top >> shift) + 1) + (slow_code(scaler, row[feature], LIMITS[feature]) >> shift)
        for k in range(1, tables.classes):
            scores[k] += int(term.table[k - 1, cell])
    return scores


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_scores_equal_a_slow_reference(seed: int, classes: int) -> None:
    tables = random_tables(seed, classes)
    rng = np.random.default_rng(seed)
    values = rng.integers(0, np.array(LIMITS) + 1, (300, 4))
    values[:16] = np.array(LIMITS) * (np.arange(16)[:, None] >> np.arange(4) & 1)  # every corner
    assert tables.scores(values, LIMITS).tolist() == [slow_scores(tables, row) for row in values.tolist()]


def test_check_accepts_65535_and_refuses_one_more() -> None:
    terms = [constant(255, 3), constant(200, 3)]
    AdditiveTables(2, [identity(3)], terms, [65_535, 65_535 - 455], 1.0).check()
    for base in ([0, 65_535 - 454], [65_536, 0], [0, -1], [-1, 0]):
        with pytest.raises(InputError, match=r"within 0\.\.65535"):
            AdditiveTables(2, [identity(3)], terms, base, 1.0).check()


def test_check_takes_the_largest_of_each_table_together() -> None:
    table = np.array([[0, 255, 10, 3]], np.uint8)
    term = Term((0,), (0,), table, np.zeros(1, np.uint8))
    AdditiveTables(2, [identity(3)], [term], [0, 65_280], 1.0).check()
    with pytest.raises(InputError, match="65536"):
        AdditiveTables(2, [identity(3)], [term], [0, 65_281], 1.0).check()


@pytest.mark.parametrize("table", [np.zeros((1, 3), np.uint8), np.zeros((2, 4), np.uint8), np.zeros((1, 4), np.int64)])
def test_check_refuses_a_table_of_another_shape_or_type(table: np.ndarray) -> None:
    with pytest.raises(InputError, match="expected 1 x 4 bytes"):
        AdditiveTables(2, [identity(3)], [Term((0,), (0,), table, np.zeros(1, np.uint8))], [0, 0], 1.0).check()


def test_quantizing_keeps_differences_of_scores_and_drops_constant_tables() -> None:
    curve = Term((0,), (0,), np.array([[-1.0, 0.5, 2.0, 1.0]]), np.array([0.5]))
    flat = Term((1,), (0,), np.full((1, 4), 3.0), np.array([3.0]))
    tables = quantize([identity(3), identity(3)], [curve, flat], np.array([0.0, -1.0]))
    assert (tables.margin_unit, tables.base, tables.scalers[1]) == (32.0, [0, 32], None)
    assert [term.table.tolist() for term in tables.terms] == [[[0, 48, 96, 64]]]
    assert tables.terms[0].centre.tolist() == [48]


@pytest.mark.parametrize(("top", "unit"), [(255 / 32, 32.0), (256 / 32, 16.0), (200.0, 1.0)])
def test_quantizing_halves_the_unit_until_tables_fit_a_byte(top: float, unit: float) -> None:
    term = Term((0,), (0,), np.array([[0.0, top]]), np.array([0.0]))
    assert quantize([identity(1)], [term], np.zeros(2)).margin_unit == unit


def test_quantizing_refuses_scores_that_never_fit() -> None:
    with pytest.raises(InputError, match=r"within 0\.\.65535"):
        quantize([], [], np.array([0.0, 70_000.0]))


def test_gradient_equals_finite_differences() -> None:
    rng = np.random.default_rng(0)
    cells = [rng.integers(0, 8, 60), rng.integers(0, 5, 60), rng.integers(0, 12, 60)]
    targets = rng.dirichlet([1, 1, 1], 60)
    penalties = [_single_penalty(8, 8.0), _single_penalty(5, 8.0), _pair_penalty(3, 4)]
    problem = _Problem(cells, penalties, targets, rng.random(60) + 0.5)
    at = rng.normal(size=(8 + 5 + 12 + 1) * 2)
    gradient = problem.loss(at)[1]
    steps = 1e-5 * np.eye(len(at))
    numeric = np.array([(problem.loss(at + step)[0] - problem.loss(at - step)[0]) / 2e-5 for step in steps])
    assert np.abs(gradient - numeric).max() < 1e-6 * np.abs(gradient).max()


def learn(values: np.ndarray, labels: np.ndarray, **options: int) -> AdditiveStages:
    limits = [1000] * values.shape[1]
    classes = int(labels.max()) + 1
    return fit(
        values, limits, [0] * len(limits), np.eye(classes)[labels], np.ones(len(labels)), AdditiveRecipe(**options)
    )


def accuracy(stages: AdditiveStages, values: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean(stages.tables.scores(values, [1000] * values.shape[1]).argmax(axis=1) == labels))


def test_fit_recovers_additive_curves() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 1001, (6000, 3))
    x = values / 1000
    log_odds = 6 * x[:, 0] - 3 + 8 * (x[:, 1] - 0.5) ** 2 - 0.7
    labels = (rng.random(6000) < 1 / (1 + np.exp(-log_odds))).astype(int)
    shapes = {feature: (at, curves) for feature, at, curves in learn(values, labels).tables.shapes([1000] * 3)}
    rising = shapes[0][1][1] - shapes[0][1][0]
    bowl = shapes[1][1][1] - shapes[1][1][0]
    assert np.all(np.diff(rising) > 0)
    assert abs(rising[-1] - rising[0] - 6 * np.ptp(shapes[0][0]) / 1000) < 0.6
    assert 5 <= bowl.argmin() <= 10 and bowl[0] > bowl.min() + 1 < bowl[-1]
    assert 2 not in shapes or np.abs(shapes[2][1]).max() < 0.3


def test_shapes_give_the_middle_of_each_bin_and_skip_what_no_value_reaches() -> None:
    scaler = Scaler(False, 0, 100, 1, 5, 7)  # bins of 32 from 100 on
    term = Term((0,), (0,), np.arange(8, dtype=np.uint8)[None] * 32, np.array([96], np.uint8))
    ((feature, values, curves),) = AdditiveTables(2, [scaler], [term], [0, 0], 32.0).shapes([200])
    assert (feature, values.tolist()) == (0, [115, 147, 179, 198])
    assert curves.tolist() == [[1.5, 1.0, 0.5, 0.0], [-1.5, -1.0, -0.5, 0.0]]


def test_xor_needs_a_pair_and_the_pair_is_found() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 1001, (4000, 5))
    labels = ((values[:, 1] > 500) ^ (values[:, 3] > 500)).astype(int)
    assert accuracy(learn(values, labels), values, labels) < 0.6
    stages = learn(values, labels, pairs=1)
    assert [term.features for term in stages.tables.terms if len(term.features) == 2] == [(1, 3)]
    assert accuracy(stages, values, labels) > 0.9


def test_a_class_that_is_out_of_question_somewhere_makes_no_table_coarse() -> None:
    """Where the first feature is 1 the third class is 40 nats away; the other two differ by less than an eighth."""
    scalers = [identity(1), identity(3)]
    near = np.array([-0.06, -0.03, 0.03, 0.06])
    terms = [
        Term((0,), (0,), np.array([[0.0, 0.0], [0.0, -40.0]]), np.array([0.0, -20.0])),
        Term((1,), (0,), np.array([near, near - 3]), np.array([0.0, -3.0])),
    ]
    values, limits = np.array([[a, b] for a in range(2) for b in range(4)]), [1, 3]
    exact = sum_tables(scalers, terms, np.zeros(3), values, limits)
    alike, tables = as_bytes(scalers, terms, np.zeros(3), 32.0, exact, values, limits, np.ones(8))
    assert (alike, tables.margin_unit) == (8, 32.0)
    plain = quantize(scalers, terms, np.zeros(3))
    assert plain.margin_unit == 4
    assert np.sum(plain.scores(values, limits).argmax(axis=1) == exact.argmax(axis=1)) < 8


@pytest.mark.parametrize("bins", [8, 12, 32])
def test_pair_codes_are_shortened_to_eight_values_at_most(bins: int) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 1001, (500, 3))
    labels = ((values[:, 0] > 500) ^ (values[:, 1] > 500)).astype(int)
    tables = learn(values, labels, bins=bins, pairs=2).tables
    assert {term.shifts for term in tables.terms if len(term.features) == 2} == {({8: 0, 12: 1, 32: 2}[bins],) * 2}


def test_rounding_to_bytes_hardly_moves_scores() -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 1001, (3000, 6))
    labels = np.digitize(values[:, 0] + values[:, 1] ** 2 / 1000 + rng.normal(0, 200, 3000), [700, 1200])
    stages = learn(values, labels, pairs=2)
    exact, rounded = (m.scores(values, [1000] * 6) for m in (stages, stages.tables))
    leads = (rounded - rounded[:, :1]) / stages.tables.margin_unit
    assert np.abs(leads - exact).max() <= 0.5 * (len(stages.terms) + 2) / stages.tables.margin_unit
    assert abs(np.mean(rounded.argmax(axis=1) == labels) - np.mean(exact.argmax(axis=1) == labels)) <= 0.001


def test_order_of_classes_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    values = rng.integers(0, 1001, (1500, 2))
    labels = np.digitize(values[:, 0] + rng.normal(0, 150, 1500), [300, 700])
    swap = np.array([2, 0, 1])
    one, other = learn(values, labels), learn(values, swap[labels])
    a, b = one.scores(values, [1000] * 2), other.scores(values, [1000] * 2)[:, swap]
    assert np.abs((a - a.mean(axis=1, keepdims=True)) - (b - b.mean(axis=1, keepdims=True))).max() < 0.02


def test_soft_targets_and_weights_count_as_rows_do() -> None:
    values = np.array([[0], [0], [0], [1000]] * 50)
    soft = learn(values, np.array([0, 1, 1, 1] * 50))
    limits, few = [1000], np.array([[0], [1000]] * 50)
    same = fit(few, limits, [0], np.array([[1 / 3, 2 / 3], [0, 1]] * 50), np.array([3.0, 1.0] * 50), AdditiveRecipe())
    assert np.abs(soft.scores(few, limits) - same.scores(few, limits)).max() < 1e-3


def test_features_left_out_have_no_scaler_and_small_ones_few_bins() -> None:
    rng = np.random.default_rng(0)
    values = np.stack([rng.integers(0, 2, 400), rng.integers(0, 1001, 400), rng.integers(0, 1001, 400)], axis=1)
    labels = values[:, 0] ^ (values[:, 1] > 900)
    tables = fit(
        values, [1, 1000, 1000], [0] * 3, np.eye(2)[labels], np.ones(400), AdditiveRecipe(features=[0, 1])
    ).tables
    assert [scaler and scaler.top for scaler in tables.scalers] == [1, 15, None]


def test_same_rows_give_the_same_bytes() -> None:
    rng = np.random.default_rng(5)
    values, labels = rng.integers(0, 1001, (800, 4)), rng.integers(0, 3, 800)
    one, other = (learn(values, labels, pairs=2).tables for _ in range(2))
    assert one.base == other.base
    assert [t.table.tobytes() for t in one.terms] == [t.table.tobytes() for t in other.terms]
