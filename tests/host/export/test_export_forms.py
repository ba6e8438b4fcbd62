"""`dibble export`: names that compilers take, several models in one program, the Arduino sketch, the command."""

import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from dibble import __version__
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import Channel
from dibble_tools.export.forms import write
from dibble_tools.export.names import comment, endings, prefix_of, string
from dibble_tools.families.forest.integer_trees import IntegerTrees
from dibble_tools.machines.check import check
from dibble_tools.machines.tools import ToolError, find, run
from dibble_tools.model.golden import golden_rows
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import export, forest_spec
from helpers import random_rows, random_spec
from typer.testing import CliRunner

ARDUINO = Path("/usr/share/arduino/hardware/arduino/avr")
ODD_NAMES = ['stop */ "now" ??/ \\', "", "ok\n#error", "naïve Äpfel", "ok #error"]
STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror")


def model_named(name: str, classes: list[str], channels: list[str]) -> HostModel:
    """Return a model of one split."""
    each = [Channel(text, text[:20], 25, -2, -400, 8500) for text in channels]
    trees = IntegerTrees([(0, 5000, -1, -len(classes))], [0], len(classes))
    spec = forest_spec(name, each, classes, trees)
    return HostModel(export(spec, [[-400] * len(each), [8500] * len(each)]))


@pytest.fixture(scope="module")
def model() -> HostModel:
    spec = random_spec(3, trees=5, depth=4)
    return HostModel(export(spec, golden_rows(spec, random_rows(1, spec.channels, 300), None)))


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        *(("Orchard gate", "orchard_gate"), ("stdint", "stdint_model"), ("string", "string_model")),
        *(("class", "class_model"), ("2nd", "model_2nd"), ("模型", "model"), ("Äpfel*/", "apfel"), ("_x_", "x")),
        ("a" * 60, "a" * 40),
    ],
)
def test_a_models_name_becomes_one_that_c_and_python_take(name: str, prefix: str) -> None:
    assert prefix_of(name) == prefix


def test_names_that_become_alike_are_told_apart() -> None:
    assert endings(["a b", "a-b", "A  b", "0", "", "日"], "class") == ["A_B", "A_B_2", "A_B_3", "0", "CLASS", "CLASS_2"]


def test_texts_cannot_leave_their_literal_or_comment() -> None:
    assert string('a"b\\?\né1') == '"a\\042b\\134\\077\\012\\303\\2511"'
    assert comment("a */ b /* c \\ d ??/ e\nf") == "a * / b / * c / d ? ?/ e f"


def test_odd_names_compile_and_read_back(tmp_path: Path) -> None:
    odd = model_named("*/ #error", ODD_NAMES, ["a */ b", "int", '"', "??/"])
    for name, text in write(odd, "c").items():
        (tmp_path / name).write_text(text)
    loop = 'for (int i = 0; i < ERROR_CLASSES; i++) printf("%s|", names[i]);'
    (tmp_path / "main.c").write_text(
        f'#include <stdio.h>\n#include "error.h"\nstatic const char *const names[] = {{ERROR_CLASS_NAMES}};\n'
        f"int main(void) {{ {loop} return 0; }}\n"
    )
    run(["gcc", *STRICT, "main.c", "error.c", "-o", "main"], tmp_path)
    assert run([str(tmp_path / "main")], tmp_path) == "|".join([*ODD_NAMES, ""])
    rows = random_rows(1, odd.channels, 100)
    assert [c.problem for c in check(odd, "c", rows, None, machines=["pc", "atmega328p"])] == ["", ""]
    assert [c.problem for c in check(odd, "python", rows, None, machines=["unix", "wasi"])] == ["", ""]


def test_several_models_link_into_one_program_of_c_and_cpp(tmp_path: Path, model: HostModel) -> None:
    names = ["first", "second", "third"]
    for name in names:
        for file, text in write(model, "c", name).items():
            (tmp_path / file).write_text(text)
        run(["gcc", *STRICT, "-c", f"{name}.c"], tmp_path)
    includes = "".join(f'#include "{name}.h"\n' for name in names)
    calls = " + ".join(f"{name}_self_test(&{name})" for name in names)
    nodes = "".join(f"static {name}_node {name};\n" for name in names)
    (tmp_path / "main.cpp").write_text(f"{includes}{nodes}int main() {{ return {calls}; }}\n")
    run(["gcc", "-x", "c++", "-Wall", "-Wextra", "-Werror", "-c", "main.cpp"], tmp_path)
    run(["gcc", "main.o", *(f"{name}.o" for name in names), "-o", "main"], tmp_path)
    run([str(tmp_path / "main")], tmp_path)


def test_the_self_test_can_be_left_out(tmp_path: Path, model: HostModel) -> None:
    for file, text in write(model, "c", "m").items():
        (tmp_path / file).write_text(text)
    sizes = []
    for macros in ((), ("-DM_NO_SELF_TEST",)):
        run(["gcc", *STRICT, "-Os", *macros, "-c", "m.c"], tmp_path)
        sizes.append((tmp_path / "m.o").stat().st_size)
        assert ("m_self_test" in run(["nm", "m.o"], tmp_path)) == (not macros)
    assert sizes[1] < sizes[0]


def test_the_sketch_builds_with_arduinos_own_core_and_passes_its_self_test(tmp_path: Path, model: HostModel) -> None:
    if not (ARDUINO / "cores/arduino/Arduino.h").is_file():
        raise ToolError(
            f"expected Arduino's core in {ARDUINO}, found none; on Debian: apt-get install arduino-core-avr"
        )
    files = write(model, "arduino", "node 1")
    assert list(files) == [f"node_1/node_1.{ending}" for ending in ("ino", "h", "c")]
    for file, text in files.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    core = ARDUINO / "cores/arduino"
    # DECIMAL_DIG: that core is made for a newer avr-libc than Debian's.
    flags = [
        "-mmcu=atmega328p",
        "-Os",
        "-DF_CPU=16000000L",
        "-DARDUINO=10819",
        "-DARDUINO_ARCH_AVR",
        "-DDECIMAL_DIG=17",
    ]
    flags += [f"-I{core}", f"-I{ARDUINO / 'variants/standard'}", "-ffunction-sections", "-fdata-sections", "-c"]
    cpp = ["-x", "c++", "-std=gnu++11", "-fno-exceptions", "-fno-threadsafe-statics"]
    run(["avr-gcc", *flags, "-w", *map(str, sorted(core.glob("*.c")))], tmp_path)
    run(["avr-gcc", *flags, "-w", *cpp, *map(str, sorted(core.glob("*.cpp")))], tmp_path)
    run(["avr-gcc", *flags, *STRICT, "node_1/node_1.c"], tmp_path)
    run(["avr-gcc", *flags, *cpp, "-Wall", "-Wextra", "-Werror", "node_1/node_1.ino", "-o", "sketch.o"], tmp_path)
    objects = [path.name for path in sorted(tmp_path.glob("*.o"))]
    run(["avr-gcc", "-mmcu=atmega328p", "-Os", "-Wl,--gc-sections", *objects, "-o", "sketch.elf"], tmp_path)
    command = [find("simavr"), "-m", "atmega328p", "-f", "16000000", "sketch.elf"]
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=tmp_path, text=True, **both) as process:
        timer = threading.Timer(60, process.kill)
        timer.start()
        try:
            assert process.stdout is not None
            said = next((line for line in process.stdout if "self-test" in line), "nothing")
        finally:
            timer.cancel()
            process.kill()
    assert "node_1: its self-test passed" in said


def run_cli(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["export", *map(str, words)])
    if isinstance(done.exception, InputError):
        return 2, str(done.exception)
    return done.exit_code, done.output


def test_the_command_writes_checks_and_never_overwrites(tmp_path: Path, model: HostModel) -> None:
    file, out = tmp_path / "model.dib", tmp_path / "out"
    model.save(file)
    rows = random_rows(4, model.channels, 40)
    rows = np.where(rows < -(1 << 29), 0, rows)
    lines = [",".join(channel.name for channel in model.channels)]
    lines += [",".join(map(str, row)) for row in rows.tolist()]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    checked = ("--check", "--data", tmp_path / "rows.csv", "--on", "pc", "--on", "atmega328p")
    code, said = run_cli(file, "--to", "c", "--out", out, *checked)
    assert code == 0, said
    assert len(re.findall(r"40 of 40", said)) == 2
    assert sorted(path.name for path in out.iterdir()) == ["random.c", "random.h"]
    assert f"written by dibble {__version__}" in (out / "random.c").read_text()
    assert run_cli(file, "--to", "c", "--out", out)[0] == 2
    assert run_cli(file, "--to", "c", "--out", out, "--force")[0] == 0
    assert run_cli(file, "--to", "python", "--out", out, "--small", "--name", "small one")[0] == 0
    assert '"""' not in (out / "small_one.py").read_text()
    said = run([sys.executable, "-c", "import small_one; print(small_one.Node().self_test())"], out)
    assert int(said) == len(model.content.golden)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "rust"], "--to: expected one of c, arduino, python, or bmerawdata of scans; got 'rust'"),
        (["--to", "c", "--small"], "--small: expected --to python"),
        (["--to", "c", "--check", "--on", "wasi"], "--on: expected one of pc, cortex_m0, atmega328p; got 'wasi'"),
        (["--to", "c", "--data", "rows.csv"], "--data: expected --check with it"),
    ],
)
def test_what_the_command_cannot_do_is_said(words: list[str], message: str, tmp_path: Path, model: HostModel) -> None:
    model.save(tmp_path / "model.dib")
    code, said = run_cli(tmp_path / "model.dib", "--out", tmp_path / "out", *words)
    assert (code, said[: len(message)]) == (2, message)
    assert not (tmp_path / "out").exists()


def test_every_machine_is_asked_and_one_too_small_is_no_problem(model: HostModel) -> None:
    rows = random_rows(1, model.channels, 30)
    found = check(model, "python", rows, None)
    assert [c.machine for c in found] == ["unix VM", "WASI VM", "micro:bit"]
    assert not any(c.problem for c in found)
