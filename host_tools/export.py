"""Write the model file. models/FORMAT.md specifies its bytes; firmware's inference/model.py reads them."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from dibble.inference import features as windows_of
from dibble.inference.fixed_point import READING_LIMIT
from dibble.inference.model import FOREST, FORMAT, MAGIC, Model, width_of

from host_tools.channels import Channel
from host_tools.errors import InputError
from host_tools.families.pages import ForestTables
from host_tools.feature_spec import FeatureSpec

GOLDEN_MISSING = 0  # a golden reading: 0 missing, 1.. the offset above the channel's low


@dataclass(frozen=True)
class ModelSpec:
    """All that goes into a model file but its golden vectors.

    Attributes:
        channels, classes: in the model's order.
        features: one a coded feature of `forest`; empty when each is the last reading of its channel.
        interval_ms: sampling interval; 0 where rows stand alone.
        unsure_below: a smaller margin is flagged unsure.
        hysteresis: trusted decisions in a row that change the held class.
    """

    name: str
    channels: list[Channel]
    classes: list[str]
    forest: ForestTables
    features: list[FeatureSpec] = field(default_factory=list)
    interval_ms: int = 0
    unsure_below: int = 0
    hysteresis: int = 1


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
        probe = Model(_assemble(spec, b"", 0))
        for row in golden:
            d = probe.predict(row)
            results.append((d.class_index, d.margin, d.flags))
    body = bytearray()
    for row, (class_index, margin, flags) in zip(golden, results, strict=True):
        for reading, channel in zip(row, spec.channels, strict=True):
            body += _number(reading - channel.low + 1 if reading >= channel.low else GOLDEN_MISSING)
        body.append(class_index)
        body += _number(margin)
        body.append(flags)
    return _assemble(spec, bytes(body), len(golden))


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
        largest = windows_of.window_limit(feature.kind, feature.size, channel.high - channel.low)
        if largest > READING_LIMIT:
            raise InputError(
                f"feature {feature} of channel {channel.name!r}: expected sums within {READING_LIMIT:,}, got up to "
                f"{largest:,}: take a shorter window, or a coarser resolution with --channel"
            )
    if spec.forest.trees > 0xFFFF:
        raise InputError(f"expected at most {0xFFFF:,} trees, got {spec.forest.trees:,}")


def _number(value: int) -> bytes:
    """Return a non-negative int in 7-bit groups, least first, the high bit set on all but the last."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _text(text: str) -> bytes:
    raw = text.encode()
    return _number(len(raw)) + raw


def _channel(channel: Channel) -> bytes:
    zigzag = -2 * channel.low - 1 if channel.low < 0 else 2 * channel.low
    return (
        _text(channel.name)
        + _text(channel.unit)
        + bytes((channel.mantissa, channel.exponent + 128))
        + _number(zigzag)
        + _number(channel.high - channel.low)
    )


def _assemble(spec: ModelSpec, golden: bytes, golden_count: int) -> bytes:
    forest = spec.forest
    out = bytearray(MAGIC + bytes((FORMAT, FOREST)) + bytes(4))
    out += _number(spec.interval_ms) + _number(spec.unsure_below) + _number(spec.hysteresis) + _text(spec.name)
    out += _number(len(spec.classes)) + b"".join(map(_text, spec.classes))
    out += _number(len(spec.channels)) + b"".join(map(_channel, spec.channels))
    out += _number(len(spec.features))
    for feature in spec.features:
        out += bytes((feature.channel, feature.kind, feature.size))
    for thresholds in forest.thresholds:
        out += _number(len(thresholds))
    out += _number(forest.trees) + _number(len(forest.page_nodes)) + bytes(n - 1 for n in forest.page_nodes)
    if len(forest.page_nodes) > forest.trees:
        out += bytes(forest.page_jumps)
    out += _number(golden_count) + _number(len(golden)) + golden
    out += bytes(-len(out) % 4)
    limits = [feature.limit(spec.channels) for feature in spec.features] or [c.high - c.low for c in spec.channels]
    for width, code in ((4, "I"), (2, "H"), (1, "B")):
        for thresholds, limit in zip(forest.thresholds, limits, strict=True):
            if width_of(limit) == width:
                out += struct.pack(f"<{len(thresholds)}{code}", *thresholds)
    out += forest.features + forest.codes + forest.lefts + forest.rights
    out[6:10] = struct.pack("<I", len(out) + 4)
    return bytes(out + struct.pack("<I", zlib.crc32(out)))
