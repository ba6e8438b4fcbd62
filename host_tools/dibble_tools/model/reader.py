"""Read a model file's content, by the firmware's own readers, for the programs that `dibble export` writes."""

from collections.abc import Mapping, Sequence
from typing import Any

from dibble.inference import additive, forest, mlp
from dibble.inference.features import LAST, feature_limit
from dibble.inference.format import ADDITIVE, FOREST, NOVELTY, Cursor

from dibble_tools.model.content import Additive, Content, Feature, Forest, Golden, Layer, Mlp, Scaler, Term
from dibble_tools.model.host_model import HostModel

LARGEST_CODE = 255


def content_of(model: HostModel) -> Content:
    """Return what a model file holds."""
    m = model.model
    spans = [channel.high - channel.low for channel in model.channels]
    windows = [(w.channel, w.kind, w.size) for w in m.windows.windows] if m.windows else None
    every = windows or [(i, LAST, 1) for i in range(len(spans))]
    family, used = _family(model, Cursor(m.blob, m.family_at))
    novelty = None
    if m.blob[5] & NOVELTY:
        novelty, also = _additive(model, Cursor(m.blob, m.novelty_at), 2)
        used |= also
    order = sorted(used, key=lambda i: (every[i][0], i))
    new = {old: i for i, old in enumerate(order)}
    features = [Feature(*every[i], feature_limit(every[i][1], spans[every[i][0]])) for i in order]
    return Content(
        name=m.name,
        classes=m.classes,
        channels=model.channels,
        features=features,
        family=_renumbered(family, order, new),
        novelty=_renumbered(novelty, order, new) if novelty else None,
        novel_below=m.novel_below,
        interval_ms=m.interval_ms,
        timed=bool(windows and m.interval_ms),
        unsure_below=m.unsure_below,
        hysteresis=m.decision.hysteresis,
        golden=_golden(model),
    )


def _family(model: HostModel, cursor: Cursor) -> tuple[Forest | Additive | Mlp, set[int]]:
    """Return the family's tables, by the file's numbers of features, and which features they ask about."""
    m = model.model
    classes = len(m.classes)
    kind = m.blob[5] & ~NOVELTY
    if kind == FOREST:
        return _forest(model, cursor)
    if kind == ADDITIVE:
        return _additive(model, cursor, classes)
    scalers, base, layers = mlp.read(cursor, m.limits, classes)
    inputs = len(m.limits)
    read = []
    for form, (rows, biases, shifts, extra) in layers:
        read.append(_layer(form, rows, list(biases), list(shifts), extra, inputs))
        inputs = len(rows)
    return Mlp([_scaler(scaler[1:]) for scaler in scalers], read, base), set(range(len(m.limits)))


def _forest(model: HostModel, cursor: Cursor) -> tuple[Forest, set[int]]:
    m = model.model
    layout, tables = forest.read(cursor, m.limits, len(m.classes))
    features, codes, lefts, rights, starts, children, _, trees, classes, amounts, base = tables
    thresholds: list[list[int]] = [[] for _ in m.limits]
    for feature, width, position, count in layout:
        data = bytes(m.blob[position : position + width * count])
        thresholds[feature] = [int.from_bytes(data[i : i + width], "little") for i in range(0, len(data), width)]
    codes = bytearray(codes)
    for i, feature in enumerate(features):
        # A value of 8 bits needs no code: it is at most a threshold just where its code is at most that one's place.
        if m.limits[feature] <= LARGEST_CODE and thresholds[feature]:
            codes[i] = [*thresholds[feature], LARGEST_CODE][min(codes[i], len(thresholds[feature]))]
    thresholds = [[] if limit <= LARGEST_CODE else own for limit, own in zip(m.limits, thresholds, strict=True)]
    ends = [*starts[1:], len(features)]
    votes = list(classes) == list(range(len(m.classes))) and set(amounts) == {1} and not any(base)
    found = Forest(
        thresholds=thresholds,
        trees=trees,
        page_nodes=[end - start for start, end in zip(starts, ends, strict=True)],
        first_followers=list(children),
        nodes=list(zip(features, codes, lefts, rights, strict=True)),
        leaves=None if votes else list(zip(classes, amounts, strict=True)),
        base=list(base),
    )
    return found, set(features)


def _additive(model: HostModel, cursor: Cursor, classes: int) -> tuple[Additive, set[int]]:
    limits = model.model.limits
    scalers, singles, pairs, tables, _, base = additive.read(cursor, limits, classes)
    feature_of = [scaler[0] for scaler in scalers]
    each = [Scaler() for _ in limits]
    for scaler in scalers:
        each[scaler[0]] = _scaler(scaler[1:])
    terms = [(feature_of[code], 0, 1, None, 0) for code in singles]
    terms += [(feature_of[a], shift_a, row, feature_of[b], shift_b) for a, shift_a, row, b, shift_b in pairs]
    cells = [[list(cell) for cell in zip(*columns, strict=True)] for columns in tables]
    found = [Term(*term, entries=entries) for term, entries in zip(terms, cells, strict=True)]
    return Additive(each, found, list(base)), set(feature_of)


def _scaler(parts: Sequence[int]) -> Scaler:
    return Scaler(*parts)


def _layer(form: int, rows: list, biases: list[int], shifts: list[int], extra: object, inputs: int) -> Layer:
    if form == mlp.SPARSE8:
        pairs = [[(at, weight - 128) for at, weight in zip(*row, strict=True)] for row in rows]
        return Layer(form, pairs, biases, shifts, [])
    if form == mlp.CODEBOOK4:
        places = [[half for byte in row for half in (byte >> 4, byte & 15)][:inputs] for row in rows]
        assert isinstance(extra, bytes | memoryview)
        return Layer(form, places, biases, shifts, [byte - 128 for byte in bytes(extra)])
    zero_point = 128 if form == mlp.DENSE8 else 32768
    return Layer(form, [[weight - zero_point for weight in row] for row in rows], biases, shifts, [])


def _renumbered(tables: Any, order: Sequence[int], new: Mapping[int, int]) -> Any:
    """Return the same tables by the new numbers of features: number i was order[i], and old number j is new[j]."""
    if isinstance(tables, Forest):
        nodes = [(new[feature], code, left, right) for feature, code, left, right in tables.nodes]
        return Forest(
            [tables.thresholds[i] for i in order],
            *(tables.trees, tables.page_nodes, tables.first_followers, nodes, tables.leaves, tables.base),
        )
    scalers = [tables.scalers[i] for i in order]
    if isinstance(tables, Additive):
        terms = [
            Term(new[t.a], t.shift_a, t.row, None if t.b is None else new[t.b], t.shift_b, t.entries)
            for t in tables.terms
        ]
        return Additive(scalers, terms, tables.base)
    first = tables.layers[0]
    if first.form == mlp.SPARSE8:
        rows = [[(new[at], weight) for at, weight in row] for row in first.rows]
    else:
        rows = [[row[i] for i in order] for row in first.rows]
    layers = [Layer(first.form, rows, first.biases, first.shifts, first.book), *tables.layers[1:]]
    return Mlp(scalers, layers, tables.base)


def _golden(model: HostModel) -> list[Golden]:
    m = model.model
    cursor = Cursor(m.blob, m.tables_end)
    found = []
    for _ in range(cursor.number()):
        steps = [cursor.number() for _ in m.low]
        readings = [low + step - 1 if step else None for low, step in zip(m.low, steps, strict=True)]
        found.append(Golden(readings, cursor.byte(), cursor.number(), cursor.byte()))
    return found
