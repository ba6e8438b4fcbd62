"""Recipes: written as read, and steps to their neighbours."""

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.training.recipes import Recipe, feature_counts, neighbours, parse_recipe


@pytest.mark.parametrize(
    ("text", "recipe"),
    [
        ("mlp:16@8", Recipe("mlp", (16,), 8)),
        ("mlp:0@1", Recipe("mlp", (), 1)),
        ("mlp:16-8-4@3/quarter", Recipe("mlp", (16, 8, 4), 3, "quarter")),
        ("mlp:9@2/codebook", Recipe("mlp", (9,), 2, "codebook")),
        ("additive:16+0@255", Recipe("additive", (16, 0), 255)),
        ("boosted:10x6@8", Recipe("boosted", (10, 6), 8)),
        ("voting:1x2@1", Recipe("voting", (1, 2), 1)),
    ],
)
def test_a_recipe_reads_as_it_is_written(text: str, recipe: Recipe) -> None:
    assert parse_recipe(text) == recipe
    assert str(recipe) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mlp",
        "mlp:16",
        "tree:1x2@3",
        "mlp:16+8@3",
        "mlp:16-8-4-2@3",
        "mlp:0-4@3",
        "mlp:0@3/half",
        "mlp:129@3",
        "mlp:8@0",
        "mlp:8@256",
        "mlp:8@4/tenth",
        "additive:16@8",
        "additive:3+0@8",
        "additive:65+0@8",
        "boosted:10@3",
        "boosted:10x1@3",
        "boosted:0x4@3",
        "boosted:10x6@3/half",
        "voting:10x6x2@3",
        "mlp:08@3",
    ],
)
def test_what_is_no_recipe_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^--recipe: expected mlp:16@8 .*; got "):
        parse_recipe(text)


def test_feature_counts_end_with_all_features() -> None:
    assert feature_counts(7) == [1, 2, 3, 4, 5, 6, 7]
    assert feature_counts(1) == [1]
    assert feature_counts(128)[-2:] == [96, 128]


def test_neighbours_are_one_step_away() -> None:
    found = {str(r) for r in neighbours(parse_recipe("additive:8+0@3"), feature_counts(4))}
    assert found == {"additive:6+0@3", "additive:12+0@3", "additive:8+0@2", "additive:8+0@4"}
    found = {str(r) for r in neighbours(parse_recipe("mlp:8@4"), feature_counts(4))}
    assert found == {"mlp:6@4", "mlp:12@4", "mlp:8@3", "mlp:8@4/half", "mlp:8@4/quarter", "mlp:8@4/codebook"}


def test_neighbours_of_the_smallest_network_are_larger() -> None:
    assert {str(r) for r in neighbours(parse_recipe("mlp:0@1"), feature_counts(2))} == {"mlp:3@1", "mlp:0@2"}
