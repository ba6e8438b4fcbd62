"""What networks of maps cost on a Cortex-M0: instructions of each kernel beside C's, cycles, and bytes of RAM.

    python tests/benchmarks/maps_cost.py [NETWORK.tflite [FRAMES.npy]] ...

Three shapes first (pointwise 64 -> 64, 3 x 3 x 8 -> 16, depthwise 3 x 3 x 64, where no input is 0), then each
network, on the first of its frames; without frames on noise, which skips fewer zeros than a picture does. Cycles are a
Cortex-M0+ without waits: one an instruction, one more for a taken branch and for each word that is loaded or stored,
counted by QEMU's log of executed blocks; of the kernels only. RAM is what the network's own buffers take: the arena, a
block's weights as words, the piece of the file that is read at once, the plans. The VM and the library come on top.
"""

import os
import re
import sys
import threading
from collections import Counter
from pathlib import Path

import numpy as np
from dibble.inference import maps as board
from dibble_tools.bench import maps as bench
from dibble_tools.common.terminal import Console
from dibble_tools.families.maps.tables import Frame, MapLayer, MapsTables
from dibble_tools.machines import tools
from dibble_tools.machines.targets import CORTEX_M0
from dibble_tools.model.convert_network import convert_network
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.maps_file import export_maps, maps_spec
from rich.table import Table

AROUND = {"kernel": (3, 3), "pads": (1, 1, 1, 1)}
SHAPES = {
    "pointwise 64 -> 64": MapLayer("conv", (0,), np.full((64, 1, 1, 64), 3), (0,) * 64, (9,) * 64),
    "3 x 3 x 8 -> 16": MapLayer("conv", (0,), np.full((16, 3, 3, 8), 3), (0,) * 16, (9,) * 16, **AROUND),
    "depthwise 3 x 3 x 64": MapLayer("depthwise", (0,), np.full((64, 3, 3), 3), (0,) * 64, (9,) * 64, **AROUND),
}
PLAN_BYTES = 4 * board.WORDS
BLOCK = re.compile(rb"Trace [0-9]+: \S+ \[[0-9a-f]+/([0-9a-f]+)/")
LISTING = re.compile(rb"^0x([0-9a-f]{8}):\s+([0-9a-f]{4})(?: ?([0-9a-f]{4}))?\s", re.M)


def shape_model(layer: MapLayer) -> tuple[HostModel, np.ndarray]:
    """Return a network of one layer, a mean and an end, and a frame without zeros."""
    assert layer.weights is not None
    depth = layer.weights.shape[3] if layer.kind == "conv" else len(layer.weights)
    height, width, units = layer.out_shape((8, 8, depth))
    mean = MapLayer("pool", (1,), kernel=(height, width), multiplier=1, shift=6)
    end = MapLayer("conv", (2,), np.ones((2, 1, 1, units), dtype=np.int64), (0, 0), (0, 0))
    tables = MapsTables(Frame(8, 8, depth), [layer, mean, end])
    return HostModel(export_maps(maps_spec("shape", ["a", "b"], tables))), np.random.default_rng(0).integers(
        1, 256, tables.frame.size
    )


def words_moved(half: int) -> int:
    """Return how many words a Thumb instruction of 16 bits loads or stores."""
    if 0x4800 <= half < 0x5000 or 0x5000 <= half < 0xA000:
        return 1
    if 0xC000 <= half < 0xD000:
        return (half & 0xFF).bit_count()
    if half & 0xFE00 in (0xB400, 0xBC00):
        return (half & 0x1FF).bit_count()
    return 0


def cycles(model: HostModel, frame: np.ndarray) -> tuple[int, int]:
    """Return (instructions, cycles) of all kernels in assembler for a frame."""
    executed: Counter[int] = Counter()
    follows: Counter[tuple[int, int]] = Counter()
    code: dict[int, list[tuple[int, int]]] = {}  # of a block that begins at a place: (instruction, bytes) each
    ranges: list[tuple[int, int]] = []
    run = tools.run

    def logged(command: list[str], folder: Path) -> str:
        if command[0] != CORTEX_M0.simulator[0]:
            return run(command, folder)
        symbols = run(["arm-none-eabi-nm", "-S", "check.elf"], folder)
        for line in symbols.splitlines():
            parts = line.split()
            if len(parts) == 4 and parts[3].endswith("_code"):
                ranges.append((int(parts[0], 16), int(parts[0], 16) + int(parts[1], 16)))
        fifo = folder / "log"
        os.mkfifo(fifo)
        reader = threading.Thread(target=_read_log, args=(fifo, executed, follows, code))
        reader.start()
        try:
            return run([*command, "-d", "in_asm,exec,nochain", "-D", str(fifo)], folder)
        finally:
            reader.join()

    bench.run_tool = logged
    try:
        bench.on_cortex_m0(model, frame, "thumb")
    finally:
        bench.run_tool = run
    return _sum(executed, follows, code, ranges)


def _read_log(fifo: Path, executed: Counter, follows: Counter, code: dict) -> None:
    last = start = -1
    block: list[tuple[int, int]] = []
    begins = False
    with fifo.open("rb") as log:
        for line in log:
            if line.startswith(b"Trace"):
                at = int(BLOCK.match(line)[1], 16)  # type: ignore[index]
                executed[at] += 1
                follows[last, at] += 1
                last = at
            elif line.startswith(b"IN:"):
                begins = True
            elif found := LISTING.match(line):
                if begins:
                    start, block, begins = int(found[1], 16), [], False
                block.append((int(found[2], 16), 4 if found[3] else 2))
                if len(block) > len(code.get(start, ())):  # counting instructions, QEMU ends some of them early
                    code[start] = block


def _sum(executed: Counter, follows: Counter, code: dict, ranges: list[tuple[int, int]]) -> tuple[int, int]:
    own = [at for at in executed if any(first <= at < end for first, end in ranges)]
    instructions = sum(executed[at] * len(code[at]) for at in own)
    moved = sum(executed[at] * sum(words_moved(half) for half, size in code[at] if size == 2) for at in own)
    ends = {at: at + sum(size for _, size in code[at]) for at in own}
    taken = sum(n for (at, to), n in follows.items() if at in ends and to != ends[at])
    return instructions, instructions + moved + taken


def ram_bytes(model: HostModel) -> int:
    """Return what a network's own buffers take, where its file is read piece by piece."""
    steps = model.model.steps
    pieces = max(board._piece(kind, plan)[1] for kind, plan, *_ in steps)
    return len(model.model.arena) + 4 * bench.scratch_words(model) + pieces + PLAN_BYTES * len(steps)


def main() -> None:
    """Measure and print."""
    table = Table(title="networks of maps on a Cortex-M0", title_justify="left")
    for column in ("", "multiply-adds", *bench.KINDS, "cycles", "file", "RAM"):
        table.add_column(column, justify="right")
    for name, layer in SHAPES.items():
        model, frame = shape_model(layer)
        found = [next(c for c in bench.on_cortex_m0(model, frame, kind) if c.multiply_adds) for kind in bench.KINDS]
        each = [f"{one.instructions / one.multiply_adds:.2f} each" for one in found]
        table.add_row(name, f"{found[0].multiply_adds:,}", *each, "", "", "")
    paths = [Path(argument) for argument in sys.argv[1:]]
    for path in (path for path in paths if path.suffix != ".npy"):
        after = paths[paths.index(path) + 1 :]
        frames = np.load(after[0]) if after and after[0].suffix == ".npy" else None
        model = convert_network(path, frames)
        size = len(model.channels)
        frame = np.random.default_rng(0).integers(0, 256, size) if frames is None else frames[0].reshape(-1).astype(int)
        frame = frame + 128 if frames is not None and frames.dtype == np.int8 else frame
        counts = [bench.on_cortex_m0(model, frame, kind) for kind in bench.KINDS]
        own, all_cycles = cycles(model, frame)
        exact = sum(one.instructions for one in counts[0])
        assert abs(own - exact) < 0.01 * exact, (own, exact)  # the same by the log as by the timer
        sums = [f"{sum(one.instructions for one in each):,}" for each in counts]
        adds = sum(one.multiply_adds for one in counts[0])
        table.add_row(path.name, f"{adds:,}", *sums, f"{all_cycles:,}", f"{len(model.blob):,}", f"{ram_bytes(model):,}")
    Console().print(table)


if __name__ == "__main__":
    main()
