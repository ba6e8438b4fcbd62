"""Scaled features, additive tables and networks as straight-line sums."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from dibble.inference import additive, mlp
from dibble.inference.format import Cursor
from dibble.inference.model import Model

from dibble_tools.export.unrolled.block import SMALL_INT_BITS, Block, Packed, top_two
from dibble_tools.model.content import Mlp, Scaler
from dibble_tools.model.oracle import scale
from dibble_tools.model.reader import content_of

MOST_REPEATED = 16  # cells that stand in for a clamp


def append_additive(
    out: Block, model: Model, at: int, classes: int, lows: Sequence[int], *, apart: bool = False
) -> list[list[int]]:
    """Append what makes w, m and s of the inputs x0, x1, ...; return the tables t0, t1, ...

    Args:
        at: where in the model file the tables begin.
        lows: what each input is at least: its value is what lies above.
        apart: a table for each class, of bytes: slower, and smaller where tables are long.
    """
    scalers, singles, pairs, tables, _, base = additive.read(Cursor(model.blob, at), model.limits, classes)
    in_pairs = {code for a, _, _, b, _ in pairs for code in (a, b)}
    terms: list[tuple[str, Any]] = []
    for k, scaler in enumerate(scalers):
        place, before, after = _cell(out, scaler, model.limits, lows, f"c{k}", in_pairs=k in in_pairs)
        for i, code in enumerate(singles):
            if code == k:
                padded = [[*[column[0]] * before, *column, *[column[-1]] * after] for column in map(list, tables[i])]
                terms.append((place, padded))
    for (a, drop_a, n, b, drop_b), table in zip(pairs, tables[len(singles) :], strict=True):
        row = f"(c{a} >> {drop_a})" if drop_a else f"c{a}"
        column = f"(c{b} >> {drop_b})" if drop_b else f"c{b}"
        terms.append((f"{row} * {n} + {column}", table))
    highest = max((b + sum(max(t[k]) for _, t in terms) for k, b in enumerate(base[1:])), default=0)
    together = max((k for k in range(2, classes) if not apart and Packed(range(k), highest).fits()), default=1)
    scores = [str(base[0])]
    found: list[list[int]] = []
    for first in range(1, classes, together):
        packed = Packed(range(first, min(first + together, classes)), highest)
        name = f"v{first}"
        text = str(sum(packed.of(k, base[k]) for k in packed.classes))
        for place, table in terms:
            cells = [
                sum(packed.of(k, cell) for k, cell in zip(packed.classes, row, strict=True))
                for row in zip(*(table[k - 1] for k in packed.classes), strict=True)
            ]
            text += f" + t{len(found)}[{place}]"
            found.append(cells)
        out.add(f"{name} = {text}")
        scores += [packed.score(name, k) for k in packed.classes]
    top_two(out, scores)
    return found


def append_mlp(out: Block, model: Model, lows: Sequence[int]) -> None:
    """As append_additive, for a network: its weights stand in the sums."""
    scalers, base, layers = mlp.read(Cursor(model.blob, model.family_at), model.limits, len(model.classes))
    names = [f"c{k}" for k in range(len(scalers))]
    for name, scaler in zip(names, scalers, strict=True):
        _code(out, scaler, model.limits, lows, name, keep=True)
    most = [255] * len(names)
    network = content_of(model).family
    assert isinstance(network, Mlp)
    for depth, layer in enumerate(network.layers):
        last = depth + 1 == len(layers)
        biases, shifts = layer.biases, layer.shifts
        units, reach = [], []
        for k, weights in enumerate(layer.weights(len(names))):
            low = biases[k] + sum(min(w, 0) * m for w, m in zip(weights, most, strict=True)) >> shifts[k]
            high = biases[k] + sum(max(w, 0) * m for w, m in zip(weights, most, strict=True)) >> shifts[k]
            top = 65535 if last else 255
            unit = f"{'abdfghijklnopqu'[depth]}{k}"
            terms = [_product(name, w) for name, w in zip(names, weights, strict=True) if w]
            text = "".join([str(biases[k]), *terms])
            out.add(f"{unit} = {f'{text} >> {shifts[k]}' if shifts[k] else text}")
            _clamp(out, unit, low, high, top)
            units.append(unit)
            reach.append(min(max(high, 0), top))
        names, most = units, reach
    top_two(out, [str(base), *names])


def _product(name: str, weight: int) -> str:
    sign = "-" if weight < 0 else "+"
    return f" {sign} {name}" if abs(weight) == 1 else f" {sign} {name} * {abs(weight)}"


def _cell(
    out: Block, scaler: tuple[int, ...], limits: Sequence[int], lows: Sequence[int], name: str, *, in_pairs: bool
) -> tuple[str, int, int]:
    """Return (expression of a feature's place in its table, how many cells that needs before and after the table's).

    Instead of a clamp the table repeats its ends, where these are few and the sum stays a small int.
    """
    feature, drop, bias, zero_point, multiplier, shift, top = scaler
    first, last = _unclamped(scaler, limits[feature])
    before, after = max(-first, 0), max(last - top, 0)
    added = (before << shift) - (lows[feature] + zero_point) * multiplier
    reach = max(abs(lows[feature]), abs(lows[feature] + limits[feature])) * multiplier + abs(added)
    if in_pairs or bias or drop or before + after > MOST_REPEATED or reach >> SMALL_INT_BITS:
        return _code(out, scaler, limits, lows, name, keep=in_pairs), 0, 0
    return f"x{feature} * {multiplier}{_plus(added)} >> {shift}", before, after


def _code(
    out: Block, scaler: tuple[int, ...], limits: Sequence[int], lows: Sequence[int], name: str, *, keep: bool
) -> str:
    """Append what makes a feature's code, if it takes more than an expression or is wanted again; return it.

    A logarithm always has a name of its own: what it is made of, u and e, is the next one's, too.
    """
    feature, drop, bias, zero_point, multiplier, shift, top = scaler
    low = lows[feature]
    if bias:
        out.add(f"u = {_shifted(feature, bias - low)}")
        out.add(f"e = {(7 << 8) - zero_point}")
        for test, steps in (
            ("u >= 8192", ("u >>= 4", "e += 1024")),
            ("u >= 512", ("u >>= 1", "e += 256")),
            ("u < 256", ("u <<= 1", "e -= 256")),
        ):
            out.add(f"while {test}:")
            for step in steps:
                out.add(step, 1)
        text = "(u + e)"
    elif drop:
        text = _shifted(feature, -low)
        text = f"(({text} >> {drop}) - {zero_point})" if zero_point else f"({text} >> {drop})"
    else:
        text = _shifted(feature, -low - zero_point)
        text = f"({text})" if low + zero_point else text
    text = f"{text} * {multiplier}" if multiplier != 1 else text
    text = f"{text} >> {shift}" if shift else text
    ends = _unclamped(scaler, limits[feature])
    if not (keep or bias or ends[0] < 0 or ends[1] > top):
        return text
    out.add(f"{name} = {text}")
    _clamp(out, name, *ends, top)
    return name


def _unclamped(scaler: tuple[int, ...], limit: int) -> tuple[int, int]:
    """Return the codes of a feature's least and largest value before they are clamped."""
    _, drop, bias, zero_point, multiplier, shift, _ = scaler
    plain = Scaler(drop, bias, 0, 1, 0, 1 << 40)
    low, high = (int(u) for u in scale([plain], np.array([[0], [limit]]))[:, 0])
    return (low - zero_point) * multiplier >> shift, (high - zero_point) * multiplier >> shift


def _clamp(out: Block, name: str, low: int, high: int, top: int) -> None:
    """Append what keeps a name within 0..top, if it can leave that."""
    word = "if"
    if low < 0:
        out.add(f"if {name} < 0:")
        out.add(f"{name} = 0", 1)
        word = "elif"
    if high > top:
        out.add(f"{word} {name} > {top}:")
        out.add(f"{name} = {top}", 1)


def _shifted(feature: int, number: int) -> str:
    """Return the expression of an input plus a number; in two steps where that itself is no small int."""
    most = (1 << SMALL_INT_BITS) - 1
    step = min(max(number, -most), most)
    return f"x{feature}{_plus(step)}{_plus(number - step)}"


def _plus(number: int) -> str:
    return f" + {number}" if number > 0 else f" - {-number}" if number else ""
