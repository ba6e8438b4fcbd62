"""A model's bytes, decoded: what the file was written from, and nothing lost on the way."""

import numpy as np
import pytest
from dibble_tools.families.forest.integer_trees import IntegerTrees, scores
from dibble_tools.model.evaluator import evaluate, feature_values
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.reader import content_of, trees_of
from dibble_tools.model.writer import export, forest_spec
from helpers import channels_of, random_trees
from random_models import random_case

SEEDS = range(24)


@pytest.mark.parametrize("seed", SEEDS)
def test_content_is_what_the_file_was_written_from(seed: int) -> None:
    case = random_case(seed, 10)
    spec, found = case.spec, content_of(case.model.blob)
    assert (found.name, list(found.classes), found.channels) == (spec.name, spec.classes, spec.channels)
    assert [(f.channel, f.kind, f.size) for f in found.features] == [
        (f.channel, f.kind, f.size) for f in spec.features
    ] or (not spec.features and not found.windowed)
    assert found.limits == spec.limits
    assert (found.interval_ms, found.unsure_below, found.hysteresis) == (
        spec.interval_ms,
        spec.unsure_below,
        spec.hysteresis,
    )
    assert (found.novelty is None) == (spec.novelty is None)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_compacted_model_decides_alike(seed: int) -> None:
    """Features that no table asks about are gone, the others have new numbers: programs are written from that."""
    case = random_case(seed, 300)
    content = case.model.content
    expected = evaluate(content, case.readings, case.elapsed_ms).columns()
    small = content.compacted()
    assert small.compacted() == small
    assert len(small.features) <= len(content.features)
    if content.windowed or not content.interval_ms:  # programs take the time between rows with windows only
        assert np.array_equal(evaluate(small, case.readings, case.elapsed_ms).columns(), expected)


def test_trees_come_back_from_their_pages() -> None:
    limits = [10, 300, 70_000]
    trees = random_trees(np.random.default_rng(4), limits, 3, 20, 9)
    content = content_of(export(forest_spec("pages", channels_of([0] * 3, limits), ["a", "b", "c"], trees)))
    assert len(content.family.page_nodes) > 20
    values = np.random.default_rng(5).integers(0, np.array(limits) + 1, (2000, 3))
    coded = feature_values(content, values)  # a feature of more than 255 thresholds is several
    assert coded.shape[1] > values.shape[1]
    assert np.array_equal(scores(trees_of(content.family), coded), scores(trees, values))


def test_a_forest_without_trees_is_its_base() -> None:
    """So a trainer ends where no split is worth its bytes."""
    trees = IntegerTrees([], [], 2, [(0, 1)], [0, 3])
    content = content_of(export(forest_spec("base", channels_of([0], [9]), ["a", "b"], trees)))
    assert content.family.page_nodes == []
    assert class_scores(content, np.array([[0], [9]])).tolist() == [[0, 3], [0, 3]]
