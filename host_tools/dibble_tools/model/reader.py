"""A model file's bytes -> its Content. The only place on the host that knows the firmware's readers."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dibble import ModelError
from dibble.inference import additive, forest, maps, mlp, model_of, stream
from dibble.inference.description import Description
from dibble.inference.features import LAST, feature_limit
from dibble.inference.format import ADDITIVE, FOREST, MLP, NOVELTY, STREAM, Cursor, read_channel
from dibble.inference.image import MAPS, draw
from dibble.inference.kernels import maps_words
from dibble.inference.model import Model
from dibble.inference.number import number_of
from dibble.senses import frames, segment

from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import Channel
from dibble_tools.data.feature_spec import ChannelRatio
from dibble_tools.data.sound.front_end import settings_of
from dibble_tools.data.sound.segments import SegmentSettings, SoundSettings, sound_channels
from dibble_tools.families.forest.integer_trees import IntegerTrees
from dibble_tools.families.forest.tree_sharing import Split
from dibble_tools.families.maps.tables import KINDS, Frame
from dibble_tools.model.content import (
    Additive,
    CodeScaler,
    Content,
    Feature,
    Forest,
    Golden,
    Maps,
    Mlp,
    NetworkLayer,
    RowLayer,
    Step,
    Stream,
    TableTerm,
)
from dibble_tools.model.number import quantity_of
from dibble_tools.model.tables_bytes import FORMS

# The words of a step's plan, in their order.
STEP_WORDS = (
    *("X_AT", "OUT_AT", "UNITS", "RUN", "X_ROW", "X_DOWN", "X_STEP", "OUT_STEP", "OUT_WIDTH", "OUT_DOWN", "OUT_HEIGHT"),
    *("WEIGHTS", "X_PIXEL", "KERNEL_ROWS", "WIDE", "MULTIPLIER", "BIAS", "SHIFT"),
    *("B_AT", "B_DOWN", "B_STEP", "B_MULTIPLIER"),
)
NO_WEIGHTS: tuple[np.ndarray, list[int], list[int]] = np.zeros((0, 0), dtype=np.int64), [], []
LEAVES = 128  # the first reference to a leaf
FORM_OF = {number: form for form, number in FORMS.items()}
STREAM_KINDS = "full8", "full4", "depthwise8", "mean"


def content_of(file: bytes | Model) -> Content:
    """Return the content of a model file.

    Args:
        file: its bytes, or the firmware's Model of them.
    Raises:
        ModelError: damaged, cut short, of another format, or it says what can't be.
    """
    m: Any = file if isinstance(file, Model) else model_of(file)
    told = Description(m)
    sound = _sound(m)
    seen = m.size if m.blob[5] == MAPS else 0
    channels = [Channel(*told.channel(i)) for i in range(seen or len(m.low))]
    if sound:
        channels = sound_channels(sound)
    if not all(channel.mantissa for channel in channels):
        raise ModelError("the model file contradicts itself: a channel in steps of 0")
    told_ratios: Any = m.ratios
    ratios = tuple(ChannelRatio(own, tuple(others), low, span) for own, others, low, span in told_ratios)
    spans = [*(channel.high - channel.low for channel in channels), *(ratio.span for ratio in ratios)]
    windows = m.windows.features if m.windows else []
    every = windows or [(i, LAST, 1) for i in range(len(spans))]
    features = [Feature(channel, kind, size, feature_limit(kind, spans[channel])) for channel, kind, size in every]
    limits = [feature.limit for feature in features]
    kind = m.blob[5] & ~NOVELTY
    cursor = Cursor(m.blob, told.family_at)
    family: Forest | Additive | Mlp | Stream | Maps
    if kind == FOREST:
        family = _forest(cursor, limits, len(told.classes))
    elif kind == ADDITIVE:
        family = _additive(cursor, limits, len(told.classes))
    elif kind == MAPS:
        family = _maps(cursor, m.frame, len(told.classes))
    elif kind == STREAM:
        family = _stream(cursor, told.limits, len(told.classes))
    else:
        family = _mlp(cursor, told.limits, len(told.classes))
    family_bytes = cursor.at - told.family_at
    novelty, novel_below, novelty_bytes = None, 0, 0
    if m.blob[5] & NOVELTY:
        cursor = Cursor(m.blob, m.novelty_at)
        novelty, novel_below = _additive(cursor, limits, 2), m.novel_below
        novelty_bytes = cursor.at - m.novelty_at
    told_number = number_of(m)
    stand_ins: Sequence[int] = m.stand_ins or ()
    return Content(
        name=told.name,
        classes=told.classes,
        channels=channels,
        features=features,
        windowed=bool(windows),
        family=family,
        novelty=novelty,
        novel_below=novel_below,
        interval_ms=told.interval_ms,
        unsure_below=m.unsure_below,
        hysteresis=m.decision.hysteresis,
        golden=_golden_frames(m) if seen else _golden(m),
        format=m.blob[4],
        parts=tuple(str(name, "utf-8") for name in m.parts),
        sound=sound,
        family_bytes=family_bytes,
        novelty_bytes=novelty_bytes,
        number=quantity_of(told_number) if told_number else None,
        ratios=ratios,
        stand_ins=tuple(None if offset < 0 else offset for offset in stand_ins),
    )


@dataclass(frozen=True)
class FilePlaces:
    """Where in a model file, each from its first byte to behind its last: what may be changed for one node.

    Attributes:
        hysteresis, channels: as they are listed; scores: the numbers that classes' scores begin with, bases, of a
            network its last biases; empty where there are none.
        tables_end: where the last of the tables ends.
    """

    hysteresis: tuple[int, int]
    channels: tuple[int, int]
    scores: list[tuple[int, int]]
    tables_end: int


class _Recorder(Cursor):
    """A cursor that keeps where each number lies."""

    def __init__(self, blob: bytes, at: int) -> None:
        Cursor.__init__(self, blob, at)
        self.numbers: list[tuple[int, int]] = []

    def number(self) -> int:
        start = self.at
        value = int(Cursor.number(self))
        self.numbers.append((start, self.at))
        return value


def places_of(m: Model, content: Content) -> FilePlaces:
    """Return these places of the file of a forest, an additive model or a network."""
    head = _Recorder(m.blob, m.head_at)
    for _ in range(3):
        head.number()
    told = Description(m)
    channels = Cursor(m.blob, told.channels_at)
    for _ in content.channels:
        read_channel(channels, "")
    tables = _Recorder(m.blob, told.family_at)
    reader = {FOREST: forest, ADDITIVE: additive, MLP: mlp}[m.blob[5] & ~NOVELTY]
    reader.read(tables, told.limits, len(told.classes))
    votes = isinstance(content.family, Forest) and content.family.leaves is None
    count = 0 if votes else len(told.classes) - isinstance(content.family, Mlp)
    scores = tables.numbers[-count:] if count else [(told.family_at, told.family_at)]
    return FilePlaces(head.numbers[-1], (told.channels_at, channels.at), scores, m.tables_end)


def kernel_tables(blob: bytes) -> tuple[Any, ...]:
    """Return a family's tables as the firmware's own reader hands them to its kernels in machine code."""
    m = Model(blob)
    told = Description(m)
    family = m.blob[5] & ~NOVELTY
    reader = {FOREST: forest, ADDITIVE: additive, MLP: mlp, STREAM: stream}[family]
    arguments = {"in_place": True} if family == MLP else {}
    return reader.read(Cursor(m.blob, told.family_at), told.limits, len(told.classes), **arguments)


def trees_of(forest: Forest) -> IntegerTrees:
    """Return a model's trees over feature values."""
    first = list(itertools.accumulate(forest.page_nodes, initial=0))  # node of each page
    leaves = forest.leaves or [(k, 1) for k in range(len(forest.base))]
    leaves_end = LEAVES + len(leaves)
    nodes: list[Split] = []
    number: dict[int, int] = {}
    # Followers of a page come after it, and so do children of a node: the last first, so that children are known.
    for page in range(len(forest.page_nodes) - 1, -1, -1):
        for i in range(first[page + 1] - 1, first[page] - 1, -1):
            feature, code, *references = forest.nodes[i]
            ends = []
            for reference in references:
                if reference < LEAVES:
                    ends.append(number[first[page] + reference])
                elif reference < leaves_end:
                    ends.append(LEAVES - 1 - reference)
                else:
                    ends.append(number[first[forest.first_followers[page] + reference - leaves_end]])
            number[i] = len(nodes)
            nodes.append((feature, forest.threshold(feature, code), ends[0], ends[1]))
    roots = [number[first[tree]] for tree in range(forest.trees)]
    return IntegerTrees(nodes, roots, len(forest.base), leaves, forest.base)


def _forest(cursor: Cursor, limits: list[int], classes: int) -> Forest:
    layout, tables = forest.read(cursor, limits, classes)
    features, codes, lefts, rights, starts, children, _, trees, of_class, amounts, base = tables
    thresholds: list[list[int]] = [[] for _ in limits]
    for feature, width, position, count in layout:
        data = bytes(cursor.blob[position : position + width * count])
        thresholds[feature] = [int.from_bytes(data[i : i + width], "little") for i in range(0, len(data), width)]
    votes = list(of_class) == list(range(classes)) and set(amounts) == {1} and not any(base)
    return Forest(
        thresholds=thresholds,
        trees=trees,
        page_nodes=[end - start for start, end in itertools.pairwise([*starts, len(features)])],
        first_followers=list(children),
        nodes=list(zip(features, codes, lefts, rights, strict=True)),
        leaves=None if votes else list(zip(of_class, amounts, strict=True)),
        base=list(base),
    )


def _additive(cursor: Cursor, limits: list[int], classes: int) -> Additive:
    scalers, singles, pairs, tables, _, base = additive.read(cursor, limits, classes)
    feature_of = [scaler[0] for scaler in scalers]
    each = [CodeScaler() for _ in limits]
    for feature, *parts in scalers:
        each[feature] = CodeScaler(*parts)
    terms = [(feature_of[code], 0, 1, None, 0) for code in singles]
    terms += [(feature_of[a], shift_a, row, feature_of[b], shift_b) for a, shift_a, row, b, shift_b in pairs]
    sizes = [scalers[code][6] + 1 for code in singles]
    sizes += [((scalers[a][6] >> shift_a) + 1) * row for a, shift_a, row, _, _ in pairs]
    cells = [[[c[i] for c in columns] for i in range(size)] for columns, size in zip(tables, sizes, strict=True)]
    return Additive(each, [TableTerm(*t, entries=e) for t, e in zip(terms, cells, strict=True)], list(base))


def _sound(m: Model) -> SoundSettings | None:
    """Return what a model that listens says of its sense."""
    if frames.NAME not in m.parts:
        return None
    try:
        front_end = settings_of(frames.read(Cursor(m.blob, m.parts[frames.NAME])))
        gate = None
        if segment.NAME in m.parts:
            gate = SegmentSettings(*Cursor(m.blob, m.parts[segment.NAME]).take(len(SegmentSettings._fields)))
        sound = SoundSettings(front_end, gate)
    except InputError as error:
        raise ModelError(f"the model file contradicts itself: {error}") from None
    if sound.features != len(m.low):
        raise ModelError(f"the model file contradicts itself: {len(m.low)} channels, {sound.features} of its sense")
    if (gate is None) != (m.blob[5] == STREAM):
        raise ModelError("the model file contradicts itself: a network over rows, and single sounds")
    return sound


def _mlp(cursor: Cursor, limits: Sequence[int], classes: int) -> Mlp:
    scalers, base, layers = mlp.read(cursor, limits, classes)
    inputs = len(limits)
    read = []
    for form, (rows, biases, shifts, extra) in layers:
        read.append(_layer(form, rows, list(biases), list(shifts), extra, inputs))
        inputs = len(rows)
    return Mlp([CodeScaler(*parts) for _, *parts in scalers], read, base)


def _stream(cursor: Cursor, limits: Sequence[int], classes: int) -> Stream:
    read = []
    for kind, inputs, units, taps, stride, biases, shifts, fours, steps in stream.read(cursor, limits, classes):
        name = STREAM_KINDS[kind]
        if name == "mean":
            read.append(RowLayer(name, inputs, units, 1 << steps, stride, [], [], []))
            continue
        rows = [row for four in fours for row in _four(bytes(four), name)][:units]
        read.append(RowLayer(name, inputs, units, taps, stride, rows, list(biases)[:units], list(shifts)[:units]))
    return Stream(read)


def _four(four: bytes, kind: str) -> list[list[int]]:
    """Return the weights of each of four units, of which those of an input lie side by side."""
    if kind == "full4":
        return [[(byte >> (unit & 1) * 4 & 15) - 8 for byte in four[unit >> 1 :: 2]] for unit in range(stream.TOGETHER)]
    return [[byte - 128 for byte in four[unit :: stream.TOGETHER]] for unit in range(stream.TOGETHER)]


def _layer(number: int, rows: list, biases: list[int], shifts: list[int], extra: object, inputs: int) -> NetworkLayer:
    form = FORM_OF[number]
    if form == "sparse8":
        pairs = [[(at, weight - 128) for at, weight in zip(*row, strict=True)] for row in rows]
        return NetworkLayer(form, pairs, biases, shifts, [])
    if form == "codebook4":
        places = [[half for byte in row for half in (byte >> 4, byte & 15)][:inputs] for row in rows]
        assert isinstance(extra, bytes | memoryview)
        return NetworkLayer(form, places, biases, shifts, [byte - 128 for byte in bytes(extra)])
    zero_point = 128 if form == "dense8" else 32768
    return NetworkLayer(form, [[weight - zero_point for weight in row] for row in rows], biases, shifts, [])


def _maps(cursor: Cursor, frame: tuple[int, ...], classes: int) -> Maps:
    arena_bytes, taken, around, steps = maps.read(cursor, frame, classes)
    height, width, depth, scaled, *scaling = frame
    read = []
    for kind, plan, own, at in steps:
        words = dict(zip(STEP_WORDS, plan, strict=True))
        weights, biases, shifts = NO_WEIGHTS
        if kind <= maps.DEPTHWISE:
            weights, biases, shifts = _blocks(cursor.blob, at, words["UNITS"], words["WEIGHTS"], KINDS[kind])
        read.append(Step(KINDS[kind], words, tuple(own), weights, biases, shifts))
    seen = Frame(height, width, depth, bool(scaled), *scaling)
    return Maps(seen, arena_bytes, tuple(taken[:4]), tuple(around), read)


def _blocks(blob: bytes, at: int, units: int, each: int, kind: str) -> tuple[np.ndarray, list[int], list[int]]:
    """Return (weights (units, each), biases, shifts) of a step's blocks in the file."""
    weights: list[np.ndarray] = []
    biases: list[int] = []
    shifts: list[int] = []
    step = maps_words.CONV_UNITS if kind == "conv" else maps_words.DEPTHWISE_UNITS
    for first in range(0, units, step):
        count = min(step, units - first)
        biases += np.frombuffer(blob, "<i4", count, at).tolist()
        shifts += np.frombuffer(blob, np.uint8, count, at + 4 * count).tolist()
        own = np.frombuffer(blob, np.uint8, count * each, at + 5 * count).astype(np.int64) - 128
        weights.append(own.reshape(each, count).T if kind == "conv" else own.reshape(count, each))
        at += count * (5 + each)
    return np.concatenate(weights), biases, shifts


def _golden_frames(m: Any) -> list[Golden]:
    cursor = Cursor(m.blob, m.tables_end)
    found = []
    for _ in range(cursor.number()):
        frame = [0] * m.size
        seed = cursor.number()
        draw(seed, frame, m.frame)
        found.append(Golden(list(frame), cursor.byte(), cursor.number(), cursor.byte(), seed))
    return found


def _golden(m: Model) -> list[Golden]:
    cursor = Cursor(m.blob, m.tables_end)
    found = []
    for _ in range(cursor.number()):
        steps = [cursor.number() for _ in m.low]
        readings = [low + step - 1 if step else None for low, step in zip(m.low, steps, strict=True)]
        found.append(Golden(readings, cursor.byte(), cursor.number(), cursor.byte()))
    return found
