"""A family's tables and what they are about -> everything that goes into a model file."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dibble.inference.features import LAST

from dibble_tools.data.channels import Channel
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.families.forest import integer_trees, pages
from dibble_tools.model.writer import ModelSpec


def forest_spec(
    name: str,
    channels: Sequence[Channel],
    classes: Sequence[str],
    trees: integer_trees.IntegerTrees,
    features: Sequence[FeatureSpec] = (),
    **settings: Any,
) -> ModelSpec:
    """Return the content of a forest's model file.

    Args:
        trees: over feature values as the board computes them (>= 0).
        features: what the trees' features are; none where each is the last reading of its channel.
        settings: further fields of ModelSpec.
    """
    limits = [f.limit(channels) for f in features] or [c.high - c.low for c in channels]
    tables = pages.pack(trees, len(limits), limits)
    coded = list(features)
    if features or tables.sources != list(range(len(channels))):
        each = coded or [FeatureSpec(i, LAST, 1) for i in range(len(channels))]
        coded = [each[source] for source in tables.sources]
    return ModelSpec(name, list(channels), list(classes), tables, coded, **settings)


def keep_features(
    channels: Sequence[Channel], features: Sequence[FeatureSpec], used: Sequence[int]
) -> tuple[list[int], list[Channel], list[FeatureSpec]]:
    """Leave out what no table asks about: return the kept channels' indices, these channels, and the kept features.

    Args:
        features: none where each is the last reading of its channel.
        used: indices of the features to keep, or where there are none of the channels.
    """
    if not features:
        return list(used), [channels[i] for i in used], []
    kept = [features[i] for i in used]
    indices = sorted({feature.channel for feature in kept})
    return indices, [channels[i] for i in indices], [replace(f, channel=indices.index(f.channel)) for f in kept]
