"""Random models of every family, as unkind as the model file allows, and rows of readings for them.

A new family, kind of feature or part of the file has its place here: add it to FAMILIES, `windows` or `scalers`, and
every form that a model is written in is held against the oracle on it (generated_forms.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from dibble.inference import features as board
from dibble.inference.fixed_point import MISSING, READING_LIMIT
from dibble.inference.number import MOST_MULTIPLIER, MOST_SHIFT, MOST_STEPS
from dibble.inference.parts import NUMBER
from dibble_tools.data.channels import Channel
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.families.additive.tables import AdditiveTables, Term
from dibble_tools.families.forest.trees import IntegerTrees
from dibble_tools.families.mlp.tables import Layer, MlpTables
from dibble_tools.families.novelty import Novelty
from dibble_tools.families.scaling import Scaler, drop_of, log2_steps
from dibble_tools.model.evaluator import Decisions
from dibble_tools.model.golden import golden_rows
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.number import Quantity, number_part
from dibble_tools.model.writer import ModelSpec, export, forest_spec

SPANS = (0, 1, 7, 200, 255, 256, 1000, 4000, 65_535, 65_536, 10**6, 1 << 24, 1 << 29, READING_LIMIT - 1)
SPAN_WEIGHTS = np.array([1, 1, 1, 4, 1, 1, 6, 4, 1, 1, 4, 2, 1, 1])
SIZES = (1, 2, 3, 4, 5, 9, 30, 100, 255)
INTERVAL_MS = 60_000
ELAPSED = (INTERVAL_MS, 30_000, 90_000, 29_999, 90_001, 0, -1, 1 << 29)
ELAPSED_WEIGHTS = (0.83, 0.04, 0.04, 0.025, 0.025, 0.02, 0.01, 0.01)
MLP_FORMS = ("dense8", "dense16", "sparse8", "codebook4")
SAMPLED = 400  # rows by which a model's thresholds are put where both sides happen


@dataclass(frozen=True)
class Case:
    """A model, rows for it, and what the host's oracle decides on them."""

    name: str
    spec: ModelSpec
    model: HostModel
    readings: np.ndarray
    elapsed_ms: np.ndarray | None
    expected: Decisions


def random_case(seed: int, rows: int, families: Sequence[str] = (), *, novelty: bool = True) -> Case:
    """Return the case of a seed: consecutive seeds take the families in turn, half of them with novelty.

    Args:
        families: of FAMILIES; all of them if left out.
        novelty: False where none may have it.
    """
    rng = np.random.default_rng(seed)
    turn = list(families or FAMILIES)
    family = turn[seed % len(turn)]
    spec = _spec(rng, family)
    readings, elapsed = _rows(rng, spec, rows)
    spec = _settled(rng, spec, readings, elapsed)
    spec = spec if novelty else replace(spec, novelty=None)
    return _case(f"{family} {seed}", spec, readings, elapsed, golden=rng.random() < 0.9)


def case_of(spec: ModelSpec, seed: int, rows: int) -> Case:
    """Return a model with random rows."""
    return _case(spec.name, spec, *_rows(np.random.default_rng(seed), spec, rows))


def _rows(rng: np.random.Generator, spec: ModelSpec, rows: int) -> tuple[np.ndarray, np.ndarray | None]:
    readings = random_readings(rng, spec.channels, rows)
    return readings, rng.choice(ELAPSED, rows, p=ELAPSED_WEIGHTS) if spec.features and spec.interval_ms else None


def _case(
    name: str, spec: ModelSpec, readings: np.ndarray, elapsed_ms: np.ndarray | None, *, golden: bool = True
) -> Case:
    model = HostModel(export(spec, golden_rows(spec, readings, elapsed_ms) if golden else []))
    return Case(name, spec, model, readings, elapsed_ms, model.decide(readings, elapsed_ms))


def _spec(rng: np.random.Generator, family: str) -> ModelSpec:
    channels = channels_at_random(rng)
    features = windows(rng, channels) if rng.random() < 0.5 else []
    limits = [f.limit(channels) for f in features] or [c.high - c.low for c in channels]
    classes = int(rng.choice([1, 2, 3, 4, 7], p=[0.06, 0.3, 0.3, 0.24, 0.1]))
    if family == "mlp":
        classes = max(classes, 2)
    names = [f"class {i}" for i in range(classes)]
    interval = INTERVAL_MS if features and rng.random() < 0.9 else 0
    spec = FAMILIES[family](rng, channels, features, limits, names)
    parts = {NUMBER: number_part(random_number(sum(limits)))} if classes == 2 else {}
    hysteresis = int(rng.choice([1, 1, 2, 3, 300]))
    return replace(
        spec,
        interval_ms=interval,
        hysteresis=hysteresis,
        parts=parts,
        stand_ins=random_stand_ins(channels, sum(limits)),
    )


def random_stand_ins(channels: Sequence[Channel], seed: int) -> list[int | None]:
    """Return for every second model what stands in for missing readings of most of its channels."""
    rng = np.random.default_rng(seed + 1)
    if rng.random() < 0.5:
        return []
    places = rng.choice([0.0, 0.5, 1.0, rng.random()], len(channels))
    return [
        None if rng.random() < 0.2 else int(place * (c.high - c.low)) for c, place in zip(channels, places, strict=True)
    ]


def random_number(seed: int) -> Quantity:
    """Return a number that a lead stands for, of any steps, at any place that it can have."""
    rng = np.random.default_rng(seed)
    ends = sorted(int(end) for end in rng.integers(-MOST_STEPS, MOST_STEPS, 2, endpoint=True) >> rng.integers(0, 29))
    channel = Channel("yield", "kg", int(rng.integers(1, 256)), int(rng.integers(-9, 10)), *ends)
    base, multiplier = int(rng.integers(ends[0], ends[1], endpoint=True)), int(rng.integers(1, MOST_MULTIPLIER + 1))
    shift = int(rng.integers(0, MOST_SHIFT + 1))
    return Quantity(channel, base, multiplier, shift, 3, 90, int(rng.choice([0, 3600, 86400, 5400])))


def _settled(
    rng: np.random.Generator, spec: ModelSpec, readings: np.ndarray, elapsed_ms: np.ndarray | None
) -> ModelSpec:
    """Return the model with a margin that is unsure, and tables of novelty, in the midst of what happens."""
    if rng.random() < 0.7:
        part = None if elapsed_ms is None else elapsed_ms[:SAMPLED]
        margins = HostModel(export(spec)).decide(readings[:SAMPLED], part).margin
        spec = replace(spec, unsure_below=int(np.quantile(margins, rng.choice([0.02, 0.3]))) + int(rng.integers(2)))
    if rng.random() < 0.5:
        tables = additive_tables(rng, spec.limits, 2)
        values = rng.integers(0, np.array(spec.limits) + 1, (SAMPLED, len(spec.limits)))
        scores = tables.scores(values, spec.limits)[:, 1]
        spec = replace(spec, novelty=Novelty(tables, int(np.quantile(scores, rng.choice([0.05, 0.3]))), 0.05))
    return spec


def channels_at_random(rng: np.random.Generator) -> list[Channel]:
    """Return one to five channels of any span, at any place that readings can have, both ends included."""
    channels = []
    for i in range(int(rng.integers(1, 6))):
        span = int(rng.choice(SPANS, p=SPAN_WEIGHTS / SPAN_WEIGHTS.sum()))
        least, most = 1 - READING_LIMIT, READING_LIMIT - 1 - span
        places = [0, 1, -(span // 2), -span, least, most, int(rng.integers(least, most + 1))]
        low = int(rng.choice([min(max(place, least), most) for place in places], p=[0.4, *[0.1] * 6]))
        channels.append(Channel(f"x{i}", "", 1, 0, low, low + span))
    return channels


def windows(rng: np.random.Generator, channels: Sequence[Channel]) -> list[FeatureSpec]:
    """Return features of every kind over some of the channels, in any order, or all of them last readings."""
    kinds = [board.LAST] if rng.random() < 0.2 else list(range(len(board.KINDS)))
    found: list[FeatureSpec] = []
    for _ in range(int(rng.integers(1, 9))):
        channel = int(rng.integers(len(channels)))
        span = channels[channel].high - channels[channel].low
        kind = int(rng.choice(kinds))
        sizes = [size for size in SIZES if board.window_limit(kind, size, span) <= READING_LIMIT]
        feature = FeatureSpec(channel, kind, int(rng.choice(sizes or [1])))
        if kind == board.LAST or not sizes:
            feature = FeatureSpec(channel, board.LAST, 1)
        if feature not in found:
            found.append(feature)
    return found


def scalers(rng: np.random.Generator, limits: Sequence[int], tops: Sequence[int]) -> list[Scaler]:
    """Return scalers of every kind: linear and logarithmic, over the whole range or a part of it, and any at all."""
    return [_scaler(rng, limit, int(top)) for limit, top in zip(limits, tops, strict=True)]


def _scaler(rng: np.random.Generator, limit: int, top: int) -> Scaler:
    bias = 0
    if rng.random() < 0.5:
        bias = int(rng.choice([1, 2, limit // 50 + 1, limit // 2 + 1, 300, 8191, 1 << 28]))
        bias = min(bias, (1 << 30) - 1 - limit)
    ends = log2_steps(np.array([0, limit]) + bias) if bias else np.array([0, limit]) >> drop_of(limit)
    least, most = (int(end) for end in ends)
    kind = rng.choice(["whole", "below", "part", "any"], p=[0.4, 0.1, 0.4, 0.1])
    if kind == "any":
        return Scaler(
            *(bias > 0, bias, int(rng.integers(0, 1 << 15)), int(rng.integers(1, 128)), int(rng.integers(0, 30)), top)
        )
    if kind == "part":
        least, most = sorted(int(end) for end in rng.integers(least, most + 1, 2))
    if kind == "below":
        least = int(rng.integers(0, least + 1))
    span = max(most - least, 1)
    shift = 29
    while shift and ((top + 1) << shift) // (span + 1) > 127:
        shift -= 1
    return Scaler(bias > 0, bias, least, min(max(((top + 1) << shift) // (span + 1), 1), 127), shift, top)


def forest_of_votes(
    rng: np.random.Generator,
    channels: Sequence[Channel],
    features: Sequence[FeatureSpec],
    limits: Sequence[int],
    names: Sequence[str],
) -> ModelSpec:
    """Return trees whose leaves are votes: deep ones of several pages, and whose code takes several functions."""
    trees, depth = [(1, 0), (1, 3), (7, 6), (3, 10), (12, 3), (2, 5), (14, 10)][int(rng.integers(7))]
    return forest_spec("random", channels, names, grow(rng, limits, len(names), trees, depth), features)


def forest_of_amounts(
    rng: np.random.Generator,
    channels: Sequence[Channel],
    features: Sequence[FeatureSpec],
    limits: Sequence[int],
    names: Sequence[str],
) -> ModelSpec:
    """Return trees whose leaves give amounts, as boosted ones do."""
    trees, depth = [(1, 2), (6, 4), (15, 3), (40, 2)][int(rng.integers(4))]
    classes, leaves, largest = len(names), 90 // len(names), int(rng.choice([3, 30, 255]))
    grown = grow(rng, limits, leaves * classes, trees, depth, leaves if rng.random() < 0.8 else 0)
    gives = [
        (i // leaves, int(rng.choice([0, 1, rng.integers(largest + 1), largest]))) for i in range(leaves * classes)
    ]
    base = rng.integers(0, [1, 300, 20_000][int(rng.integers(3))], classes).tolist()
    given = IntegerTrees(grown.nodes, grown.roots, classes, gives, base)
    return forest_spec("random", channels, names, given, features)


def grow(
    rng: np.random.Generator, limits: Sequence[int], leaves: int, trees: int, depth: int, alike: int = 0
) -> IntegerTrees:
    """Return trees that ask about values 0..limit of each feature, ends and what no value is beyond included.

    Args:
        alike: leaves of a tree are one of so many that follow each other; 0: they are any.
    """
    first, choice = 0, leaves
    nodes: list[tuple[int, int, int, int]] = []
    useful = [i for i, limit in enumerate(limits) if limit] or [0]

    def node(left: int) -> int:
        if left == 0 or rng.random() < 0.15:
            return -1 - first - int(rng.integers(choice))
        low, high = node(left - 1), node(left - 1)
        feature = int(rng.choice(useful))
        most = max(limits[feature] - 1, 0)
        spread = int(most ** rng.random()) if rng.random() < 0.3 else int(rng.integers(most + 1))
        nodes.append((feature, int(rng.choice([0, most, spread], p=[0.05, 0.05, 0.9])), low, high))
        return len(nodes) - 1

    roots = []
    for _ in range(trees):
        if alike:
            first, choice = alike * int(rng.integers(leaves // alike)), alike
        roots.append(node(depth))
    return IntegerTrees(nodes, roots, leaves)


def additive(
    rng: np.random.Generator,
    channels: Sequence[Channel],
    features: Sequence[FeatureSpec],
    limits: Sequence[int],
    names: Sequence[str],
) -> ModelSpec:
    """Return tables for single features and pairs."""
    return ModelSpec("random", list(channels), list(names), additive_tables(rng, limits, len(names)), list(features))


def additive_tables(rng: np.random.Generator, limits: Sequence[int], classes: int) -> AdditiveTables:
    """Return tables of single features, of pairs, or both of a feature; some features are asked by none."""
    count = len(limits)
    every: list[Scaler | None] = list(scalers(rng, limits, rng.choice([1, 2, 5, 16, 31, 127], count)))
    largest = int(rng.choice([1, 20, 255]))
    drawn = [i for i in range(count) if rng.random() < 0.8]
    pairs = (
        [tuple(int(i) for i in rng.choice(count, 2, replace=False)) for _ in range(int(rng.integers(4)))]
        if count > 1
        else []
    )
    used = {*drawn, *(i for pair in pairs for i in pair)}
    if not used:
        drawn, used = [0], {0}
    every = [scaler if i in used else None for i, scaler in enumerate(every)]
    asked = [((i,), (0,)) for i in drawn]
    for pair in dict.fromkeys(pairs):
        asked.append((pair, tuple(_shift(rng, every[i].top) for i in pair)))
    terms = []
    for which, shifts in asked:
        cells = int(np.prod([(every[i].top >> s) + 1 for i, s in zip(which, shifts, strict=True)]))
        table = rng.integers(0, largest + 1, (classes - 1, cells)).astype(np.uint8)
        terms.append(
            Term(which, shifts, table, table.mean(axis=1).astype(np.uint8) if classes > 1 else np.zeros(0, np.uint8))
        )
    base = rng.integers(0, largest + 1, classes)
    base[0] += largest * len(terms) // 2  # the reference has no tables: make it as likely
    if rng.random() < 0.2:
        base += int(rng.choice([1000, 30_000]))
    tables = AdditiveTables(classes, every, terms, base.tolist(), 32.0)
    tables.check()
    return tables


def _shift(rng: np.random.Generator, top: int) -> int:
    """Return by how much a code of a pair is shortened: to 4 bits at most, so that a table stays small."""
    least = max(top.bit_length() - 4, 0)
    return int(rng.integers(least, max(top.bit_length(), least + 1)))


def mlp(
    rng: np.random.Generator,
    channels: Sequence[Channel],
    features: Sequence[FeatureSpec],
    limits: Sequence[int],
    names: Sequence[str],
) -> ModelSpec:
    """Return a network of one to three layers, each of any form, whose scores use the whole range."""
    widths = [int(rng.integers(1, 13)) for _ in range(int(rng.integers(0, 3)))]
    sizes = [len(limits), *widths, len(names) - 1]
    layers = [_layer(rng, sizes[i], sizes[i + 1], last=i + 2 == len(sizes)) for i in range(len(sizes) - 1)]
    draft = MlpTables(len(names), scalers(rng, limits, [255] * len(limits)), layers, 0, 32.0)
    values = rng.integers(0, np.array(limits) + 1, (SAMPLED, len(limits)))
    base = int(np.quantile(draft.scores(values, limits)[:, 1:].max(axis=1), 0.4))
    tables = replace(draft, base=base)
    tables.check()
    return ModelSpec("random", list(channels), list(names), tables, list(features))


def _layer(rng: np.random.Generator, inputs: int, units: int, *, last: bool) -> Layer:
    form = str(rng.choice(MLP_FORMS))
    most = 32767 if form == "dense16" else 127
    weights = rng.integers(-most, most + 1, (units, inputs))
    if rng.random() < 0.3:
        weights = rng.choice([0, 1, -1, 2, most], (units, inputs))
    if form == "sparse8":
        weights = np.where(rng.random(weights.shape) < 0.6, 0, weights)
    if form == "codebook4":
        weights = rng.choice(np.append(rng.integers(-127, 128, 15), 0), weights.shape)
    reach = np.maximum(np.abs(weights).sum(axis=1) * 255, 1)
    if not last:
        shifts = [max(int(r) // 600, 1).bit_length() - int(rng.integers(2)) for r in reach]
        return Layer(weights, rng.integers(-500, 500, units).tolist(), shifts, form)
    shift = max(int(reach.max()) // 32_000, 1).bit_length()
    return Layer(weights, (-np.minimum(weights, 0).sum(axis=1) * 255).tolist(), [shift] * units, form)


FAMILIES: dict[str, Callable[..., ModelSpec]] = {
    "forest": forest_of_votes,
    "boosted": forest_of_amounts,
    "additive": additive,
    "mlp": mlp,
}


def random_readings(rng: np.random.Generator, channels: Sequence[Channel], rows: int) -> np.ndarray:
    """Return wandering readings, or of any magnitude above the low; some missing, at an end or beyond."""
    out = np.empty((rows, len(channels)), dtype=np.int64)
    for i, c in enumerate(channels):
        span = c.high - c.low
        steps = rng.integers(-(span // 6), span // 6 + 1, rows)
        column = np.clip(c.low + span // 2 + np.cumsum(steps), c.low, c.high)
        fresh = rng.random(rows) < 0.15
        column[fresh] = rng.integers(c.low, c.high + 1, fresh.sum())
        small = rng.random(rows) < 0.4
        column[small] = c.low + np.minimum((span + 1.0) ** rng.random(small.sum()), span).astype(np.int64)
        kind = rng.random(rows)
        ends = (MISSING, c.low, c.high, c.low - 1, c.high + 1, 1 - READING_LIMIT, READING_LIMIT)
        for k, special in enumerate(ends):
            column[(kind >= k * 0.01) & (kind < (k + 1) * 0.01)] = special
        out[:, i] = column
    return out
