"""Channels made of others in assembler and viper on an emulated Cortex-M0, and what they take."""

from array import array
from typing import Any

import numpy as np
from dibble.inference import features
from dibble.inference.features import ABOVE, DELTA, LAST, MEAN
from dibble.inference.kernels.features_bytecode import Windows
from dibble.inference.ratios import before
from dibble_tools.bench import cortex_m0

LOW = array("i", [1, 5685, 1, 100, 5685])
SPANS = [102_400_000 - low for low in LOW]
RATIOS = [
    (0, b"\x01", -9000, 17000),
    (2, b"\x04", -20480, 40960),
    (3, b"\x00\x01\x02\x03\x04", -4000, 9000),
    (1, b"\x02\x03", 0, 300),
    (4, b"\x00\x01\x02", -1000, 2000),
]
FEATURES = [(5, LAST, 1), (2, LAST, 1), (6, LAST, 1), (7, LAST, 1), (8, LAST, 1), (9, LAST, 1), (6, MEAN, 3)]
BASELINES = [(8, ABOVE, 3), (5, MEAN, 2), (0, ABOVE, 3), (8, DELTA, 2)]


def plan_of(ratios: list[Any], chosen: list[tuple[int, int, int]]) -> Any:
    files = [cortex_m0.FIRMWARE_KERNELS / f"{name}.py" for name in ("plan", "features_plan")]
    scope = cortex_m0.functions(files, KIND="thumb", push=None, **vars(features))
    spans = SPANS + [ratio[3] for ratio in ratios]
    return scope["WindowsPlan"](chosen, spans, 0, LOW, ratios)


def rows(count: int, seed: int = 18) -> np.ndarray:
    """Return rows at each magnitude within the ranges, some beyond."""
    found = np.exp2(np.random.default_rng(seed).uniform(0, 26.61, (count, len(LOW)))).astype(np.int64)
    found = np.maximum(found, np.array(LOW))
    found[0], found[1] = LOW, 102_400_000
    found[7, 2] = 0
    found[9, 0] = 102_400_001
    return found


def program(windows: Any, table: np.ndarray) -> str:
    words = ",".join(str(word & 0xFFFFFFFF) for word in windows.plan)
    inner = ",".join("{" + cortex_m0.listed(row) + "}" for row in table.tolist())
    return (
        f"static uint32_t plan[] = {{{words}}};\nstatic uint32_t kept[{len(windows.plan)}];\nstatic Word blob[1];\n"
        f"static const int32_t rows[][{len(LOW)}] = {{{inner}}};\n" + cortex_m0.codes("features")
    )


def check(kind: str, ratios: list[Any], chosen: list[tuple[int, int, int]], table: np.ndarray) -> None:
    """Hold a kernel against bytecode, both beginning with the first row within the ranges."""
    windows = plan_of(ratios, chosen)
    first = (windows.values_at - windows.plan_at) // 4
    plain = Windows(chosen, SPANS + [ratio[3] for ratio in ratios], 0)
    push = before(ratios, LOW, plain.push)
    values = "".join(f"print(plan[{first + k}]);" for k in range(len(chosen)))
    calls = [f"for (int i = 0; i < {len(table)}; i++) {{ print({kind}(rows[i]) & 0x3FFFFFFF);{values} }}"]
    expected = []
    for row in table.tolist():
        within = all(0 <= value - low <= span for value, low, span in zip(row, LOW, SPANS, strict=True))
        expected.append(0 if within else 0x3FFFFFFF)
        if within:
            push(array("i", [value - low for value, low in zip(row, LOW, strict=True)]))
        expected += list(plain.values)
    assert cortex_m0.run(program(windows, table), calls) == expected


def test_assembler_makes_the_ratios_of_bytecode() -> None:
    check("thumb", RATIOS, FEATURES, rows(150))


def test_assembler_makes_the_baselines_of_bytecode() -> None:
    """Of a channel and of a ratio, between windows that look back by rings."""
    check("thumb", RATIOS, BASELINES, rows(150))


def test_viper_makes_the_ratios_of_bytecode() -> None:
    """Without what divides: that is the VM's own there, and tried on the VM (test_ratio_models.py)."""
    pairs = [ratio for ratio in RATIOS if len(ratio[1]) == 1]
    check("viper", pairs, [(5, LAST, 1), (2, LAST, 1), (6, LAST, 1)], rows(150))


def test_a_ratio_takes_some_eighty_instructions_of_a_cortex_m0() -> None:
    """With its logarithms, one for each channel: a step for each octave away from 2**10, and the bend."""
    table = rows(40)[10:]
    pairs = [(i, bytes((i + 1,)), -20480, 40960) for i in range(4)]
    windows = plan_of(pairs, [(5 + i, LAST, 1) for i in range(4)])
    plain = plan_of([], [(i, LAST, 1) for i in range(4)])
    taken = []
    for one in (windows, plain):
        calls = ["thumb(rows[0]);", *(f"count(thumb, rows[{i}]);" for i in range(len(table)))]
        numbers = cortex_m0.run(program(one, table), calls)
        assert set(numbers[::2]) == {0}
        taken.append(float(np.mean(numbers[1::2])))
    assert 60 < (taken[0] - taken[1]) / len(pairs) < 100
