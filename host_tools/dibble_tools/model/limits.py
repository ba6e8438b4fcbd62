"""What a model may take on a board, and what it will: bytes, heap, instructions, microseconds."""

from collections.abc import Sequence
from dataclasses import dataclass

from dibble.inference.features import LAST
from dibble.inference.kernels.maps_words import CONV_UNITS, DEPTHWISE_UNITS
from dibble.inference.maps import BUFFER_BYTES
from dibble.inference.pages import KEPT_BYTES

from dibble_tools.families.forest.integer_trees import IntegerTrees
from dibble_tools.model.content import Additive, CodeScaler, Content, Forest, Maps, Step, Stream
from dibble_tools.model.reader import trees_of


@dataclass(frozen=True)
class Estimate:
    """What a prediction takes, roughly: instructions within a tenth of what is then counted.

    Attributes:
        instructions: WebAssembly instructions of predict() in bytecode on the 32-bit VM.
        heap: bytes that the loaded model keeps, its file included.
    """

    instructions: int
    heap: int


@dataclass(frozen=True)
class Limits:
    """What a model may take; None: no limit.

    Attributes:
        board: name of the board, "" where none is told.
        us_per_instruction: microseconds on the board for each WebAssembly instruction of the estimate.
        us_once: and for a prediction, whatever it takes.
    """

    max_bytes: int | None = None
    max_heap: int | None = None
    max_us: float | None = None
    board: str = ""
    us_per_instruction: float | None = None
    us_once: float = 0.0

    def __str__(self) -> str:
        told = [
            f"{self.max_bytes:,} bytes" if self.max_bytes is not None else "",
            f"{self.max_heap:,} bytes of heap" if self.max_heap is not None else "",
            f"{self.max_us:g} us on {self.board}" if self.max_us is not None else "",
        ]
        return ", ".join(filter(None, told)) or "any size"

    def hold(self, size: int, needs: Estimate) -> bool:
        """Tell whether a model of `size` bytes keeps them."""
        us = self.microseconds(needs)
        return (
            (self.max_bytes is None or size <= self.max_bytes)
            and (self.max_heap is None or needs.heap <= self.max_heap)
            and (self.max_us is None or us is None or us <= self.max_us)
        )

    def microseconds(self, needs: Estimate) -> float | None:
        """Return about how long a prediction takes on the board."""
        each = self.us_per_instruction
        return None if each is None else self.us_once + needs.instructions * each


# Instructions of predict() on the 32-bit VM, fitted to counts of random models of every family:
# `python tests/benchmarks/calibrate.py` prints them anew.
COSTS = {
    "once": 15_310,
    "channel": 2_680,
    "class": 2_940,
    "window": 5_190,
    "last": 1_580,
    "scale": 3_000,
    "log": 8_810,
    "group": 0,
    "entry": 1_710,
    "pair entry": 4_270,
    "weight": 1_310,
    "layer": 6_210,
    "unit": 2_990,
    "sparse weight": 1_630,
    "codebook weight": 1_760,
    "tap weight": 730,
    "rank step": 270,
    "tree": 2_050,
    "split": 3_630,
    "map code": 16_500,
    "map weight": 2_170,
    "map output": 8_860,
    "map layer": 84_500,
}
# Bytes that a loaded model keeps beside its file, fitted to what the 32-bit VM keeps for the same models.
HEAP = {
    "once": 1045,
    "channel": 8,
    "class": 16,
    "window": 334,
    "last": 239,
    "scale": 22,
    "log": 14,
    "entry": 40,
    "pair entry": 477,
    "weight": 3,
    "layer": 322,
    "sparse weight": 19,
    "codebook weight": 3,
    "history": 1,
    "rank step": 29,
    "split": 2,
    "map once": 2_500,
    "map layer": 500,
}
BLOCKS = {"conv": CONV_UNITS, "depthwise": DEPTHWISE_UNITS}


def work(model: Content) -> dict[str, float]:
    """Return the counts of the parts of a prediction: scalers, table entries, weights, splits."""
    kinds = [feature.kind for feature in model.features] if model.windowed else []
    counts = {
        "once": 1.0,
        "channel": len(model.channels),
        "class": len(model.classes),
        "window": sum(kind != LAST for kind in kinds),
        "last": sum(kind == LAST for kind in kinds),
    }
    family = model.family
    if isinstance(family, Forest):
        coded = [len(thresholds) for thresholds in family.thresholds if thresholds]
        counts["rank"] = len(coded)
        counts["rank step"] = sum(count.bit_length() - 1 for count in coded)
        counts["tree"] = family.trees
        counts["split"] = depth(trees_of(family))
    elif isinstance(family, Additive):
        _count_additive(family, counts)
    elif isinstance(family, Maps):
        counts["map code"] = family.frame.size
        counts["map weight"] = family.multiply_adds()
        counts["map output"] = sum(
            s.words["OUT_HEIGHT"] * s.words["OUT_WIDTH"] * s.words["UNITS"] for s in family.steps
        )
        counts["map layer"] = len(family.steps)
    elif isinstance(family, Stream):
        each = 1.0
        for part in family.layers:  # the mean of a hop, where layers have strides
            each /= part.stride
            counts["tap weight"] = counts.get("tap weight", 0) + each * sum(map(len, part.rows))
            counts["layer"] = counts.get("layer", 0) + each
            counts["unit"] = counts.get("unit", 0) + each * part.units
            counts["history"] = counts.get("history", 0) + 2 * part.inputs * part.taps
    else:
        _count_scalers(family.scalers, counts)
        for layer in family.layers:
            name = {"sparse8": "sparse weight", "codebook4": "codebook weight"}.get(layer.form, "weight")
            counts[name] = counts.get(name, 0) + sum(map(len, layer.rows))
            counts["layer"] = counts.get("layer", 0) + 1
            counts["unit"] = counts.get("unit", 0) + len(layer.rows)
    if model.novelty:
        _count_additive(model.novelty, counts)
    return counts


def maps_heap(network: Maps, size: int) -> int:
    """Return the bytes that a network of maps keeps: arena, plans, and its file or what is read of it at once."""
    file = size if size <= KEPT_BYTES else max(piece(step)[1] for step in network.steps)
    scratch = max(scratch_bytes(step) for step in network.steps)
    return network.arena_bytes + file + scratch + HEAP["map layer"] * len(network.steps) + HEAP["map once"]


def scratch_bytes(step: Step) -> int:
    """Return what a kernel in machine code needs for a block's weights as words."""
    return int(4 * BLOCKS.get(step.kind, 0) * (2 + step.words["WEIGHTS"]))


def piece(step: Step) -> tuple[int, int]:
    """Return (units whose weights are read at once, bytes of these) where the file isn't in memory."""
    if not step.biases:
        return 0, 0
    each = 5 + step.words["WEIGHTS"]
    block = BLOCKS[step.kind]
    units = min(len(step.biases), max(1, BUFFER_BYTES // (block * each)) * block)
    return units, units * each


def depth(trees: IntegerTrees) -> float:
    """Return the mean number of splits on the way to a leaf, each side as likely, over all trees together."""
    below: list[float] = []
    for _, _, left, right in trees.nodes:  # children come first
        below.append(1 + sum(below[child] / 2 for child in (left, right) if child >= 0))
    return sum(below[root] for root in trees.roots)


def _count_scalers(scalers: Sequence[CodeScaler], counts: dict[str, float]) -> None:
    for scaler in scalers:
        name = "log" if scaler.bias else "scale"
        counts[name] = counts.get(name, 0) + (scaler.top > 0)


def _count_additive(tables: Additive, counts: dict[str, float]) -> None:
    _count_scalers(tables.scalers, counts)
    groups = _groups(tables)
    pairs = sum(term.b is not None for term in tables.terms)
    singles = len(tables.terms) - pairs
    for name, count in (("group", groups), ("entry", groups * singles), ("pair entry", groups * pairs)):
        counts[name] = counts.get(name, 0) + count


def _groups(tables: Additive) -> int:
    """Return how many sums the bytecode kernel makes: of classes whose scores fit one small int together."""
    columns = len(tables.base) - 1
    largest = [
        tables.base[k + 1] + sum(max(cell[k] for cell in term.entries) for term in tables.terms) for k in range(columns)
    ]
    highest = max(largest, default=0)
    together = 3 if highest < 1 << 10 else 2 if highest < 1 << 15 else 1
    return -(-columns // together)


def estimate(model: Content, size: int) -> Estimate:
    """Return the estimate for a model of `size` bytes, from counts of its parts."""
    counts = work(model)
    instructions = sum(COSTS.get(name, 0) * count for name, count in counts.items())
    if isinstance(model.family, Maps):
        return Estimate(round(instructions), maps_heap(model.family, size))
    heap = sum(HEAP.get(name, 0) * count for name, count in counts.items())
    return Estimate(round(instructions), size + round(heap))
