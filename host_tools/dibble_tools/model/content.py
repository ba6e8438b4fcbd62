"""What a model file holds, as plain integers: what `dibble export` writes programs from.

Features are numbered anew, in the order of their channels and without those that no table asks about, so that a
program can push each reading through its windows to its code in one pass and keep nothing but the code.
"""

from dataclasses import dataclass

from dibble.inference.features import KINDS, LAST

from dibble_tools.data.channels import Channel


@dataclass(frozen=True)
class Feature:
    """A channel (by index) seen through a window of `size` readings; its values are 0..limit."""

    channel: int
    kind: int
    size: int
    limit: int

    def __str__(self) -> str:
        return KINDS[self.kind] + (f":{self.size}" if self.kind != LAST else "")


@dataclass(frozen=True)
class Scaler:
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
        thresholds: of each feature, ascending; none where a value has 8 bits: it is its own code.
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


@dataclass(frozen=True)
class Term:
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
    """Tables over codes, a scaler for each feature."""

    scalers: list[Scaler]
    terms: list[Term]
    base: list[int]


@dataclass(frozen=True)
class Layer:
    """A layer of a network.

    Attributes:
        form: mlp.DENSE8 .. mlp.CODEBOOK4.
        rows: for each unit, a weight for each input; where the form is SPARSE8, (input, weight) of those not 0.
        book: the 16 weights of CODEBOOK4, of which the rows hold places; else empty.
    """

    form: int
    rows: list[list[int]] | list[list[tuple[int, int]]]
    biases: list[int]
    shifts: list[int]
    book: list[int]


@dataclass(frozen=True)
class Mlp:
    """A network over codes, a scaler for each feature; class 0's score is `base`."""

    scalers: list[Scaler]
    layers: list[Layer]
    base: int


@dataclass(frozen=True)
class Golden:
    """A row of readings (None: missing) to replay in order from a fresh start, and its decision."""

    readings: list[int | None]
    class_index: int
    margin: int
    flags: int


@dataclass(frozen=True)
class Content:
    """All of a model.

    Attributes:
        timed: the rows are a time series, and the time between two can be a gap.
        novelty, novel_below: tables of how usual a combination is (two classes, of which score 1 counts), or None.
    """

    name: str
    classes: tuple[str, ...]
    channels: list[Channel]
    features: list[Feature]
    family: Forest | Additive | Mlp
    novelty: Additive | None
    novel_below: int
    interval_ms: int
    timed: bool
    unsure_below: int
    hysteresis: int
    golden: list[Golden]
