"""`dibble export --to c` of a network over a stream: the same decisions from gcc, strict and with sanitizers."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from dibble_tools.bench.stream_net import codes, drawn, model_of
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.export.c.source import write_c, write_sketch
from dibble_tools.export.python.source import write_python
from dibble_tools.export.unrolled import unrolled_source
from dibble_tools.families.stream.network import DEPTHWISE, FULL, MEAN, LayerShape
from dibble_tools.machines.compiled import SANITIZERS, STRICT
from dibble_tools.model.encoding import number
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.rows import made_up_rows
from dibble_tools.model.writer import ModelSpec, export
from typer.testing import CliRunner

BANDS = 9
SHAPES = [
    LayerShape(FULL, 8, 3, bits=4),
    LayerShape(DEPTHWISE, 8, 5),
    LayerShape(FULL, 12, 2, stride=2),
    LayerShape(MEAN, 12, 4),
    LayerShape(FULL, 5),
]
MAIN = """\
#include <stdio.h>
#include "s.h"
int main(void)
{
    static s_node node;
    uint8_t row[S_CODES];
    printf("%d\\n", s_self_test(&node));
    while (fread(row, 1, S_CODES, stdin) == S_CODES) {
        s_predict(&node, row);
        printf("%d %ld %d -1 %d\\n", node.class_index, (long)node.margin, node.flags, node.held_index);
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def model() -> HostModel:
    content = model_of(drawn(BANDS, SHAPES)).content
    margins = model_of(drawn(BANDS, SHAPES)).decide(codes(BANDS, 80, seed=5)).margin
    spec = ModelSpec(
        "s",
        content.channels,
        list(content.classes),
        drawn(BANDS, SHAPES),
        unsure_below=int(np.quantile(margins[12:], 0.3)),
        hysteresis=2,
        parts={b"cells": number(BANDS)},
    )
    return HostModel(export(spec, codes(BANDS, 9).tolist()))


@pytest.mark.parametrize("how", [("-O2",), SANITIZERS], ids=["fast", "sanitized"])
def test_c_decides_as_the_host(model: HostModel, how: tuple[str, ...], tmp_path: Path) -> None:
    for name, text in write_c(model.content).items():
        (tmp_path / name).write_text(text)
    (tmp_path / "main.c").write_text(MAIN)
    subprocess.run(["gcc", *how, *STRICT, "-o", "run", "s.c", "main.c"], cwd=tmp_path, check=True, timeout=120)
    rows = codes(BANDS, 80, seed=5)
    done = subprocess.run(
        [tmp_path / "run"], input=bytes(rows.astype(np.uint8)), capture_output=True, timeout=60, check=True
    )
    failed, *lines = done.stdout.decode().splitlines()
    expected = model.decide(rows).columns()
    assert failed == "0" and len(np.unique(expected[:, 4])) > 2 and expected[:, 2].any()
    assert [[int(word) for word in line.split()] for line in lines] == expected.tolist()


def test_a_golden_row_that_is_decided_otherwise_is_told(model: HostModel, tmp_path: Path) -> None:
    files = write_c(model.content)
    head, table = files["s.c"].split("golden_decisions[] = {\n", 1)
    first = table.index(", ", table.index("UL")) if "UL" in table else 0
    (tmp_path / "s.c").write_text(head + "golden_decisions[] = {\n" + "    7UL" + table[first:])
    (tmp_path / "s.h").write_text(files["s.h"])
    (tmp_path / "main.c").write_text(MAIN)
    subprocess.run(["gcc", *STRICT, "-o", "run", "s.c", "main.c"], cwd=tmp_path, check=True, timeout=120)
    assert subprocess.run([tmp_path / "run"], input=b"", capture_output=True, timeout=60, check=True).stdout == b"1\n"


def test_programs_that_there_are_not_say_so(model: HostModel) -> None:
    for write in (write_sketch, write_python):
        with pytest.raises(InputError, match="got a network over a stream"):
            write(model.content)
    with pytest.raises(InputError, match="got a network over a stream"):
        unrolled_source(model)


def test_what_check_would_need_is_told(model: HostModel, tmp_path: Path) -> None:
    (tmp_path / "s.dib").write_bytes(model.blob)
    done = CliRunner().invoke(app, ["export", str(tmp_path / "s.dib"), "--to", "c", "--out", str(tmp_path), "--check"])
    assert isinstance(done.exception, InputError) and not (tmp_path / "s.c").exists()


def test_rows_that_are_made_up_are_codes(model: HostModel) -> None:
    rows, elapsed = made_up_rows(model)
    assert elapsed is None and rows.min() >= 0 and rows.max() <= 255
    model.cross_check(rows)
