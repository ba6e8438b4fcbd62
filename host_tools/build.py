"""Integer trees and what they are about -> everything that goes into a model file."""

from collections.abc import Sequence

from dibble.inference.features import LAST

from host_tools.channels import Channel
from host_tools.export import ModelSpec
from host_tools.families import forest, pages
from host_tools.feature_spec import FeatureSpec


def build_spec(
    name: str,
    channels: Sequence[Channel],
    classes: Sequence[str],
    trees: forest.IntegerTrees,
    features: Sequence[FeatureSpec] = (),
    *,
    interval_ms: int = 0,
    unsure_below: int = 0,
    hysteresis: int = 1,
) -> ModelSpec:
    """Return the content of a model file.

    Args:
        trees: over feature values as the board computes them (>= 0).
        features: what the trees' features are; none where each is the last reading of its channel.
    """
    tables = pages.pack(trees, len(features) or len(channels))
    coded = list(features)
    if features or tables.sources != list(range(len(channels))):
        each = coded or [FeatureSpec(i, LAST, 1) for i in range(len(channels))]
        coded = [each[source] for source in tables.sources]
    return ModelSpec(name, list(channels), list(classes), tables, coded, interval_ms, unsure_below, hysteresis)


def without_unused(
    channels: Sequence[Channel], trees: forest.IntegerTrees, features: Sequence[FeatureSpec] = ()
) -> tuple[list[int], list[FeatureSpec], forest.IntegerTrees]:
    """Leave out what no split asks about: return the kept channels' indices, features and trees over them.

    A model of a constant answer keeps its first channel.
    """
    used = forest.used_features(trees) or [0]
    trees = forest.renumber(trees, used)
    if not features:
        return used, [], trees
    kept = [features[i] for i in used]
    indices = sorted({feature.channel for feature in kept})
    renumbered = [FeatureSpec(indices.index(f.channel), f.kind, f.size) for f in kept]
    return indices, renumbered, trees
