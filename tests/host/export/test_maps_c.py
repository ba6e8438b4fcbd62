"""`dibble export --to c` of a network of maps: the same decisions from gcc, strict and with sanitizers."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.export.c.source import write_c, write_sketch
from dibble_tools.export.python.source import write_python
from dibble_tools.export.unrolled import unrolled_source
from dibble_tools.machines.compiled import SANITIZERS, STRICT
from dibble_tools.model.host_model import HostModel
from random_maps import random_frames, random_maps
from typer.testing import CliRunner

MAIN = """\
#include <stdio.h>
#include "s.h"
int main(void)
{
    static s_node node;
    static TYPE frame[S_READINGS];
    printf("%d\\n", s_self_test(&node, frame));
    while (fread(frame, sizeof frame, 1, stdin) == 1) {
        s_predict(&node, frame);
        printf("%d %ld %d %d\\n", node.class_index, (long)node.margin, node.flags, node.held_index);
    }
    return 0;
}
"""


def run(model: HostModel, frames: np.ndarray, how: tuple[str, ...], folder: Path) -> list[str]:
    """Return what the compiled program prints for frames of readings."""
    for name, text in write_c(model.content, "s").items():
        (folder / name).write_text(text)
    scaled = model.content.family.frame.scaled
    (folder / "main.c").write_text(MAIN.replace("TYPE", "int16_t" if scaled else "uint8_t"))
    subprocess.run(["gcc", *how, *STRICT, "-o", "run", "s.c", "main.c"], cwd=folder, check=True, timeout=120)
    data = frames.astype("<i2" if scaled else np.uint8).tobytes()
    done = subprocess.run([folder / "run"], input=data, capture_output=True, timeout=60, check=True)
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize("seed", range(8))
def test_c_decides_as_the_host(seed: int, tmp_path: Path) -> None:
    tables, model = random_maps(seed)
    frames = random_frames(seed, tables.frame, 12)
    expected = model.decide(frames).columns()
    if tables.frame.scaled:
        frames[-1, 3] = -32768
        expected[-1] = 255, 0, 4, 3, expected[-1, 4]
    failed, *lines = run(model, frames, SANITIZERS if seed % 2 else ("-O2",), tmp_path)
    assert failed == "0"
    wanted = [[n if n >= 0 else 255 for n in (row[0], row[1], row[2], row[4])] for row in expected.tolist()]
    assert [[int(word) for word in line.split()] for line in lines] == wanted


def test_a_golden_frame_that_is_decided_otherwise_is_told(tmp_path: Path) -> None:
    _, model = random_maps(2)
    files = write_c(model.content, "s")
    head, table = files["s.c"].split("golden[] = {\n", 1)
    seed, rest = table.split(", ", 1)
    (tmp_path / "s.c").write_text(head + f"golden[] = {{\n{seed}, 9UL" + rest[rest.index(",") :])
    (tmp_path / "s.h").write_text(files["s.h"])
    (tmp_path / "main.c").write_text(MAIN.replace("TYPE", "uint8_t"))
    subprocess.run(["gcc", *STRICT, "-o", "run", "s.c", "main.c"], cwd=tmp_path, check=True, timeout=120)
    assert subprocess.run([tmp_path / "run"], input=b"", capture_output=True, timeout=60, check=True).stdout == b"1\n"


def test_programs_that_there_are_not_say_so(tmp_path: Path) -> None:
    _, model = random_maps(0)
    for write in (write_sketch, write_python):
        with pytest.raises(InputError, match="got a network of maps: it is written as C"):
            write(model.content)
    with pytest.raises(InputError, match="got a network of maps: it is written as C"):
        unrolled_source(model)
    (tmp_path / "s.dib").write_bytes(model.blob)
    done = CliRunner().invoke(app, ["export", str(tmp_path / "s.dib"), "--to", "c", "--out", str(tmp_path), "--check"])
    assert isinstance(done.exception, InputError) and not (tmp_path / "s.c").exists()
