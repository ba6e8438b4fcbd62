"""A number that a model tells is the same in each form: exact fractions say which."""

from dataclasses import replace
from fractions import Fraction
from math import floor
from pathlib import Path

import dukpy
import numpy as np
import pytest
from dibble.inference.decision import NO_CLASS, Decision
from dibble.inference.fixed_point import MISSING
from dibble.inference.number import number_of
from dibble.inference.parts import NUMBER
from dibble.report import lorawan
from dibble_tools.common.errors import InputError
from dibble_tools.export.forms import write
from dibble_tools.export.lorawan import write_decoder
from dibble_tools.export.microbit.node import SmallNode, small_node_files
from dibble_tools.machines import tools
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.number import Quantity, number_part, quantity_of
from random_models import Case, case_of, random_case, random_number

ROWS = 200


def exact(q: Quantity, class_index: int, margin: int) -> int:
    """Return the number by fractions: halves up, within its range."""
    if class_index == NO_CLASS:
        return MISSING
    lead = margin if class_index else -margin
    return min(
        max(q.base + floor(Fraction(lead * q.multiplier, 2**q.shift) + Fraction(1, 2) * (q.shift > 0)), q.channel.low),
        q.channel.high,
    )


def cases() -> list[Case]:
    """Return random models of two classes, of each family, with random numbers."""
    found = []
    for seed in range(200):
        case = random_case(seed, 4)
        family = case.model.content.family_name
        if len(case.spec.classes) == 2 and sum(one.model.content.family_name == family for one in found) < 2:
            found.append(case_of(replace(case.spec, parts={NUMBER: number_part(random_number(seed))}), seed, ROWS))
    return found


CASES = cases()


def expected(case: Case) -> list[int]:
    q = case.model.content.number
    pairs = zip(case.expected.class_index.tolist(), case.expected.margin.tolist(), strict=True)
    return [exact(q, class_index, margin) for class_index, margin in pairs]


def test_there_is_a_case_of_each_family() -> None:
    assert {case.model.content.family_name for case in CASES} == {"forest", "additive", "mlp"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_file_keeps_it_and_the_host_computes_it(case: Case) -> None:
    told = number_of(case.model.model)
    assert case.spec.parts[NUMBER] == number_part(quantity_of(told))
    assert case.model.content.format == 3 and "number" in case.model.content.parts
    assert case.model.content.number.steps(case.expected).tolist() == expected(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_program_in_python_tells_it(case: Case) -> None:
    (text,) = write(case.model, "python").values()
    space: dict = {}
    exec(compile(text, "model", "exec"), space)
    node = space["Node"]()
    timed = case.model.content.timed
    got = []
    for i, row in enumerate(case.readings.tolist()):
        readings = [None if reading == MISSING else reading for reading in row]
        node.predict(readings, int(case.elapsed_ms[i])) if timed else node.predict(readings)
        got.append(MISSING if node.number() is None else node.number())
    assert got == expected(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_program_in_c_tells_it(case: Case, tmp_path: Path) -> None:
    for name, text in write(case.model, "c", "m").items():
        (tmp_path / Path(name).name).write_text(text)
    timed = case.model.content.timed
    numbers = np.column_stack([case.readings, case.elapsed_ms if timed else np.zeros(len(case.readings))])
    call = "m_predict_after(&node, readings, (uint32_t)readings[M_CHANNELS])" if timed else "m_predict(&node, readings)"
    (tmp_path / "main.c").write_text(
        f"""#include <stdio.h>
#include "m.h"
static m_node node;
int main(void)
{{
    int32_t readings[M_CHANNELS + 1];
    m_restart(&node);
    while (fread(readings, sizeof readings, 1, stdin)) {{
        {call};
        printf("%ld\\n", (long)m_number(&node));
    }}
    return 0;
}}
"""
    )
    flags = "-std=c99 -Wall -Wextra -Werror -O1 -fsanitize=undefined -fno-sanitize-recover"
    tools.run(["gcc", *flags.split(), "m.c", "main.c", "-o", "m"], tmp_path)
    said = tools.run([str(tmp_path / "m")], tmp_path, feed=numbers.astype("<i4").tobytes())
    assert list(map(int, said.split())) == expected(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_lorawan_payload_tells_it(case: Case, tmp_path: Path) -> None:
    """To half a step of its 16 bits; the decoder says its unit and within what, too."""
    path = tmp_path / "model.dib"
    path.write_bytes(case.model.blob)
    q = case.model.content.number
    packer = lorawan.Packer(case.model.model)
    payloads, whole = [], expected(case)[:40]
    for row, index, margin in zip(case.readings, case.expected.class_index, case.expected.margin, strict=True):
        decision = Decision(1)
        decision.settle(int(index), int(margin), 0, -1)
        payloads.append(list(packer.pack(decision, row.tolist(), 3700)))
    script = write_decoder(path) + ";dukpy.all.map(function (b) { return decodeUplink({bytes: b, fPort: 21}).data; })"
    step = q.channel.mantissa * Fraction(10) ** q.channel.exponent
    coarse = max(1, (q.channel.high - q.channel.low - 1) // 65532 + 1)
    for said, steps in zip(dukpy.evaljs(script, all=payloads[:40]), whole, strict=True):
        told = said["number"]
        assert (told["name"], told["unit"], told["percent"]) == (q.reading, q.channel.unit, q.coverage)
        if steps == MISSING:
            assert told["value"] is None
        else:
            assert abs(Fraction(told["value"]) - steps * step) <= (Fraction(coarse // 2) + Fraction(1, 1000)) * step
        assert abs(Fraction(told["within"]) - q.spread * step) < Fraction(1, 10**8)


def test_the_microbits_node_refuses_it() -> None:
    case = next(case for case in CASES if case.model.content.family_name == "forest")
    with pytest.raises(InputError, match="expected a model that decides a class for the micro:bit"):
        small_node_files(HostModel(case.model.blob), SmallNode((), 0, "x"))
