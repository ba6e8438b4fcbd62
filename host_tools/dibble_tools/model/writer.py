"""Write the model file. models/FORMAT.md specifies its bytes; firmware's inference/model.py reads them."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dibble.inference import features as windows_of
from dibble.inference import model_of
from dibble.inference.features import ABOVE, LAST
from dibble.inference.fixed_point import READING_LIMIT
from dibble.inference.format import CRC_BYTES, FORMATS, MAGIC, NOVELTY
from dibble.inference.parts import BASELINES, CELLS, IMAGE, STAND_INS

from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import Channel
from dibble_tools.data.feature_spec import ChannelRatio, FeatureSpec
from dibble_tools.families.forest import integer_trees, pages
from dibble_tools.families.forest.pages import ForestTables
from dibble_tools.model.encoding import Strings, number, signed
from dibble_tools.model.tables_bytes import Tables, family_bytes, family_of

if TYPE_CHECKING:
    from dibble_tools.families.novelty import Novelty

RATIOS = b"ratios"
EXPONENT_ZERO = 9
OWN_MANTISSA, SAME_UNIT = 32, 64
GOLDEN_MISSING = 0  # a golden reading: 0 missing, 1.. the offset above the channel's low


@dataclass(frozen=True)
class ModelSpec:
    """All that goes into a model file but its golden vectors.

    Attributes:
        channels, classes: in the model's order.
        tables: the family's, over the features.
        features: one a feature of `tables`; empty when each is the last reading of its channel.
        interval_ms: sampling interval; 0 where rows stand alone.
        unsure_below: a smaller margin is flagged unsure.
        hysteresis: trusted decisions in a row that change the held class.
        novelty: tables of how usual a combination of feature values is, and from where on it is.
        stand_ins: for each channel what stands in for a missing reading, above its low, or None; empty: nothing does.
        parts: content of each further optional part, by its name.
    """

    name: str
    channels: list[Channel]
    classes: list[str]
    tables: Tables
    features: list[FeatureSpec] = field(default_factory=list)
    interval_ms: int = 0
    unsure_below: int = 0
    hysteresis: int = 1
    novelty: "Novelty | None" = None
    stand_ins: Sequence[int | None] = ()
    parts: Mapping[bytes, bytes] = field(default_factory=dict)

    @property
    def limits(self) -> Sequence[int]:
        """The largest value of each feature; bytes where features are codes as they come: see parts.cells."""
        if CELLS in self.parts:
            return b"\xff" * len(self.channels)
        return [f.limit(self.channels) for f in self.features] or [c.high - c.low for c in self.channels]


def export(spec: ModelSpec, golden: Sequence[Sequence[int]] = ()) -> bytes:
    """Return the bytes of a model file.

    Args:
        golden: rows of readings (one int a channel), replayed in order from a fresh start. Their
            expected results are computed here by the bytecode kernels; the caller compares the
            file with an independent evaluator.
    Raises:
        InputError: a value could leave the small ints of a 32-bit board.
    """
    check_bounds(spec)
    results = []
    if golden:
        probe = model_of(assemble(spec, b"", 0))
        for row in golden:
            d = probe.predict(row)
            results.append((d.class_index, d.margin, d.flags))
    body = bytearray()
    for row, (class_index, margin, flags) in zip(golden, results, strict=True):
        for reading, channel in zip(row, spec.channels, strict=True):
            body += number(reading - channel.low + 1 if reading >= channel.low else GOLDEN_MISSING)
        body.append(class_index)
        body += number(margin)
        body.append(flags)
    return assemble(spec, bytes(body), len(golden))


def check_bounds(spec: ModelSpec) -> None:
    """Prove that no intermediate of a prediction leaves -2**30 .. 2**30 - 1, or raise InputError."""
    for channel in spec.channels:
        if (
            not -READING_LIMIT < channel.low <= channel.high < READING_LIMIT
            or channel.high - channel.low > READING_LIMIT
        ):
            raise InputError(
                f"channel {channel.name!r}: expected a range within +-{READING_LIMIT:,} steps, got "
                f"{channel.low:,} .. {channel.high:,}: give it a coarser resolution with --channel"
            )
    for feature in spec.features:
        channel = spec.channels[feature.channel]
        largest = windows_of.window_limit(feature.kind, feature.size, feature.span(spec.channels))
        if feature.ratio and min(spec.channels[i].low for i in feature.channels) < 1:
            raise InputError(f"{feature.title(spec.channels)}: expected a ratio of readings above 0")
        if largest > READING_LIMIT:
            raise InputError(
                f"feature {feature} of channel {channel.name!r}: expected sums within {READING_LIMIT:,}, got up to "
                f"{largest:,}: take a shorter window, or a coarser resolution with --channel"
            )
    if spec.stand_ins and any(feature.ratio for feature in spec.features):
        raise InputError("expected either ratios or stand-ins for missing readings, got both")
    if not isinstance(spec.tables, ForestTables):  # pages.pack has proven a forest's
        spec.tables.check()
    if spec.novelty:
        spec.novelty.tables.check()


def channels_bytes(channels: Sequence[Channel]) -> bytes:
    """Return channels as a model file lists them."""
    text = Strings()
    out = bytearray()
    unit = ""
    for channel in channels:
        form = channel.exponent + EXPONENT_ZERO
        form |= OWN_MANTISSA if channel.mantissa != 1 else 0
        form |= SAME_UNIT if channel.unit == unit else 0
        out += text(channel.name) + bytes((form,))
        if channel.unit != unit:
            unit = channel.unit
            out += text(unit)
        out += bytes((channel.mantissa,)) if channel.mantissa != 1 else b""
        out += signed(channel.low) + number(channel.high - channel.low)
    return bytes(out)


def _ratios(ratios: Sequence[ChannelRatio]) -> bytes:
    out = bytearray(number(len(ratios)))
    for ratio in ratios:
        out += bytes((ratio.own, len(ratio.others), *ratio.others)) + signed(ratio.low) + number(ratio.span)
    return bytes(out)


def assemble(spec: ModelSpec, golden: bytes, golden_count: int) -> bytes:
    """Return the bytes of a model file; nothing is checked, and `golden` are its golden vectors' bytes."""
    family = family_of(spec.tables) | (NOVELTY if spec.novelty else 0)
    text = Strings()
    # The least format that says it, so that nodes of an older firmware read what they can.
    ratios = list(dict.fromkeys(feature.ratio for feature in spec.features if feature.ratio))
    parts = {**spec.parts, **({RATIOS: _ratios(ratios)} if ratios else {})}
    if any(offset is not None for offset in spec.stand_ins):
        parts[STAND_INS] = b"".join(number(0 if offset is None else offset + 1) for offset in spec.stand_ins)
    if any(feature.kind == ABOVE for feature in spec.features):
        parts[BASELINES] = b""
    out = bytearray(MAGIC + bytes((FORMATS[1] if parts else FORMATS[0], family)) + bytes(4))
    if parts:
        out += number(len(parts))
        for name, content in parts.items():
            out += bytes((len(name),)) + name + number(len(content)) + content
    out += number(spec.interval_ms) + number(spec.unsure_below) + number(spec.hysteresis) + text(spec.name)
    out += number(len(spec.classes)) + b"".join(map(text, spec.classes))
    told = [] if CELLS in spec.parts or IMAGE in spec.parts else spec.channels
    out += number(len(told)) + channels_bytes(told)
    out += number(len(spec.features))
    for feature in spec.features:
        channel = len(spec.channels) + ratios.index(feature.ratio) if feature.ratio else feature.channel
        out += bytes((channel, feature.kind, feature.size))
    out += family_bytes(spec.tables, spec.limits, len(out))
    if spec.novelty:
        out += number(spec.novelty.threshold) + family_bytes(spec.novelty.tables, spec.limits, len(out))
    out += number(golden_count) + golden
    out[6:10] = struct.pack("<I", len(out) + CRC_BYTES)
    return bytes(out + struct.pack("<I", zlib.crc32(out)))


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
    indices = sorted({channel for feature in kept for channel in feature.channels})
    return indices, [channels[i] for i in indices], [feature.renumbered(indices) for feature in kept]
