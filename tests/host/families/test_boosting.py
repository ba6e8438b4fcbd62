"""Forests with amounts in their leaves: integer trees against a walk of scikit-learn's own, and their limits."""

import math

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.families.forest.binning import coarser, fit_bins
from dibble_tools.families.forest.boosting import ALIKE, BoostedRecipe, BoostedStages, fit_boosted
from dibble_tools.families.forest.integer_trees import IntegerTrees, highest_scores, reachable, renumber, scores, shift
from dibble_tools.families.forest.leaf_sharing import clusters
from dibble_tools.families.forest.pages import MAX_LEAVES, pack
from dibble_tools.families.forest.tree_sharing import share
from dibble_tools.families.forest.trees import hard_votes, integer_trees
from dibble_tools.families.forest.voting import VotingRecipe, fit_voting
from sklearn.ensemble import RandomForestClassifier

WIDE = 2**24  # above it float32 doesn't hold every integer


def soft(seed: int, rows: int, classes: int, low: int = 0, high: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Return values of 4 features and soft targets that depend on them."""
    rng = np.random.default_rng(seed)
    values = rng.integers(low, high, (rows, 4))
    place = (values - low) / (high - low)
    logits = place @ rng.normal(0, 5, (4, classes)) + np.sin(6 * place) @ rng.normal(0, 2, (4, classes))
    targets = np.exp(logits - logits.max(axis=1, keepdims=True))
    return values, targets / targets.sum(axis=1, keepdims=True)


def walk(stages: BoostedStages, row: list[int]) -> list[list[int]]:
    """Return the path of nodes through each of scikit-learn's trees, asking for the bin of each value anew."""
    paths = []
    bins = stages.ensemble.bins
    for tree in stages.ensemble.trees:
        path = [0]
        while tree.children_left[path[-1]] >= 0:
            node = path[-1]
            edges = bins.edges[tree.feature[node]].tolist()
            value = row[bins.features[tree.feature[node]]]
            left = sum(edge < value for edge in edges) <= tree.threshold[node]
            path.append(int((tree.children_left if left else tree.children_right)[node]))
        paths.append(path)
    return paths


def quantized_scores(stages: BoostedStages, values: np.ndarray) -> np.ndarray:
    """Return each row's scores, in plain Python, from the values that the leaves of scikit-learn's trees share.

    One offset common to all classes, which decides nothing, is taken off.
    """
    e, shared, unit = stages.ensemble, stages.shared, stages.margin_unit
    base = [math.floor(b * unit + 0.5) for b in shared.base]
    ids = [np.cumsum(tree.children_left < 0) - 1 for tree in e.trees]
    result = []
    for row in values.tolist():
        totals = list(base)
        for path, own, first, column in zip(walk(stages, row), ids, e.firsts, e.columns, strict=True):
            amount = round(float(shared.values[shared.level_of[first + own[path[-1]]]]) * unit)
            totals[column if amount >= 0 else 0] += abs(amount)
        result.append([total - min(base) for total in totals])
    return np.array(result)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("low, high", [(0, 60), (WIDE - 300, WIDE + 300), (2**29, 2**30 - 1)])
def test_integer_scores_are_a_walk_of_scikit_learns_trees(classes: int, low: int, high: int) -> None:
    values, targets = soft(classes, 300, classes, low, high)
    weights = np.random.default_rng(0).uniform(0.5, 1.5, 300)
    stages = fit_boosted(values, targets, weights, BoostedRecipe(rounds=6, leaves=5, levels=6, ridge=2.0), 0)
    found = scores(stages.trees, values)
    expected = quantized_scores(stages, values)
    gap = expected - found
    assert np.array_equal(gap, np.repeat(gap[:1, :1], 300, axis=0).repeat(classes, axis=1))
    assert found.dtype == np.int64
    assert len({tuple(row) for row in found.tolist()}) > 20


@pytest.mark.parametrize("classes", [2, 4])
def test_rows_on_and_beside_every_threshold_reach_scikit_learns_leaf(classes: int) -> None:
    values, targets = soft(1, 400, classes, WIDE, WIDE + 4000)
    stages = fit_boosted(values, targets, np.ones(400), BoostedRecipe(rounds=4, leaves=6, levels=40), 0)
    rows = []
    for feature, threshold, _, _ in reachable(stages.trees):
        for step in (-1, 0, 1):
            row = values[len(rows) % 400].copy()
            row[feature] = threshold + step
            rows.append(row)
    near = np.array(rows)
    where = stages.ensemble.where(near)
    ids = [np.cumsum(tree.children_left < 0) - 1 for tree in stages.ensemble.trees]
    for i, row in enumerate(near.tolist()):
        ends = [path[-1] for path in walk(stages, row)]
        assert where[:, i].tolist() == [f + n[end] for f, n, end in zip(stages.ensemble.firsts, ids, ends, strict=True)]
    shared = stages.shared
    amounts = np.round(shared.values * stages.margin_unit).astype(np.int64)[shared.level_of][where]
    expected = np.tile(np.round(shared.base * stages.margin_unit).astype(np.int64), (len(near), 1))
    for at, column in zip(amounts, stages.ensemble.columns, strict=True):
        expected[:, column] += np.maximum(at, 0)
        expected[:, 0] += np.maximum(-at, 0)
    found = scores(stages.trees, near)
    assert np.array_equal(found - found.min(axis=1, keepdims=True), expected - expected.min(axis=1, keepdims=True))


def test_scores_of_plain_votes_are_scikit_learns_own() -> None:
    values, targets = soft(2, 500, 4, WIDE, WIDE + 900)
    forest = RandomForestClassifier(9, max_leaf_nodes=12, random_state=0).fit(values, targets.argmax(axis=1))
    trees = integer_trees(forest, lambda _, x: x.astype(np.float64))
    assert trees.leaves is None
    assert trees.base == [0, 0, 0, 0]
    assert np.array_equal(scores(trees, values), hard_votes(forest, values))


def test_one_hot_targets_give_the_forest_of_hard_labels() -> None:
    values, targets = soft(3, 500, 3)
    labels = targets.argmax(axis=1)
    weights = np.random.default_rng(1).integers(32, 97, 500) / 64  # on the grid of a voting forest's weights
    stages = fit_voting(values, np.eye(3)[labels], weights, VotingRecipe(trees=7, leaves=10, amounts=1), 4)
    hard = RandomForestClassifier(7, max_leaf_nodes=10, random_state=4)
    bins = fit_bins(values, 64).of(values)
    hard.fit(bins, labels, sample_weight=weights)
    assert np.array_equal(scores(stages.trees, values), hard_votes(hard, bins))
    assert np.allclose(stages.scores(values), 7 * hard.predict_proba(bins), rtol=0, atol=1e-12)


def test_sure_leaves_vote_with_more() -> None:
    values = np.arange(400).reshape(-1, 1)
    targets = np.where(values < 200, [0.9, 0.1], [0.4, 0.6])
    stages = fit_voting(values, targets, np.ones(400), VotingRecipe(trees=1, leaves=2, amounts=10), 0)
    low, high = (scores(stages.trees, np.array([[0], [399]])) / stages.margin_unit).tolist()
    assert low[1] == high[0] == 0
    assert abs(low[0] - 0.8) < 0.1  # the bootstrap moves a share a little
    assert abs(high[1] - 0.2) < 0.1


def test_a_pruned_forest_s_floats_are_of_the_trees_that_its_integers_walk() -> None:
    values, targets = soft(7, 500, 3)
    recipe = VotingRecipe(trees=5, leaves=16, max_nodes=30, amounts=33)
    stages = fit_voting(values, targets, np.ones(500), recipe, 2)
    floats = stages.scores(values)
    assert np.allclose(floats.sum(axis=1), 5)
    assert np.mean(floats.argmax(axis=1) == scores(stages.trees, values).argmax(axis=1)) > 0.97
    assert len(stages.trees.leaves) <= 3 * 33


@pytest.mark.parametrize("amounts", [1, 5])
@pytest.mark.parametrize("most", [0, 1, 12, 40])
def test_max_nodes_is_respected(most: int, amounts: int) -> None:
    values, targets = soft(4, 400, 3)
    stages = fit_voting(
        values, targets, np.ones(400), VotingRecipe(trees=8, leaves=12, max_nodes=most, amounts=amounts), 0
    )
    assert most * 3 // 4 <= len(reachable(stages.trees)) <= most
    assert len(stages.trees.nodes) == len(reachable(stages.trees))


def test_pruning_to_all_nodes_prunes_none() -> None:
    values, targets = soft(5, 400, 3)
    options = {"trees": 6, "leaves": 12}
    whole = fit_voting(values, targets, np.ones(400), VotingRecipe(**options), 0)
    every = len(share(whole.pruned)[0])  # leaves that come to give the same spare some splits afterwards
    pruned = fit_voting(values, targets, np.ones(400), VotingRecipe(max_nodes=every, **options), 0)
    assert pruned.trees == whole.trees


@pytest.mark.parametrize("classes", [2, 4])
def test_shared_leaves_decide_as_leaves_of_their_own_did(classes: int) -> None:
    values, targets = soft(8, 800, classes)
    stages = fit_boosted(values, targets, np.ones(800), BoostedRecipe(rounds=12, leaves=4, levels=5), 0)
    floats, integers = stages.scores(values).argmax(axis=1), scores(stages.trees, values).argmax(axis=1)
    assert np.mean(floats == integers) >= ALIKE
    assert len(stages.shared.values) > 5 * (2 if classes == 2 else classes) + 1  # five levels weren't enough


@pytest.mark.parametrize("classes", [2, 3, 22])
def test_leaves_hold_to_what_a_byte_can_number(classes: int) -> None:
    values, targets = soft(6, 600, classes)
    trees = fit_boosted(values, targets, np.ones(600), BoostedRecipe(rounds=3, leaves=20, levels=1000), 0).trees
    assert len(trees.leaves) <= MAX_LEAVES
    assert len(set(trees.leaves)) == len(trees.leaves)
    assert {-1 - c for split in trees.nodes for c in split[2:] if c < 0} == set(range(len(trees.leaves)))
    tables = pack(trees, 4)
    tables.check()
    assert (tables.leaves, tables.base, tables.highest) == (trees.leaves, trees.base, highest_scores(trees))
    assert max(tables.lefts) < 128 + MAX_LEAVES


def test_few_levels_cost_little_and_are_kept_to() -> None:
    values, targets = soft(7, 600, 2)
    stages = fit_boosted(values, targets, np.ones(600), BoostedRecipe(rounds=10, leaves=6, levels=4), 0)
    assert len(stages.trees.leaves) <= 8
    assert stages.losses["integer"] < stages.losses["fitted"] + 0.01
    assert stages.losses["fitted"] < stages.losses["grown"]


def test_highest_scores_bound_every_row_and_are_reached() -> None:
    leaves = [(0, 3), (1, 200), (1, 0), (0, 255)]
    trees = IntegerTrees([(0, 9, -1, -2), (0, 4, 0, -3), (1, 0, -4, 1)], [2, 0], 2, leaves, [5, 7])
    grid = np.array([[a, b] for a in range(12) for b in range(2)])
    found = scores(trees, grid)
    assert found[grid.tolist().index([3, 1])].tolist() == [5 + 3 + 3, 7]
    assert found[grid.tolist().index([11, 0])].tolist() == [5 + 255, 7 + 200]
    assert highest_scores(trees) == [5 + 255 + 3, 7 + 200 + 200]
    assert np.all(found <= highest_scores(trees))


def test_scores_beyond_16_bits_are_refused() -> None:
    def stumps(count: int) -> IntegerTrees:
        return IntegerTrees([(0, 9, -1, -2)], [0] * count, 2, [(0, 255), (1, 1)], [0, 0])

    pack(stumps(257), 1).check()  # 257 * 255 = 65535
    with pytest.raises(InputError, match=r"expected scores within 0\.\.65,535, got 0 \.\. 65,790: fit fewer trees"):
        pack(stumps(258), 1)


@pytest.mark.parametrize("leaf", [(0, 256), (0, -1), (2, 1), (-1, 1)])
def test_leaf_of_no_class_or_byte_is_refused(leaf: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=r"expected leaves of 2 classes with amounts of 0\.\.255"):
        pack(IntegerTrees([(0, 9, -1, -2)], [0], 2, [(0, 1), leaf], [0, 0]), 1)


def test_more_than_100_leaves_are_refused() -> None:
    leaves = [(0, amount) for amount in range(101)]
    nodes = [(0, 0, -1, -2), *((0, i, i - 1, -2 - i) for i in range(1, 100))]
    with pytest.raises(InputError, match="expected at most 100 distinct leaves, got 101"):
        pack(IntegerTrees(nodes, [99], 1, leaves, [0]), 1)
    pack(IntegerTrees(nodes[:99], [98], 1, leaves[:100], [0]), 1)


@pytest.mark.parametrize("classes", [2, 4])
def test_fits_are_the_same_each_time(classes: int) -> None:
    values, targets = soft(8, 300, classes)
    options = {"leaves": 4, "features": [3, 1]}
    boosted = [
        fit_boosted(values, targets, np.ones(300), BoostedRecipe(rounds=4, coarsen=5, **options), 3).trees
        for _ in range(2)
    ]
    voting = [fit_voting(values, targets, np.ones(300), VotingRecipe(trees=4, **options), 3).trees for _ in range(2)]
    assert boosted[0] == boosted[1]
    assert voting[0] == voting[1]
    assert {split[0] for trees in (boosted[0], voting[0]) for split in trees.nodes} <= {1, 3}


def test_coarsen_limits_thresholds_to_candidates() -> None:
    values, targets = soft(9, 500, 2, 0, 100_000)
    full = fit_boosted(values, targets, np.ones(500), BoostedRecipe(rounds=20, leaves=5), 0)
    few = fit_boosted(values, targets, np.ones(500), BoostedRecipe(rounds=20, leaves=5, coarsen=3), 0)
    asked = [{split[1] for split in few.trees.nodes if split[0] == feature} for feature in range(4)]
    assert max(map(len, asked)) == 3
    assert len({split[:2] for split in full.trees.nodes}) > 2 * sum(map(len, asked))
    bins = coarser(full.ensemble.bins, full.ensemble.trees, 1000)
    for feature, edges in enumerate(bins.edges):
        assert {split[1] for split in full.trees.nodes if split[0] == feature} <= set(edges.tolist())


def test_class_without_rows_gets_no_score() -> None:
    values, targets = soft(10, 200, 2)
    targets = np.column_stack([targets, np.zeros(200)])
    boosted = fit_boosted(values, targets, np.ones(200), BoostedRecipe(rounds=3, leaves=4), 0).trees
    voting = fit_voting(values, targets, np.ones(200), VotingRecipe(trees=3, leaves=4), 0).trees
    for trees in (boosted, voting):
        assert np.all(scores(trees, values).argmax(axis=1) < 2)
        pack(trees, 4)


@pytest.mark.parametrize("classes", [2, 3])
def test_nothing_to_learn_leaves_no_tree(classes: int) -> None:
    values = np.full((50, 2), 7)
    targets = np.tile(np.arange(1.0, classes + 1) / np.arange(1.0, classes + 1).sum(), (50, 1))
    trees = fit_boosted(values, targets, np.ones(50), BoostedRecipe(rounds=3, leaves=4), 0).trees
    assert trees.nodes == trees.roots == []
    assert trees.leaves
    assert scores(trees, values).argmax(axis=1).tolist() == [classes - 1] * 50
    assert pack(trees, 2).page_nodes == []


def test_moving_and_leaving_out_features_keeps_leaves() -> None:
    trees = IntegerTrees([(2, 9, -1, -2)], [0], 2, [(0, 5), (1, 7)], [1, 0])
    moved = shift(renumber(trees, [2]), [4])
    assert moved == IntegerTrees([(0, 5, -1, -2)], [0], 2, [(0, 5), (1, 7)], [1, 0])


def test_clusters_are_the_best_of_all() -> None:
    rng = np.random.default_rng(11)
    values, weights = np.sort(rng.integers(0, 40, 9)).astype(float), rng.uniform(0.5, 2, 9)

    def error(cluster: np.ndarray) -> float:
        parts = [cluster == i for i in np.unique(cluster)]
        return sum(weights[p] @ (values[p] - np.average(values[p], weights=weights[p])) ** 2 for p in parts)

    best = min(error(np.searchsorted([i, j], np.arange(9), side="right")) for i in range(1, 9) for j in range(i, 9))
    cluster = clusters(values, weights, 3)
    assert cluster.max() == 2
    assert error(cluster) == pytest.approx(best, abs=1e-6)
