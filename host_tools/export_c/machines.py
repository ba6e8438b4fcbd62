"""Run an exported model on this computer, on an emulated Cortex-M0 and on a simulated ATmega328P."""

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dibble.inference.fixed_point import MISSING

from host_tools.evaluator import Decisions
from host_tools.export_c.tools import ToolError, TooLarge, run
from host_tools.replay import rows_bytes

NATIVE = Path(__file__).parent / "native"
NONE_TOLD = -2
STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror")
HARNESS = ("-std=gnu99", "-Wall", "-Wextra", "-Werror")
SANITIZED = ("-fsanitize=undefined,address", "-fno-sanitize-recover=all", "-g")
AVR = ("-mmcu=atmega328p", "-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections")
CORTEX_M0 = ("-mcpu=cortex-m0", "-mthumb", "-O2", "-ffunction-sections", "-fdata-sections", "-nostartfiles")
CORTEX_M0_LINK = ("-Wl,--gc-sections", "-T", "cortex_m0.ld", "-Wl,--no-warn-rwx-segments")
QEMU = ("-M", "microbit", "-icount", "shift=8,align=off,sleep=off", "-display", "none", "-monitor", "none")
SEMIHOSTING = ("-serial", "none", "-chardev", "stdio,id=out", "-semihosting-config", "enable=on,target=native,chardev=out")
FLASH_BYTES = {"atmega328p": 32 << 10, "cortex_m0": 256 << 10}
RAM_BYTES = {"atmega328p": 2 << 10, "cortex_m0": 16 << 10}
SPARE_BYTES = 256
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Source:
    """An exported model: its files, what its names begin with, and whether it has predict_after()."""

    files: Mapping[str, str]
    prefix: str
    timed: bool


@dataclass(frozen=True)
class Outcome:
    """What a machine computed and what that took.

    Attributes:
        failed: golden vectors: 0 all agree, else the first that doesn't, counted from 1.
        flash, ram: bytes of the smallest program with the model; ram is variables and the deepest stack.
        stack: of that, the stack.
        mean_cost, most_cost: of a prediction, in cycles (AVR) or instructions (Cortex-M0).
    """

    decisions: Decisions
    failed: int
    flash: int | None = None
    ram: int | None = None
    stack: int | None = None
    mean_cost: int | None = None
    most_cost: int | None = None


def on_pc(
    source: Source, readings: np.ndarray, elapsed_ms: np.ndarray | None, *, sanitized: bool = False
) -> Outcome:
    """Replay rows on this computer, by gcc -O2 or with its sanitizers."""
    with tempfile.TemporaryDirectory(prefix="dibble-") as name:
        folder = _lay_out(source, Path(name))
        how = SANITIZED if sanitized else ("-O2",)
        run(["gcc", *STRICT, *how, "-c", f"{source.prefix}.c", "-o", "model.o"], folder)
        run(["gcc", *HARNESS, *how, "check_pc.c", "model.o", "-o", "check"], folder)
        said = _run_here(folder, rows_bytes(readings, elapsed_ms))
    failed, _, rest = said.partition("\n")
    return Outcome(_decisions(rest.split(), len(readings)), int(failed))


def on_atmega328p(source: Source, readings: np.ndarray, elapsed_ms: np.ndarray | None) -> Outcome:
    """Replay rows on a simulated ATmega328P at 16 MHz: 32 KB of flash, 2 KB of RAM."""

    def build(folder: Path, program: str, macros: Sequence[str]) -> None:
        run(["avr-gcc", *HARNESS, *AVR, *macros, f"{program}_avr.c", "model.o", "-o", f"{program}.elf"], folder)

    def simulate(folder: Path) -> str:
        said = run(["simavr", "-m", "atmega328p", "-f", "16000000", "check.elf"], folder)
        return COLOUR.sub("", said).replace(".\n", "\n")

    return _embedded(source, readings, elapsed_ms, "atmega328p", ("avr-gcc", *AVR), build, simulate)


def on_cortex_m0(source: Source, readings: np.ndarray, elapsed_ms: np.ndarray | None) -> Outcome:
    """Replay rows on an emulated Cortex-M0, bare metal."""

    def build(folder: Path, program: str, macros: Sequence[str]) -> None:
        command = ["arm-none-eabi-gcc", *HARNESS, *CORTEX_M0, *CORTEX_M0_LINK, *macros, f"{program}_cortex_m0.c"]
        run([*command, "model.o", "-o", f"{program}.elf"], folder)

    def simulate(folder: Path) -> str:
        return run(["qemu-system-arm", *QEMU, *SEMIHOSTING, "-kernel", "check.elf"], folder)

    return _embedded(source, readings, elapsed_ms, "cortex_m0", ("arm-none-eabi-gcc", *CORTEX_M0), build, simulate)


def _embedded(
    source: Source,
    readings: np.ndarray,
    elapsed_ms: np.ndarray | None,
    machine: str,
    compiler: Sequence[str],
    build: Callable[[Path, str, Sequence[str]], None],
    simulate: Callable[[Path], str],
) -> Outcome:
    """Replay rows in as many batches as the flash needs; each begins with what the one before left in the node."""
    with tempfile.TemporaryDirectory(prefix="dibble-") as name:
        folder = _lay_out(source, Path(name))
        run([*compiler, *STRICT, "-c", f"{source.prefix}.c", "-o", "model.o"], folder)
        build(folder, "node", ())
        size = compiler[0].replace("gcc", "size")
        flash, variables = _sizes(run([size, "-A", "node.elf"], folder))
        width, rows = _rows(readings, elapsed_ms)
        macros = (f"-DVALUE_BYTES={width}",)
        row_bytes = width * (1 + readings.shape[1])
        (folder / "rows.bin").write_bytes(b"")
        (folder / "initial.bin").write_bytes(b"")
        build(folder, "check", macros)
        used, _ = _sizes(run([size, "-A", "check.elf"], folder))
        room = FLASH_BYTES[machine] - used - variables - SPARE_BYTES
        if room < row_bytes:
            raise TooLarge(f"no room for rows beside a program of {used} bytes")
        each = room // row_bytes
        table: list[list[str]] = []
        costs = []
        for first in range(0, max(len(readings), 1), each):
            (folder / "rows.bin").write_bytes(rows[first * row_bytes : (first + each) * row_bytes])
            build(folder, "check", macros)
            told = _told(machine, simulate(folder))
            failed, stack, mean, most = (int(word) for key in ("test", "stack", "cost") for word in told[key][0])
            costs.append((len(told["row"]), mean, most, stack))
            table += told["row"]
            (folder / "initial.bin").write_bytes(bytes.fromhex("".join(word for word, in told["node"])))
    counts, means, mosts, stacks = zip(*costs, strict=True)
    mean = round(np.average(means, weights=counts)) if sum(counts) else 0
    stack_bytes = max(stacks)
    if variables + stack_bytes > RAM_BYTES[machine]:
        raise TooLarge(f"{machine}: expected at most {RAM_BYTES[machine]} bytes of RAM, got {variables + stack_bytes}")
    return Outcome(
        _decisions([word for row in table for word in row], len(readings)),
        *(failed, flash, variables + stack_bytes, stack_bytes, mean, max(mosts)),
    )


def _told(machine: str, said: str) -> dict[str, list[list[str]]]:
    """Return the words of each line that native/replay.h prints, by the line's first, "row" for a decision."""
    found: dict[str, list[list[str]]] = {"test": [], "stack": [], "cost": [], "row": [], "node": [], "end": []}
    lines = said.splitlines()
    for line in lines:
        words = line.split()
        if words and words[0] in found:
            found[words[0]].append(words[1:])
        elif found["cost"] and not found["end"] and len(words) == 5:
            found["row"].append(words)
    if not found["end"]:
        raise ToolError(f"{machine}: expected decisions to the end, got:\n" + "\n".join(lines[-20:]))
    return found


def _lay_out(source: Source, folder: Path) -> Path:
    """Write the model's files and the programs around it, and what binds the one to the other."""
    for name, text in source.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    for path in NATIVE.iterdir():
        shutil.copy(path, folder)
    names = ["restart", "predict", "self_test", *(["predict_after"] if source.timed else [])]
    capitals = source.prefix.upper()
    lines = [f'#include "{source.prefix}.h"', f"typedef {source.prefix}_node node_t;"]
    lines += [f"#define {name} {source.prefix}_{name}" for name in names]
    lines += [f"#define {name} {capitals}_{name}" for name in ("CHANNELS", "MISSING")]
    lines += ["#define TIMED"] if source.timed else []
    (folder / "binding.h").write_text("\n".join(lines) + "\n")
    return folder


def _rows(readings: np.ndarray, elapsed_ms: np.ndarray | None) -> tuple[int, bytes]:
    """Return (bytes a value, the rows): 2 where all fit, the smallest then standing for MISSING."""
    data = rows_bytes(readings, elapsed_ms)
    values = np.frombuffer(data, dtype="<i4")
    told = values[values != MISSING]
    if not len(told) or -32768 < told.min() and told.max() < 32768:
        return 2, np.where(values == MISSING, -32768, values).astype("<i2").tobytes()
    return 4, data


def _sizes(said: str) -> tuple[int, int]:
    """Return (bytes of flash, bytes of variables) from what `size -A` says."""
    sizes = {words[0]: int(words[1]) for line in said.splitlines() if len(words := line.split()) == 3 and words[1].isdigit()}
    data = sizes.get(".data", 0)
    return sizes.get(".text", 0) + sizes.get(".rows", 0) + data, data + sizes.get(".bss", 0)


def _run_here(folder: Path, rows: bytes) -> str:
    import subprocess

    done = subprocess.run([folder / "check"], cwd=folder, input=rows, capture_output=True, timeout=120, check=False)
    if done.returncode:
        raise ToolError(f"the model ended with code {done.returncode}\n{done.stderr.decode('utf-8', 'replace')[:3000]}")
    return done.stdout.decode()


def _decisions(words: Sequence[str], rows: int) -> Decisions:
    """Return the decisions; the model's 255 for no channel is -1 there."""
    table = np.array(words, dtype=np.int64).reshape(-1, 5)
    if len(table) != rows:
        raise ToolError(f"expected {rows} decisions, got {len(table)}")
    table[:, 3] = np.where(table[:, 3] == 255, -1, table[:, 3])
    return Decisions(*table.T)
