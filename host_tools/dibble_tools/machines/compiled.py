"""Run an exported model on this computer, on an emulated Cortex-M0 and on a simulated ATmega328P."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dibble.inference.fixed_point import MISSING

from dibble_tools.common.shipped import ROOMS
from dibble_tools.machines.machine_run import MachineRun, decisions_of
from dibble_tools.machines.replay import rows_bytes
from dibble_tools.machines.targets import Target
from dibble_tools.machines.tools import TooLarge, ToolError, run

NATIVE = ROOMS / "machines" / "native"
STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror")
AROUND = ("-std=gnu99", "-Wall", "-Wextra", "-Werror")
SANITIZERS = ("-fsanitize=undefined,address", "-fno-sanitize-recover=all", "-g")
SPARE_BYTES = 256  # of flash, for what a program of more rows needs beyond them
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class CProgram:
    """An exported model: its files, what its names begin with, and whether it has predict_after()."""

    files: Mapping[str, str]
    prefix: str
    timed: bool


def on_pc(
    program: CProgram, readings: np.ndarray, elapsed_ms: np.ndarray | None, *, sanitized: bool = False
) -> MachineRun:
    """Replay rows on this computer, by gcc -O2, or with its sanitizers of addresses and undefined behaviour."""
    with tempfile.TemporaryDirectory(prefix="dibble-") as name:
        folder = _lay_out(program, Path(name))
        how = ("gcc", *(SANITIZERS if sanitized else ("-O2",)))
        run([*how, *STRICT, "-c", f"{program.prefix}.c", "-o", "model.o"], folder)
        run([*how, *AROUND, "check_pc.c", "model.o", "-o", "check"], folder)
        failed, *words = run([str(folder / "check")], folder, feed=rows_bytes(readings, elapsed_ms)).split()
    return MachineRun(decisions_of(words, len(readings)), int(failed))


def on_target(
    program: CProgram,
    readings: np.ndarray,
    elapsed_ms: np.ndarray | None,
    target: Target,
    *options: str,
) -> MachineRun:
    """Replay rows on a simulated microcontroller.

    The rows lie in its flash, in as many batches as they need; each begins with what the one before left in the node.

    Args:
        options: further ones for the compiler of the program that replays.
    Raises:
        TooLarge: flash or RAM are too small for the model.
        ToolMissing, ToolError: see tools.run.
    """
    with tempfile.TemporaryDirectory(prefix="dibble-") as name:
        folder = _lay_out(program, Path(name))
        run([*target.compiler, *STRICT, "-c", f"{program.prefix}.c", "-o", "model.o"], folder)
        flash, variables = _build(folder, "node", target)
        words, costs = [], []
        for told in _batches(folder, target, readings, elapsed_ms, options):
            failed, stack, mean, most = (int(word) for key in ("test", "stack", "cost") for word in told[key][0])
            costs.append((len(told["row"]), stack, mean, most))
            words += [word for row in told["row"] for word in row]
    counts, stacks, means, mosts = zip(*costs, strict=True)
    stack = max(stacks)
    if variables + stack > target.ram_bytes:
        raise TooLarge(f"expected at most {target.ram_bytes:,} bytes of RAM, got {variables + stack:,}")
    return MachineRun(
        *(decisions_of(words, len(readings)), failed, flash, variables + stack, stack),
        *(round(np.average(means, weights=counts)), max(mosts), target.unit),
    )


def _batches(
    folder: Path, target: Target, readings: np.ndarray, elapsed_ms: np.ndarray | None, options: Sequence[str]
) -> Iterator[dict[str, list[list[str]]]]:
    """Yield what the program tells of each batch of rows."""
    width, rows = _rows(readings, elapsed_ms)
    row_bytes = width * (1 + readings.shape[1])
    options = [f"-DVALUE_BYTES={width}", *options]
    (folder / "initial.bin").write_bytes(b"")
    (folder / "rows.bin").write_bytes(b"")
    used, variables = _build(folder, "check", target, *options)
    room = target.flash_bytes - used - variables - SPARE_BYTES
    if room < row_bytes:
        raise TooLarge(f"no room for a row of {row_bytes} bytes beside a program of {used:,}")
    step = room // row_bytes * row_bytes
    for first in range(0, len(rows), step):
        (folder / "rows.bin").write_bytes(rows[first : first + step])
        _build(folder, "check", target, *options)
        told = _told(run(target.simulator, folder))
        (folder / "initial.bin").write_bytes(bytes.fromhex("".join(line[0] for line in told["node"])))
        yield told


def _told(said: str) -> dict[str, list[list[str]]]:
    """Return the words of each line that native/replay.h prints, by the line's first, "row" for a decision."""
    found: dict[str, list[list[str]]] = {"test": [], "stack": [], "cost": [], "row": [], "node": [], "end": []}
    lines = COLOUR.sub("", said).replace(".\n", "\n").splitlines()  # simavr shows a line's end as a dot, in green
    for line in lines:
        key, *words = line.split() or [""]
        if key in found:
            found[key].append(words)
        elif found["cost"] and key.isdecimal():
            found["row"].append([key, *words])
    if not found["end"]:
        raise ToolError("expected decisions to the end, got:\n" + "\n".join(lines[-20:]))
    return found


def _lay_out(program: CProgram, folder: Path) -> Path:
    """Write the model's files and the programs around it, and what binds the one to the other."""
    for name, text in program.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    for path in NATIVE.iterdir():
        shutil.copy(path, folder)
    names = ["restart", "predict", "self_test", *(["predict_after"] if program.timed else [])]
    capitals = program.prefix.upper()
    lines = [f'#include "{program.prefix}.h"', f"typedef {program.prefix}_node node_t;"]
    lines += [f"#define {name} {program.prefix}_{name}" for name in names]
    lines += [f"#define {name} {capitals}_{name}" for name in ("CHANNELS", "MISSING")]
    lines += ["#define TIMED"] if program.timed else []
    (folder / "binding.h").write_text("\n".join(lines) + "\n")
    return folder


def _rows(readings: np.ndarray, elapsed_ms: np.ndarray | None) -> tuple[int, bytes]:
    """Return (bytes a value, the rows): 2 where all fit, the smallest then standing for MISSING."""
    data = rows_bytes(readings, elapsed_ms)
    values = np.frombuffer(data, dtype="<i4")
    told = values[values != MISSING]
    if not len(told) or (told.min() > -32768 and told.max() < 32768):
        return 2, np.where(values == MISSING, -32768, values).astype("<i2").tobytes()
    return 4, data


def _build(folder: Path, program: str, target: Target, *options: str) -> tuple[int, int]:
    """Build PROGRAM.elf; return its bytes of flash and of variables."""
    file, elf = f"{program}_{target.name}.c", f"{program}.elf"
    run([*target.compiler, *AROUND, *options, file, "model.o", "-o", elf], folder)
    lines = [line.split() for line in run([target.size, "-A", elf], folder).splitlines()]
    sizes = {words[0]: int(words[1]) for words in lines if len(words) == 3 and words[1].isdecimal()}
    variables = sizes.get(".data", 0)
    return sizes[".text"] + sizes.get(".rows", 0) + variables, variables + sizes.get(".bss", 0)
