"""What a network of maps costs on a Cortex-M0: exact instructions of each step in assembler, viper and C at -O2.

python -m dibble_tools.bench.maps MODEL.dib

Every count comes with the scores, which have to be the host's. The emulated chip is the nRF51 with more memory. C is
the kernels of `dibble export --to c`.
"""

import shutil
import sys
import tempfile
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dibble.inference import maps as board
from dibble.inference.format import Cursor
from rich.table import Table

from dibble_tools.bench.cortex_m0 import FIRMWARE_KERNELS, PLAIN, listed
from dibble_tools.bench.machine_code import machine_codes
from dibble_tools.common.shipped import ROOMS
from dibble_tools.common.terminal import Console
from dibble_tools.export.context import environment
from dibble_tools.machines.compiled import NATIVE
from dibble_tools.machines.targets import CORTEX_M0
from dibble_tools.machines.tools import run as run_tool
from dibble_tools.model.content import Maps, Step
from dibble_tools.model.host_model import HostModel

MAPS_C = ROOMS / "bench" / "native" / "maps.c"
KINDS = ("thumb", "viper", "gcc")
KERNELS = ("conv", "depthwise", "pool", "add", "fill", "take")
FILES = {  # of kernels in the order of KERNELS
    "thumb": ("maps_conv_thumb", "maps_depthwise_thumb", "maps_pool_thumb", "maps_frame_thumb"),
    "viper": ("maps_viper",),
}
FLASH_BYTES, RAM_BYTES = 1 << 20, 256 << 10
MEMORY = ("-global", f"nrf51-soc.flash-size={FLASH_BYTES}", "-global", f"nrf51-soc.sram-size={RAM_BYTES}")


@dataclass(frozen=True)
class StepCount:
    """A kernel's call: its multiply-adds, and what it takes."""

    kernel: str
    multiply_adds: int
    instructions: int


def calls_of(model: HostModel) -> list[tuple[str, array, int]]:
    """Return (kernel, plan, place of its weights in the file) of all calls for a frame, the frame's own first."""
    m = model.model
    told = m.family_at
    _, taken, border, steps = board.read(Cursor(model.blob, told), m.frame, len(model.classes))
    found = [("fill", border, 0)] if border else []
    found.append(("take", taken, 0))
    for kind, plan, around, at in steps:
        found += [("fill", around, 0)] if around else []
        found.append((KERNELS[kind], plan, at if kind <= board.DEPTHWISE else 0))
    return found


def scratch_words(model: HostModel) -> int:
    """Return the words of scratch that the kernels need."""
    return max(board._scratch_bytes(KERNELS.index(k), p) for k, p, _ in calls_of(model) if k in KERNELS[:4]) // 4


def on_cortex_m0(model: HostModel, frame: np.ndarray, kind: str) -> list[StepCount]:
    """Return the counts of each call; AssertionError where the scores aren't the host's."""
    family = model.content.family
    assert isinstance(family, Maps)
    calls = calls_of(model)
    own = "thumb" if kind == "gcc" else kind  # of what takes the frame and fills borders
    codes = [code for file in FILES[own] for code in machine_codes(FIRMWARE_KERNELS / f"{file}.py", own)]
    text = [
        f"static uint8_t __attribute__((aligned(4))) arena[{family.arena_bytes + 4}];",
        f"static Word scratch[{max(scratch_words(model), 8)}];",
        f"static const uint8_t __attribute__((aligned(4))) blob[] = {{{listed(model.blob)}}};",
        f"static const {'int16_t' if family.frame.scaled else 'uint8_t'} frame[] = {{{listed(frame)}}};",
    ]
    for name, code in zip(KERNELS, codes, strict=True):
        text.append(f"static const uint8_t __attribute__((aligned(4))) {name}_code[] = {{{listed(code)}}};")
    statements = []
    steps = iter(family.steps)
    text += [in_c(family)] if kind == "gcc" else []
    for i, (name, plan, at) in enumerate(calls):
        text.append(f"static const int32_t plan_{i}[] = {{{listed(plan)}}};")
        source = "(const uint8_t *)frame" if name == "take" else f"blob + {at}"
        step = next(steps) if name in KERNELS[:4] else None
        if kind == "gcc" and step:
            text.append(_called_in_c(step, i))
            statements.append(f"count(step_{i}, 0, plan_{i}, 0);")
        else:
            statements.append(f"count({own}, {name}_code, plan_{i}, {source});")
    at = family.steps[-1].words["OUT_AT"]
    statements += [f"print(arena[{at + 2 * k}] | arena[{at + 2 * k + 1}] << 8);" for k in range(len(model.classes))]
    numbers = run("\n".join(text) + "\n", statements)
    scores = numbers[2 * len(calls) :]
    from dibble_tools.model.oracle import scorer

    low = -32767 if family.frame.scaled else 0
    expected = scorer(model.content)(frame[None, :].astype(np.int64) - low)[:, 0].tolist()
    assert scores == expected, (kind, scores, expected)
    counts = numbers[1 : 2 * len(calls) : 2]
    return [StepCount(c[0], _multiply_adds(c[0], c[1]), n) for c, n in zip(calls, counts, strict=True)]


def in_c(family: Maps) -> str:
    """Return the kernels of an exported network."""
    return environment("c").get_template("maps_kernels.j2").render(kinds={step.kind for step in family.steps})


def _called_in_c(step: Step, i: int) -> str:
    """Return a function that runs a step as the exported program does, and its tables."""
    tables, more = "", ""
    if step.biases:
        tables = f"static const int8_t weights_{i}[] = {{{listed(step.weights.ravel())}}};\n"
        tables += f"static const int32_t biases_{i}[] = {{{listed(step.biases)}}};\n"
        tables += f"static const uint8_t shifts_{i}[] = {{{listed(step.shifts)}}};\n"
        more = f", weights_{i}, biases_{i}, shifts_{i}"
    return (
        f"{tables}static Word step_{i}(const uint8_t *code, const int32_t *plan, const uint8_t *source) {{\n"
        f"    {step.kind}(arena, (const step *)plan{more});\n    return 0;\n}}"
    )


def _multiply_adds(kernel: str, plan: array) -> int:
    if kernel not in KERNELS[:3]:
        return 0
    words = dict(zip(("UNITS", "WIDTH", "HEIGHT", "WEIGHTS"), (plan[2], plan[8], plan[10], plan[11]), strict=True))
    return int(np.prod(list(words.values())))


def run(tables: str, statements: list[str]) -> list[int]:
    """Return the numbers that C statements print: see native/maps.c, to which these and their tables belong."""
    text = MAPS_C.read_text()
    text = text[text.index("#include") :].replace("{{tables}}", tables).replace("{{calls}}", "\n".join(statements))
    with tempfile.TemporaryDirectory(prefix="dibble-") as name:
        folder = Path(name)
        for path in NATIVE.iterdir():
            shutil.copy(path, folder)
        script = (folder / "cortex_m0.ld").read_text()
        script = script.replace("LENGTH = 256K", f"LENGTH = {FLASH_BYTES}").replace(
            "LENGTH = 16K", f"LENGTH = {RAM_BYTES}"
        )
        (folder / "cortex_m0.ld").write_text(script)
        (folder / "maps.c").write_text(text)
        run_tool([*CORTEX_M0.compiler, *PLAIN, "-w", "maps.c", "-lgcc", "-o", "check.elf"], folder)
        return [int(word) for word in run_tool([*CORTEX_M0.simulator, *MEMORY], folder).split()]


def main() -> None:
    """Count and print."""
    model = HostModel.open(sys.argv[1])
    frame = np.random.default_rng(0).integers(0, 256, len(model.channels))
    table = Table(title="instructions on a Cortex-M0", title_justify="left")
    for column in ("kernel", "multiply-adds", "assembler", "each", "viper", "each", "gcc -O2", "each"):
        table.add_column(column, justify="right")
    counts = [on_cortex_m0(model, frame, kind) for kind in KINDS]
    for same in zip(*counts, strict=True):
        cells = []
        for one in same:
            each = f"{one.instructions / one.multiply_adds:.2f}" if one.multiply_adds else ""
            cells += [f"{one.instructions:,}", each]
        table.add_row(same[0].kernel, f"{same[0].multiply_adds:,}", *cells)
    sums = [f"{sum(step.instructions for step in own):,}" for own in counts]
    table.add_row("all", "", *(cell for total in sums for cell in (total, "")))
    Console().print(table)


if __name__ == "__main__":
    main()
