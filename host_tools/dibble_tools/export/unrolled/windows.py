"""Windows of readings as straight-line code: the same past as features.py's, in lists and variables of the generator.

What a channel lacks is asked for once a row: E holds 1 for each empty channel, and last whether there is any. A row
with a missing reading comes with the channel's low in its place, and afterwards the caller marks it empty.
"""

from collections.abc import Sequence

from dibble.inference.features import ABOVE, DELTA, EMA, LAST, MAX, MEAN, MIN, SLOPE, ema_shift, feature_zero

from dibble_tools.export.unrolled.block import Block
from dibble_tools.model.content import Content, Feature


def reading_names(content: Content) -> list[str]:
    """Return what a row's readings are called: as their last reading is, where that is a feature."""
    last = {f.channel: f"x{k}" for k, f in reversed(list(enumerate(content.features))) if f.kind == LAST}
    return [last.get(c, f"Y{c}") for c in range(len(content.channels))]


def append_windows(out: Block, content: Content, readings: Sequence[str]) -> tuple[list[str], list[int]]:
    """Append what makes the features x0, x1, ... of the readings of these names.

    Returns:
        (statements that make what is kept, each feature's low: of a last reading its channel's, else 0).
    """
    features = content.features
    rings = list(dict.fromkeys((f.channel, f.size) for f in features if f.kind not in (LAST, EMA, ABOVE)))
    sizes = list(dict.fromkeys(size for _, size in rings))
    used = sorted({f.channel for f in features if f.kind != LAST})
    kept = [f"R{n} = [0] * {size}" for n, (_, size) in enumerate(rings)]
    kept += [f"P{size} = 0" for size in sizes]
    kept += [f"S{k} = Z{k} = 0" if f.kind == SLOPE else f"S{k} = 0" for k, f in enumerate(features) if _sums(f)]
    offsets = {}
    for c in used:
        offsets[c] = readings[c]
        if content.channels[c].low:
            offsets[c] = f"O{c}"
            out.add(f"O{c} = {readings[c]}{_minus(content.channels[c].low)}")
    _append_filling(out, features, rings, offsets)
    for k, f in enumerate(features):
        if f.kind == LAST and readings[f.channel] != f"x{k}":
            out.add(f"x{k} = {readings[f.channel]}")
        elif f.kind in (EMA, ABOVE):
            offset = offsets[f.channel]
            out.add(f"S{k} += {offset} - (S{k} >> {ema_shift(f.size)})")
            ema = f"S{k} >> {ema_shift(f.size)}"
            out.add(f"x{k} = {ema}" if f.kind == EMA else f"x{k} = {offset} - ({ema}) + {_zero(f, content)}")
    for size in sizes:
        of_size = [(k, f) for k, f in enumerate(features) if f.kind not in (LAST, EMA, ABOVE) and f.size == size]
        for k, f in of_size:
            _append_sum(out, k, f, f"R{rings.index((f.channel, size))}", offsets[f.channel], content)
        for n, (channel, ring_size) in enumerate(rings):
            if ring_size == size:
                out.add(f"R{n}[P{size}] = {offsets[channel]}")
        out.add(f"P{size} += 1")
        out.add(f"if P{size} == {size}:")
        out.add(f"P{size} = 0", 1)
        for k, f in of_size:
            ring = f"R{rings.index((f.channel, size))}"
            if f.kind == DELTA:
                out.add(f"x{k} = {offsets[f.channel]} - {ring}[P{size}] + {_zero(f, content)}")
            elif f.kind in (MIN, MAX):
                out.add(f"x{k} = {'min' if f.kind == MIN else 'max'}({ring})")
    return kept, [content.channels[f.channel].low if f.kind == LAST else 0 for f in features]


def _append_filling(
    out: Block, features: Sequence[Feature], rings: Sequence[tuple[int, int]], offsets: dict[int, str]
) -> None:
    """Append what fills the windows of the channels that are empty."""
    out.add("if E[-1]:")
    out.add("E[-1] = 0", 1)
    for c, offset in offsets.items():
        out.add(f"if E[{c}]:", 1)
        out.add(f"E[{c}] = 0", 2)
        for n, (channel, size) in enumerate(rings):
            if channel == c:
                out.add(f"for j in range({size}):", 2)
                out.add(f"R{n}[j] = {offset}", 3)
        for k, f in enumerate(features):
            if f.channel == c and _sums(f):
                by = f"<< {ema_shift(f.size)}" if f.kind in (EMA, ABOVE) else f"* {f.size}"
                out.add(f"S{k} = {offset} {by}{f' + {f.size >> 1}' if f.kind == MEAN else ''}", 2)
                if f.kind == SLOPE:
                    out.add(f"Z{k} = {offset} * {f.size * (f.size - 1) // 2}", 2)


def _append_sum(out: Block, k: int, f: Feature, ring: str, offset: str, content: Content) -> None:
    """Append a mean, whose sum has the half for rounding in it, or a slope, before the ring has the new reading."""
    gone = f"{ring}[P{f.size}]"
    if f.kind == MEAN:
        out.add(f"S{k} += {offset} - {gone}")
        out.add(f"x{k} = S{k} // {f.size}")
    elif f.kind == SLOPE:
        divisor = f.size * (f.size + 1)
        out.add(f"S{k} -= {gone}")
        out.add(f"Z{k} += {offset} * {f.size - 1} - S{k}")
        out.add(f"S{k} += {offset}")
        rise = f"6 * (2 * Z{k} - {f.size - 1} * S{k})"
        out.add(f"x{k} = ({rise} + {divisor >> 1}) // {divisor} + {_zero(f, content)}")


def _zero(f: Feature, content: Content) -> int:
    channel = content.channels[f.channel]
    return feature_zero(f.kind, channel.high - channel.low)


def _sums(f: Feature) -> bool:
    return f.kind in (MEAN, SLOPE, EMA, ABOVE)


def _minus(number: int) -> str:
    return f" - {number}" if number > 0 else f" + {-number}" if number else ""
