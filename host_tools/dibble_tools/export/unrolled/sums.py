"""Scaled features, additive tables and networks as straight-line sums."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dibble_tools.export.unrolled.block import SMALL_INT_BITS, Block, Packed, top_two
from dibble_tools.model.content import Additive, CodeScaler, Mlp
from dibble_tools.model.oracle import scale

MOST_REPEATED = 16  # cells that stand in for a clamp
MOST_ADDED = (1 << SMALL_INT_BITS) - 1


@dataclass(frozen=True)
class Inputs:
    """What x0, x1, ... are: a feature each, whose value is what lies above `lows`, and at most `limits`."""

    lows: Sequence[int]
    limits: Sequence[int]


def append_additive(out: Block, tables: Additive, inputs: Inputs, *, apart: bool = False) -> list[list[int]]:
    """Append what makes w, m and s of the inputs; return the tables t0, t1, ...

    Args:
        apart: a table for each class, of bytes: slower, and smaller where tables are long.
    """
    in_pairs = {i for term in tables.terms if term.b is not None for i in (term.a, term.b)}
    terms: list[tuple[str, list[list[int]]]] = []
    alone = {term.a: term for term in tables.terms if term.b is None}
    for i, scaler in enumerate(tables.scalers):
        if not scaler.top:
            continue
        place, before, after = _cell(out, scaler, inputs, i, in_pairs=i in in_pairs)
        if i in alone:
            entries = alone[i].entries
            terms.append((place, [entries[0]] * before + entries + [entries[-1]] * after))
    for term in tables.terms:
        if term.b is not None:
            row = f"(c{term.a} >> {term.shift_a})" if term.shift_a else f"c{term.a}"
            column = f"(c{term.b} >> {term.shift_b})" if term.shift_b else f"c{term.b}"
            terms.append((f"{row} * {term.row} + {column}", term.entries))
    classes = len(tables.base)
    highs = [b + sum(max(cell[k] for cell in entries) for _, entries in terms) for k, b in enumerate(tables.base[1:])]
    highest = max(highs, default=0)
    together = max((k for k in range(2, classes) if not apart and Packed(range(k), highest).fits()), default=1)
    scores = [str(tables.base[0])]
    found: list[list[int]] = []
    for first in range(1, classes, together):
        packed = Packed(range(first, min(first + together, classes)), highest)
        name = f"v{first}"
        text = str(sum(packed.of(k, tables.base[k]) for k in packed.classes))
        for place, entries in terms:
            text += f" + t{len(found)}[{place}]"
            found.append([sum(packed.of(k, cell[k - 1]) for k in packed.classes) for cell in entries])
        out.add(f"{name} = {text}")
        scores += [packed.score(name, k) for k in packed.classes]
    top_two(out, scores)
    return found


def append_mlp(out: Block, network: Mlp, inputs: Inputs) -> None:
    """As append_additive, for a network: its weights stand in the sums."""
    names = [_code(out, scaler, inputs, i, keep=True) for i, scaler in enumerate(network.scalers)]
    most = [255] * len(names)
    for depth, layer in enumerate(network.layers):
        last = depth + 1 == len(network.layers)
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
    top_two(out, [str(network.base), *names])


def _product(name: str, weight: int) -> str:
    sign = "-" if weight < 0 else "+"
    return f" {sign} {name}" if abs(weight) == 1 else f" {sign} {name} * {abs(weight)}"


def _cell(out: Block, scaler: CodeScaler, inputs: Inputs, feature: int, *, in_pairs: bool) -> tuple[str, int, int]:
    """Return (expression of a feature's place in its table, how many cells that needs before and after the table's).

    Instead of a clamp the table repeats its ends, where these are few and the sum stays a small int.
    """
    low, limit = inputs.lows[feature], inputs.limits[feature]
    first, last = _unclamped(scaler, limit)
    before, after = max(-first, 0), max(last - scaler.top, 0)
    added = (before << scaler.shift) - (low + scaler.zero_point) * scaler.multiplier
    reach = max(abs(low), abs(low + limit)) * scaler.multiplier + abs(added)
    if in_pairs or scaler.bias or scaler.drop or before + after > MOST_REPEATED or reach > MOST_ADDED:
        return _code(out, scaler, inputs, feature, keep=in_pairs), 0, 0
    return f"x{feature} * {scaler.multiplier}{_plus(added)} >> {scaler.shift}", before, after


def _code(out: Block, scaler: CodeScaler, inputs: Inputs, feature: int, *, keep: bool) -> str:
    """Append what makes a feature's code, if it takes more than an expression or is wanted again; return it.

    A logarithm always has a name of its own: what it is made of, u and e, is the next one's, too.
    """
    low, zero_point = inputs.lows[feature], scaler.zero_point
    if scaler.bias:
        out.add(f"u = {_shifted(feature, scaler.bias - low)}")
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
    elif scaler.drop:
        text = _shifted(feature, -low)
        text = f"(({text} >> {scaler.drop}) - {zero_point})" if zero_point else f"({text} >> {scaler.drop})"
    else:
        text = _shifted(feature, -low - zero_point)
        text = f"({text})" if low + zero_point else text
    text = f"{text} * {scaler.multiplier}" if scaler.multiplier != 1 else text
    text = f"{text} >> {scaler.shift}" if scaler.shift else text
    least, most = _unclamped(scaler, inputs.limits[feature])
    if not (keep or scaler.bias or least < 0 or most > scaler.top):
        return text
    name = f"c{feature}"
    out.add(f"{name} = {text}")
    _clamp(out, name, least, most, scaler.top)
    return name


def _unclamped(scaler: CodeScaler, limit: int) -> tuple[int, int]:
    """Return the codes of a feature's least and largest value before they are clamped."""
    plain = replace(scaler, zero_point=0, multiplier=1, shift=0, top=1 << 40)
    least, most = (int(u) for u in scale([plain], np.array([[0], [limit]]))[:, 0])
    least, most = ((u - scaler.zero_point) * scaler.multiplier >> scaler.shift for u in (least, most))
    return least, most


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
    step = min(max(number, -MOST_ADDED), MOST_ADDED)
    return f"x{feature}{_plus(step)}{_plus(number - step)}"


def _plus(number: int) -> str:
    return f" + {number}" if number > 0 else f" - {-number}" if number else ""
