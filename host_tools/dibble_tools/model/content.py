"""What a model file holds, decoded into plain integers: the one form in which the host knows a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from dibble.inference.features import KINDS, LAST

from dibble_tools.data.channels import Channel
from dibble_tools.data.feature_spec import ChannelRatio
from dibble_tools.data.sound.segments import SoundSettings
from dibble_tools.families.maps.tables import Frame
from dibble_tools.model.number import Quantity

LARGEST_CODE = 255


@dataclass(frozen=True)
class Feature:
    """A channel (by index; beyond them a ratio) seen through a window of `size` readings; its values are 0..limit."""

    channel: int
    kind: int
    size: int
    limit: int

    def __str__(self) -> str:
        return KINDS[self.kind] + (f":{self.size}" if self.kind != LAST else "")


@dataclass(frozen=True)
class CodeScaler:
    """As models/FORMAT.md has it; top 0: this table doesn't ask about the feature. bias 0: linear."""

    drop: int = 0
    bias: int = 0
    zero_point: int = 0
    multiplier: int = 0
    shift: int = 0
    top: int = 0


@dataclass(frozen=True)
class Forest:
    """Trees over codes.

    Attributes:
        thresholds: of each feature, ascending; a value's code is how many of them lie below it. Where there are
            none, it is its own code.
        page_nodes: nodes of each page; the first page of tree i is page i.
        first_followers: for each page, the first of the pages that follow it; empty where every tree is one page.
        nodes: (feature, code, left, right); references as in models/FORMAT.md.
        leaves: (class, amount) of each leaf; None: leaf i is a vote for class i.
    """

    thresholds: list[list[int]]
    trees: int
    page_nodes: list[int]
    first_followers: list[int]
    nodes: list[tuple[int, int, int, int]]
    leaves: list[tuple[int, int]] | None
    base: list[int]

    def threshold(self, feature: int, code: int) -> int:
        """Return the largest value of a feature that a split at `code` sends left."""
        own = self.thresholds[feature]
        return own[code] if own else code

    def used(self) -> set[int]:
        """Return the features that a split asks about."""
        return {node[0] for node in self.nodes}

    def renumbered(self, new: Mapping[int, int], limits: Sequence[int]) -> "Forest":
        """Return the same trees by new numbers of features; a feature of 8 bits is its own code there.

        Args:
            new: number of each feature that is kept.
            limits: of each feature, by the numbers so far.
        """
        nodes = []
        for feature, code, left, right in self.nodes:
            own = self.thresholds[feature]
            if own and limits[feature] <= LARGEST_CODE:
                # Its value is at most a threshold just where its code is at most that one's place.
                code = own[code] if code < len(own) else LARGEST_CODE
            nodes.append((new[feature], code, left, right))
        thresholds = [[] if limits[i] <= LARGEST_CODE else self.thresholds[i] for i in new]
        return replace(self, thresholds=thresholds, nodes=nodes)


@dataclass(frozen=True)
class TableTerm:
    """A table over the code of feature a or, with a second, over those of a and b.

    Attributes:
        row: entries for each step of code a >> shift_a; 1 where there is no b.
        entries: for each cell, the amount of each class but the first.
    """

    a: int
    shift_a: int
    row: int
    b: int | None
    shift_b: int
    entries: list[list[int]]


@dataclass(frozen=True)
class Additive:
    """Tables over codes, a scaler for each feature.

    Attributes:
        terms: features alone, then pairs.
        base: each class's score before any table; class 0's is its score.
    """

    scalers: list[CodeScaler]
    terms: list[TableTerm]
    base: list[int]

    def used(self) -> set[int]:
        """Return the features that have a code."""
        asked = {i for term in self.terms for i in (term.a, term.b) if i is not None}
        return asked | {i for i, scaler in enumerate(self.scalers) if scaler.top}

    def renumbered(self, new: Mapping[int, int], limits: Sequence[int]) -> "Additive":
        """Return the same tables by new numbers of features: see Forest.renumbered."""
        terms = [replace(t, a=new[t.a], b=None if t.b is None else new[t.b]) for t in self.terms]
        return Additive([self.scalers[i] for i in new], terms, self.base)


@dataclass(frozen=True)
class NetworkLayer:
    """A layer of a network.

    Attributes:
        form: how its weights lie in the file: of tables_bytes.FORMS.
        rows: for each unit, a weight for each input; where the form is sparse8, (input, weight) of those not 0.
        book: the 16 weights of codebook4, of which the rows hold places; else empty.
    """

    form: str
    rows: list[list[Any]]
    biases: list[int]
    shifts: list[int]
    book: list[int]

    def weights(self, inputs: int) -> list[list[int]]:
        """Return each unit's weight for each of `inputs` inputs, whatever the form."""
        if self.form == "sparse8":
            kept = [dict(row) for row in self.rows]
            return [[row.get(i, 0) for i in range(inputs)] for row in kept]
        if self.book:
            return [[self.book[place] for place in row] for row in self.rows]
        return self.rows


@dataclass(frozen=True)
class Mlp:
    """A network over codes, a scaler for each feature; class 0's score is `base`."""

    scalers: list[CodeScaler]
    layers: list[NetworkLayer]
    base: int

    def used(self) -> set[int]:
        """Return the features: a network asks about each."""
        return set(range(len(self.scalers)))

    def renumbered(self, new: Mapping[int, int], limits: Sequence[int]) -> "Mlp":
        """Return the same network by new numbers of features: see Forest.renumbered."""
        first = self.layers[0]
        if first.form == "sparse8":
            rows: list[list[Any]] = [[(new[at], weight) for at, weight in row] for row in first.rows]
        else:
            rows = [[row[i] for i in new] for row in first.rows]
        return Mlp([self.scalers[i] for i in new], [replace(first, rows=rows), *self.layers[1:]], self.base)


@dataclass(frozen=True)
class Step:
    """A step of a network of maps, as its plan tells it to a kernel.

    Attributes:
        kind: "conv", "depthwise", "pool" or "add".
        words: of its plan, by the names that firmware's kernels/maps_words.py has for them.
        around: words of the plan that fills what lies around its output; empty where nothing does.
        weights: (units, weights of each), biases, shifts: of conv and depthwise; else empty.
    """

    kind: str
    words: Mapping[str, int]
    around: tuple[int, ...]
    weights: np.ndarray
    biases: list[int]
    shifts: list[int]


@dataclass(frozen=True)
class RowLayer:
    """A layer of a network with a memory.

    Attributes:
        kind: "full8", "full4", "depthwise8" or "mean".
        taps: hops that it sees, the oldest first; of a mean a power of two.
        rows: for each unit, a weight for each of its inputs, hop by hop; none of a mean.
    """

    kind: str
    inputs: int
    units: int
    taps: int
    stride: int
    rows: list[list[int]]
    biases: list[int]
    shifts: list[int]


@dataclass(frozen=True)
class Maps:
    """A convolutional network over a frame; all maps lie in one arena, the scores of 16 bits, too.

    Attributes:
        taken: where the frame goes: place, bytes of a row, bytes to skip after it, rows.
        around: as Step's, of the frame.
    """

    frame: Frame
    arena_bytes: int
    taken: tuple[int, ...]
    around: tuple[int, ...]
    steps: list[Step]

    def used(self) -> set[int]:
        """Return the features: a network asks about each reading of a frame."""
        return set(range(self.frame.size))

    def renumbered(self, new: Mapping[int, int], limits: Sequence[int]) -> "Maps":
        """Return the same network: a frame's readings keep their order."""
        return self

    def multiply_adds(self) -> int:
        """Return how many products of a weight and a code a frame takes."""
        return sum(step.words["OUT_HEIGHT"] * step.words["OUT_WIDTH"] * step.weights.size for step in self.steps)


@dataclass(frozen=True)
class Stream:
    """A network over rows of codes as they come, whose layers remember the rows before."""

    layers: list[RowLayer]

    def used(self) -> set[int]:
        """Return the features: a network asks about each."""
        return set(range(self.layers[0].inputs))

    def renumbered(self, new: Mapping[int, int], limits: Sequence[int]) -> "Stream":
        """Return itself: each code of a row has its place."""
        return self


@dataclass(frozen=True)
class Golden:
    """A row of readings (None: missing) to replay in order from a fresh start, and its decision.

    Attributes:
        seed: that a frame is drawn from; 0 of other rows.
    """

    readings: list[int | None]
    class_index: int
    margin: int
    flags: int
    seed: int = 0


WITHOUT_FILE = (
    "expected another form than this, got a network of maps: it is written as C (--to c), or used from model.dib"
)
FAMILIES: dict[type, str] = {
    Forest: "forest",
    Additive: "additive",
    Mlp: "mlp",
    Stream: "stream",
    Maps: "maps",
}


@dataclass(frozen=True)
class Content:
    """All of a model.

    Attributes:
        features: in the file's order.
        windowed: the file lists its features: a row is pushed through windows. Else each channel is a feature.
        novelty, novel_below: tables of how usual a combination is (two classes, of which score 1 counts), or None.
        interval_ms: sampling interval of a time series; 0 where each row stands alone.
        unsure_below: a smaller margin is flagged unsure.
        hysteresis: trusted decisions in a row that change the held class.
        ratios: channels made of others: a feature's channel may be one, numbered after the model's own.
        format, parts: of the file, and the names of its optional parts.
        number: what number its decisions stand for; None: they are classes.
        stand_ins: for each channel what stands in for a missing reading, above its low; None: nothing. Empty where no
            channel has one.
        sound: what turns a stream of samples into the channels, where they aren't measured one by one.
        family_bytes, novelty_bytes: that the tables take in the file.
    """

    name: str
    classes: tuple[str, ...]
    channels: list[Channel]
    features: list[Feature]
    windowed: bool
    family: Forest | Additive | Mlp | Stream | Maps
    novelty: Additive | None
    novel_below: int
    interval_ms: int
    unsure_below: int
    hysteresis: int
    golden: list[Golden]
    format: int
    parts: tuple[str, ...]
    sound: SoundSettings | None
    family_bytes: int
    novelty_bytes: int
    number: Quantity | None = None
    ratios: tuple[ChannelRatio, ...] = ()
    stand_ins: tuple[int | None, ...] = ()

    @property
    def family_name(self) -> str:
        """The family's name, as `dibble train --family` has it."""
        return FAMILIES[type(self.family)]

    @property
    def tells_why(self) -> bool:
        """Whether a decision comes with the channel that pushed hardest: an additive model's does."""
        return isinstance(self.family, Additive)

    def channels_of(self, feature: Feature) -> tuple[int, ...]:
        """Return the model's own channels that a feature is made of."""
        ratio = feature.channel - len(self.channels)
        return self.ratios[ratio].channels if ratio >= 0 else (feature.channel,)

    def title(self, feature: Feature) -> str:
        """Return what a feature sees, for people."""
        return self.titles[feature.channel]

    @property
    def titles(self) -> list[str]:
        """What each channel is called, those made of others last."""
        names = [channel.name for channel in self.channels]
        return names + [ratio.title(names) for ratio in self.ratios]

    @property
    def spans(self) -> list[int]:
        """How far each channel moves, those made of others last."""
        return [*(channel.high - channel.low for channel in self.channels), *(ratio.span for ratio in self.ratios)]

    @property
    def limits(self) -> list[int]:
        """The largest value of each feature."""
        return [feature.limit for feature in self.features]

    @property
    def timed(self) -> bool:
        """Whether the rows are a time series, and the time between two can be a gap."""
        return self.windowed and self.interval_ms > 0

    @property
    def looks_back(self) -> bool:
        """Whether a row's decision depends on rows before it."""
        return any(feature.kind != LAST for feature in self.features)

    def compacted(self) -> "Content":
        """Return the same model as programs have it, which push a reading to its code in one pass and keep no more.

        Its features are numbered anew, in the order of their channels, without those that no table asks about; a
        forest's features of 8 bits are their own codes.
        """
        used = self.family.used() | (self.novelty.used() if self.novelty else set())
        new = {old: i for i, old in enumerate(sorted(used, key=lambda i: (self.features[i].channel, i)))}
        return replace(
            self,
            features=[self.features[i] for i in new],
            family=self.family.renumbered(new, self.limits),
            novelty=self.novelty.renumbered(new, self.limits) if self.novelty else None,
        )
