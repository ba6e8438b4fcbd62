"""What the templates of a model's programs ask for, whatever the language."""

import itertools
from typing import Any

import jinja2
from dibble import __version__
from dibble.inference.features import ABOVE, DELTA, EMA, KINDS, LAST, MAX, MEAN, MIN, SLOPE, Past
from dibble.inference.fixed_point import MISSING

from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import ROOMS
from dibble_tools.export import names
from dibble_tools.export.c.families import additive_parts, forest_parts, mlp_parts
from dibble_tools.export.c.tables import Kind, rows, signed, unsigned
from dibble_tools.export.channel_text import about
from dibble_tools.model.content import WITHOUT_FILE, Additive, Content, Forest, Maps, Mlp, Stream


def environment(language: str) -> jinja2.Environment:
    """Return the renderer of the templates in a language's folder: "c" or "python"."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOMS / "export" / language / "templates"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(comment=names.comment, string_literal=names.string, rows=rows)
    found.globals.update(zip=zip)
    return found


def context_of(content: Content, prefix: str) -> dict[str, Any]:
    """Return what the templates ask for, of a compacted Content.

    Raises:
        InputError: no program is written of its family.
    """
    if isinstance(content.family, Stream):
        raise InputError(
            f"{content.name}: expected a model that decides on rows by themselves, got a network over a stream: it "
            "runs from its file"
        )
    if isinstance(content.family, Maps):
        raise InputError(f"{content.name}: {WITHOUT_FILE}")
    channels = [about(channel) for channel in content.channels]
    for channel, ending in zip(channels, names.endings([c.name for c in content.channels], "channel"), strict=True):
        channel["ending"] = ending
    features = [
        {
            "text": f"{content.title(f)} {f}",
            "channel": f.channel,
            "kind_name": KINDS[f.kind],
            "size": f.size,
        }
        for f in content.features
    ]
    found: dict[str, Any] = {
        "prefix": prefix,
        "PREFIX": prefix.upper(),
        "version": __version__,
        "missing": MISSING,
        "byte": Kind("uint8_t", "FLASH8"),
        "int8": Kind("int8_t", "FLASH8"),
        "name": content.name,
        "classes": list(content.classes),
        "class_endings": names.endings(content.classes, "class"),
        "channels": channels,
        "example": [(channel.low + channel.high) // 2 for channel in content.channels],
        "features": features,
        "interval_ms": content.interval_ms,
        "interval": f"{content.interval_ms / 1000:g} s",
        "timed": content.timed,
        "unsure_below": content.unsure_below,
        "hysteresis": content.hysteresis,
        "novelty": content.novelty,
        "novel_below": content.novel_below,
        "golden": content.golden,
        "stand_ins": [0 if offset is None else offset + 1 for offset in content.stand_ins],
        "stand_in": unsigned([0 if offset is None else offset + 1 for offset in content.stand_ins] or [0]),
        "number": content.number,
        "number_text": _number_text(content),
        "family": content.family,
        "margin_type": "uint16_t" if len(content.classes) > 1 else "uint32_t",
        "agreed_type": unsigned([content.hysteresis]).type,
    }
    found |= _ranges(content) | _ratios(content) | _windows(content) | _scalers(content, found) | _golden(content)
    texts = [str(feature["text"]) for feature in features]
    if isinstance(content.family, Forest):
        return found | forest_parts(content, features)
    if isinstance(content.family, Additive):
        return found | additive_parts(content, texts)
    return found | mlp_parts(content) | (additive_parts(content, texts) if content.novelty else {})


def _number_text(content: Content) -> str:
    """Return what the number of a model is, for a comment."""
    if content.number is None:
        return ""
    told = about(content.number.channel)
    ahead = f" in {content.number.ahead_s / 3600:g} h" if content.number.ahead_s else ""
    return f"{content.number.channel.name}{ahead}, {told['steps']}, {told['range']}"


def _ranges(content: Content) -> dict[str, Any]:
    lows = [channel.low for channel in content.channels]
    spans = [channel.high - channel.low for channel in content.channels]
    features_of = [sum(f.channel == i for f in content.features) for i in range(len(lows))]
    return {
        "lows": lows,
        "low": signed(lows),
        "spans": spans,
        "span": unsigned(spans),
        "features_of": features_of if set(features_of) != {1} else None,
    }


def _ratios(content: Content) -> dict[str, Any]:
    """Return the channels made of others, and how many features each has.

    Raises:
        InputError: one is seen through a window.
    """
    channels = len(content.channels)
    if any(f.channel >= channels and f.kind != LAST for f in content.features):
        raise InputError("expected ratios of the last readings, got one of a window: such a model has no program")
    each = [sum(f.channel == channels + k for f in content.features) for k in range(len(content.ratios))]
    others = [len(ratio.others) for ratio in content.ratios]
    return {
        "ratios": content.ratios,
        "ratio_owns": [ratio.own for ratio in content.ratios],
        "ratio_counts": others,
        "ratio_others": [channel for ratio in content.ratios for channel in ratio.others],
        "ratio_lows": [ratio.low for ratio in content.ratios],
        "ratio_spans": [ratio.span for ratio in content.ratios],
        "ratio_features": each,
        "int16": Kind("int16_t", "FLASH16"),
        "word": Kind("uint16_t", "FLASH16"),
    }


def _windows(content: Content) -> dict[str, Any]:
    """Return how the windows share rings and sums; a slope has two of these."""
    features = content.features
    depths = {MEAN: 0, SLOPE: 0, MIN: 1, MAX: 1, DELTA: 1}  # how much less than its size a window looks back
    sizes = []
    for i in range(len(content.channels)):
        back = [f.size - depths[f.kind] for f in features if f.channel == i and f.kind in depths]
        sizes.append(max(back, default=0))
    each = [{SLOPE: 2, MEAN: 1, EMA: 1, ABOVE: 1}.get(f.kind, 0) for f in features]
    sums_at = list(itertools.accumulate(each, initial=0))[:-1]
    used = sorted({f.kind for f in features})
    return {
        "windowed": any(kind != LAST for kind in used),
        "names_used": {KINDS[kind] for kind in used},
        "kinds_used": [(kind, KINDS[kind]) for kind in used],
        "sizes": [f.size for f in features],
        "sums": sum(each),
        "sums_at": sums_at,
        "ring_sizes": sizes,
        **_state(content),
    }


def _state(content: Content) -> dict[str, Any]:
    state = StateLayout(content)
    at = {"sum_at": state.sums_at, "ring_at": state.rings_at, "place_at": state.places_at}
    return {"state": state, **{name: unsigned(places) for name, places in at.items()}}


class StateLayout(Past):
    """Where the firmware keeps a model's past, without a kernel.

    Attributes:
        words: of the state.
        ring_sizes: distinct, as their places lie in the state.
        places_at, sums_at, rings_at: of each feature, in the state; 0 where it has none.
    """

    def __init__(self, content: Content) -> None:
        spans = [*(channel.high - channel.low for channel in content.channels), *(r.span for r in content.ratios)]
        super().__init__([(f.channel, f.kind, f.size) for f in content.features], spans, content.interval_ms)

    def begin(self, words: int) -> None:
        self.words = words
        self.state = [0] * words
        self.ring_sizes = list(self.sizes)
        rings = {(channel, size): at for channel, size, at in self.rings}
        sums = iter(self.sums)
        ringed = [f if f[1] != LAST and f[1] < EMA else None for f in self.features]
        self.rings_at = [rings[f[0], f[2]] if f else 0 for f in ringed]
        self.places_at = [len(self.spans) + self.ring_sizes.index(f[2]) if f else 0 for f in ringed]
        self.sums_at = [next(sums)[3] if f[1] in (MEAN, SLOPE, EMA, ABOVE) else 0 for f in self.features]


def _scalers(content: Content, found: dict[str, Any]) -> dict[str, Any]:
    """Return the scalers, by the tables they are for."""
    scaled = {}
    if isinstance(content.family, Additive | Mlp):
        scaled["family"] = content.family.scalers
    if content.novelty:
        scaled["usual"] = content.novelty.scalers
    every = [scaler for scalers in scaled.values() for scaler in scalers]
    return {
        "scaled": list(scaled.items()),
        "logarithmic": any(scaler.bias for scaler in every),
        "zero": unsigned([scaler.zero_point for scaler in every]),
    }


def _golden(content: Content) -> dict[str, Any]:
    steps = [
        0 if reading is None else reading - channel.low + 1
        for vector in content.golden
        for reading, channel in zip(vector.readings, content.channels, strict=True)
    ]
    decisions = [value for v in content.golden for value in (v.class_index, v.margin, v.flags)]
    return {
        "golden_steps": steps or [0],
        "step": unsigned(steps),
        "golden_decisions": decisions or [0],
        "expected": unsigned(decisions),
    }
