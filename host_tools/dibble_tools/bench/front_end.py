"""What a frame of sound costs: exact instructions of the front end in assembler, viper and C on a Cortex-M0, and of
bytecode on the 32-bit VM. Every count comes with the codes, which have to be the host's.

python -m dibble_tools.bench.front_end
"""

import shutil
import tempfile
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import dibble
import numpy as np
from dibble.senses import frames as node_frames
from rich.table import Table

from dibble_tools.bench.cortex_m0 import FIRMWARE_KERNELS, KERNELS_C, code_of, functions, listed, run
from dibble_tools.bench.machine_code import machine_code
from dibble_tools.common.shipped import LIBRARY
from dibble_tools.common.terminal import Console
from dibble_tools.data.sound.front_end import FrameSettings, band_codes, node_spec, settings_for
from dibble_tools.machines.replay import WASI_HEAP, WASI_MEMORY
from dibble_tools.machines.vms import run_wasi
from dibble_tools.model.encoding import frames_part

SENSES = Path(dibble.__path__[0]) / "senses"
KINDS = {kind: SENSES / f"frames_{kind}.py" for kind in ("thumb", "viper")}
GCC = "classify"  # the C function that stands beside the kernels
ROWS_AT_ONCE = 40  # frames of 512 samples that fit the emulated chip's flash
AIMS = {"thumb": 46_000, "viper": 240_000}
SHOWN = (settings_for(16_000, 512, 512, 20), settings_for(8_000, 256, 256, 16))
GUEST = """
import micropython
from array import array
from dibble.inference.format import Cursor
from dibble.senses import frames
folder = __file__[: __file__.rfind("/") + 1]
with open(folder + "spec.bin", "rb") as file:
    spec = frames.read(Cursor(file.read(), 0))
levels, row = frames.build(spec)
samples = array("h", [0] * (1 << spec.log2))
with open(folder + "samples.bin", "rb") as file:
    while file.readinto(samples):
        for _ in range(TIMES):
            micropython.heap_lock()
            levels(samples)
            micropython.heap_unlock()
        print(*row)
"""


class FrontEndCounts(NamedTuple):
    """Instructions of each frame: of a Cortex-M0 by assembler, viper and gcc -O2."""

    thumb: list[int]
    viper: list[int]
    gcc: list[int]


def sounds(size: int, seed: int = 0) -> np.ndarray:
    """Return frames (frames, size), int16, that go to the ends of what a frame can be, and some of noise."""
    rng = np.random.default_rng(seed)
    at = np.arange(size)
    frames = [np.zeros(size), np.full(size, 32767), np.full(size, -32768), 32767 - 65535 * (at == size // 2)]
    for bit in range(16):
        frames += [np.full(size, 1 << bit), np.where(at % 16 < 8, (1 << bit) - 1, -(1 << bit))]
    frames += [np.where(at % period < period // 2, 32767, -32768) for period in (2, 4, size // 4, size // 2, size)]
    frames += [32767 * np.sin(2 * np.pi * k * at / size) for k in (1, 2.5, size / 8, size / 2 - 0.5)]
    frames += [rng.normal(0, 10.0**power, size) for power in np.linspace(0, 5, 11)]
    return np.clip(np.array(frames), -32768, 32767).astype(np.int16)


def on_cortex_m0(settings: FrameSettings, frames: np.ndarray) -> FrontEndCounts:
    """Return the instructions of each frame; AssertionError where a kernel's codes aren't the host's."""
    wanted = band_codes(frames, settings)
    found: dict[str, list[int]] = {kind: [] for kind in (*KINDS, GCC)}
    for at in range(0, len(frames), ROWS_AT_ONCE):
        some = frames[at : at + ROWS_AT_ONCE]
        calls = [_call(kind, i, settings.bands) for kind in found for i in range(len(some))]
        numbers = np.array(run(_tables(settings, some), calls)).reshape(len(found), len(some), -1)
        for kind, own in zip(found, numbers, strict=True):
            assert np.array_equal(own[:, 2:], wanted[at : at + ROWS_AT_ONCE]), (kind, settings)
            found[kind] += own[:, 1].tolist()
    return FrontEndCounts(*found.values())


def on_wasi(settings: FrameSettings, frames: np.ndarray) -> float:
    """Return the instructions of a frame in bytecode, the mean, heap locked; AssertionError as on_cortex_m0."""
    wanted = band_codes(frames, settings)
    counts = []
    for times in (1, 2):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copytree(LIBRARY, folder / "lib" / "dibble", ignore=shutil.ignore_patterns("__pycache__"))
            (folder / "spec.bin").write_bytes(frames_part(settings))
            (folder / "samples.bin").write_bytes(frames.astype("<i2").tobytes())
            (folder / "main.py").write_text(GUEST.replace("TIMES", str(times)))
            done = run_wasi(folder, "main.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY)
        rows = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
        assert np.array_equal(rows, wanted), settings
        assert done.instructions is not None
        counts.append(done.instructions)
    return (counts[1] - counts[0]) / len(frames)


def code_bytes() -> dict[str, int]:
    """Return the bytes of each kernel's machine code."""
    return {kind: len(machine_code(file, kind)) for kind, file in KINDS.items()}


def plan_of(settings: FrameSettings) -> array:
    """Return the plan that the firmware's own Python makes; its first word has to become the row's address."""
    made = functions([FIRMWARE_KERNELS / "plan.py", SENSES / "frames_plan.py"], levels=lambda plan, samples: None)[
        "frames"
    ]
    spec = node_spec(settings)
    levels, _ = made(spec, node_frames.sines(spec.log2), node_frames.reversed_bits(spec.log2 - 2))
    plan: array = levels.__self__
    return plan


def _call(kind: str, frame: int, bands: int) -> str:
    show = f"for (int j = 0; j < {bands}; j++) print(blob[j]);"
    return f"count({kind}, (const int32_t *)frames[{frame}]); {show}"


def _tables(settings: FrameSettings, frames: Sequence[np.ndarray] | np.ndarray) -> str:
    rows = ",".join("{" + listed(frame) + "}" for frame in frames)
    return (
        f"static uint8_t blob[{settings.bands}];\n"
        f"static uint32_t plan[] = {{{listed(word & 0xFFFFFFFF for word in plan_of(settings))}}};\n"
        f"static const int16_t __attribute__((aligned(4))) frames[][{settings.size}] = {{{rows}}};\n"
        + (KERNELS_C.parent / "front_end.c").read_text()
        + code_of(KINDS)
    )


def main() -> None:
    """Count and print."""
    table = Table(title="instructions of a frame, the mean and the most", title_justify="left")
    for column in ("samples, bands", "assembler", "viper", "gcc -O2", "bytecode, 32-bit VM"):
        table.add_column(column, justify="right")
    for settings in SHOWN:
        frames = sounds(settings.size)
        counts = on_cortex_m0(settings, frames)
        cells = [f"{np.mean(own):,.0f} … {max(own):,}" for own in counts]
        table.add_row(f"{settings.size}, {settings.bands}", *cells, f"{on_wasi(settings, frames[-8:]):,.0f}")
    Console().print(table)
    sizes = code_bytes()
    Console().print(", ".join(f"{kind}: {size:,} bytes of code" for kind, size in sizes.items()), markup=False)


if __name__ == "__main__":
    main()
