"""Every generated node tests itself at start: one whose tables aren't what was written decides nothing, and says so."""

import dataclasses
import re
import shutil
from pathlib import Path

import pytest
from dibble_tools.export.forms import write
from dibble_tools.export.microbit.node import small_node_files
from dibble_tools.export.python.source import write_python
from dibble_tools.machines import tools
from dibble_tools.machines.microbit import Microbit
from dibble_tools.machines.single_file import on_unix
from dibble_tools.machines.vms import VmError
from dibble_tools.model.content import Content
from dibble_tools.model.golden import golden_rows
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import export
from generated_forms import SKETCH
from helpers import random_rows, random_spec
from small_bench import NODE, additive, raw_readings, run

C_MAIN = """\
#include <stdio.h>
#include "m.h"
int main(void) {
    static m_node node;
    int32_t readings[M_CHANNELS] = {0};
    m_restart(&node);
    m_predict(&node, readings);
    printf("%d %d %d %d\\n", node.class_index, node.flags, node.channel, node.held_index);
    return 0;
}
"""


@pytest.fixture(scope="module")
def model() -> HostModel:
    spec = random_spec(3, trees=5, depth=4)
    return HostModel(export(spec, golden_rows(spec, random_rows(1, spec.channels, 300), None)))


def wrong(content: Content) -> Content:
    """Return the content with one golden vector that the tables don't agree with."""
    first = dataclasses.replace(content.golden[0], margin=content.golden[0].margin + 1)
    return dataclasses.replace(content, golden=[first, *content.golden[1:]])


def spoilt(files: dict[str, str]) -> dict[str, str]:
    """Return a C program's texts, the margin of the first golden vector changed."""
    change = re.compile(r"(golden_decisions\[\] FLASH = \{\n +\d+U?L?, )(\d+)")
    return {name: change.sub(lambda m: f"{m[1]}{int(m[2]) + 1}", text) for name, text in files.items()}


def test_c_gives_no_class_once_its_self_test_has_failed(tmp_path: Path, model: HostModel) -> None:
    files = write(model, "c", "m")
    said = []
    for texts in (files, spoilt(files)):
        for name, text in {**texts, "main.c": C_MAIN}.items():
            (tmp_path / name).write_text(text)
        tools.run(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "main.c", "m.c", "-o", "main"], tmp_path)
        said.append(tools.run([str(tmp_path / "main")], tmp_path).split())
    assert texts != files
    assert said[0][0] != "255"
    assert said[1] == ["255", "4", "255", "255"]  # no class, a fault, of no channel, no class held


def test_a_sketch_says_so_and_answers_no_more(tmp_path: Path, model: HostModel) -> None:
    for name, text in spoilt(write(model, "arduino", "s")).items():
        (tmp_path / Path(name).name).write_text(text)
    for path in SKETCH.iterdir():
        shutil.copy(path, tmp_path)
    tools.run(["g++", "-x", "c++", "-std=gnu++11", '-DSKETCH="s.ino"', "-I.", "-c", "main.cpp"], tmp_path)
    tools.run(["gcc", "-std=c99", "-c", "s.c"], tmp_path)
    tools.run(["g++", "main.o", "s.o", "-o", "sketch"], tmp_path)
    said = tools.run([str(tmp_path / "sketch")], tmp_path, feed=b"0,0,0\n")
    assert said == "s: its self-test failed at row 1: nothing is decided; write the sketch to the board again\n"


def test_a_python_file_makes_no_node(model: HostModel) -> None:
    (text,) = write_python(wrong(model.content)).values()
    with pytest.raises(VmError, match="ValueError: row 0 of the self-test"):
        on_unix(text, random_rows(1, model.channels, 3), None)


def test_the_microbit_drives_nothing_and_says_so() -> None:
    files = small_node_files(additive(2, 31), NODE)
    tables = bytearray(files["tables"])
    tables[16:80] = bytes(byte ^ 0x40 for byte in tables[16:80])  # behind the ranges: all of both tables
    with Microbit() as board:
        said = run(board, {**files, "tables": bytes(tables)}, raw_readings(NODE)[:20])
        assert said.lines == [] and said.end.endswith("Value")
        assert run(board, files, raw_readings(NODE)[:20]).lines
