"""What a model may take on a board, and what it will: bytes, heap, instructions, microseconds."""

from dataclasses import dataclass

from dibble.inference import additive, forest, mlp
from dibble.inference.features import LAST
from dibble.inference.format import ADDITIVE, FOREST, NOVELTY, Cursor
from dibble.inference.kernels import additive_bytecode
from dibble.inference.model import Model


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
    """

    max_bytes: int | None = None
    max_heap: int | None = None
    max_us: float | None = None
    board: str = ""
    us_per_instruction: float | None = None

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
        return None if self.us_per_instruction is None else needs.instructions * self.us_per_instruction


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
    "rank step": 270,
    "tree": 2_050,
    "split": 3_630,
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
    "rank step": 29,
    "split": 2,
}


def work(model: Model) -> dict[str, float]:
    """Return what a prediction does, as counts of its parts."""
    cursor, classes = Cursor(model.blob, model.family_at), len(model.classes)
    windows = model.windows.windows if model.windows else []
    counts = {
        "once": 1.0,
        "channel": len(model.low),
        "class": classes,
        "window": sum(window.kind != LAST for window in windows),
        "last": sum(window.kind == LAST for window in windows),
    }
    family = model.blob[5] & 127
    if family == FOREST:
        layout, tables = forest.read(cursor, model.limits, classes)
        counts["rank"] = sum(count > 0 for _, _, _, count in layout)
        counts["rank step"] = sum(max(count.bit_length() - 1, 0) for _, _, _, count in layout)
        counts["tree"] = tables[7]
        counts["split"] = depth(tables)
    elif family == ADDITIVE:
        _count_additive(additive.read(cursor, model.limits, classes), counts)
    else:
        scalers, _, layers = mlp.read(cursor, model.limits, classes)
        _count_scalers(scalers, counts)
        inputs = len(scalers)
        for form, (rows, *_) in layers:
            kept = sum(len(row[0]) for row in rows) if form == mlp.SPARSE8 else inputs * len(rows)
            name = {mlp.SPARSE8: "sparse weight", mlp.CODEBOOK4: "codebook weight"}.get(form, "weight")
            counts[name] = counts.get(name, 0) + kept
            counts["layer"] = counts.get("layer", 0) + 1
            counts["unit"] = counts.get("unit", 0) + len(rows)
            inputs = len(rows)
    if model.blob[5] & NOVELTY:
        _count_additive(additive.read(Cursor(model.blob, model.novelty_at), model.limits, 2), counts)
    return counts


def depth(tables: tuple) -> float:
    """Return the mean number of splits on the way to a leaf, each side as likely, over all trees together."""
    features, _, lefts, rights, starts, children, leaves_end, trees = tables[:8]
    pages = [*starts, len(features)]
    below = [0.0] * len(features)
    for page in range(len(starts) - 1, -1, -1):
        for i in range(pages[page + 1] - 1, pages[page] - 1, -1):
            below[i] = 1.0
            for reference in (lefts[i], rights[i]):
                if reference < 128:
                    below[i] += below[pages[page] + reference] / 2
                elif reference >= leaves_end:
                    below[i] += below[pages[children[page] + reference - leaves_end]] / 2
    return sum(below[pages[tree]] for tree in range(trees))


def _count_scalers(scalers: list, counts: dict[str, float]) -> None:
    for _, _, bias, *_ in scalers:
        name = "log" if bias else "scale"
        counts[name] = counts.get(name, 0) + 1


def _count_additive(parts: tuple, counts: dict[str, float]) -> None:
    scalers, singles, pairs, tables, _, base = parts
    _count_scalers(scalers, counts)
    groups = len(additive_bytecode._pack(singles, pairs, tables, base))
    for name, count in (("group", groups), ("entry", groups * len(singles)), ("pair entry", groups * len(pairs))):
        counts[name] = counts.get(name, 0) + count


def estimate(model: Model, size: int) -> Estimate:
    """Return what a model of `size` bytes takes, from counts of its parts."""
    counts = work(model)
    instructions = sum(COSTS.get(name, 0) * count for name, count in counts.items())
    heap = sum(HEAP.get(name, 0) * count for name, count in counts.items())
    return Estimate(round(instructions), size + round(heap))
