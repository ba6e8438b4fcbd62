"""Assembler, and viper's machine code for the same processor, on an emulated Cortex-M0 without a VM.

Whatever the portable tests ask of kernels is asked of these: their cases are collected here with the answers of
the bytecode kernels, which the tests themselves compare with what they expect.
"""

import importlib
import itertools
import re
import subprocess
import sys
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dibble
import numpy as np
import pytest
from dibble.inference import mlp as mlp_family
from dibble.inference.features import LAST
from dibble.inference.kernels import additive_bytecode, forest_bytecode, mlp_bytecode
from dibble_tools.bench import cortex_m0, microbit_call
from dibble_tools.bench.cases import Case, cases
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import ModelSpec, export, forest_spec
from helpers import channels_of, random_additive, random_mlp, random_rows, random_spec, random_trees

PORTABLE = Path(__file__).parents[3] / "tests" / "portable"
SOURCES = sorted((Path(dibble.__path__[0]) / "inference" / "kernels").glob("*_thumb.py"))
BYTECODE = {"forest": forest_bytecode.forest, "additive": additive_bytecode.additive, "mlp": mlp_bytecode.mlp}
ASKED = {
    "forest": ("test_forest_scores", "test_top_two", "test_encode", "test_check_and_score"),
    "coded": (
        "test_check_and_score",
        "test_additive_scores",
        "test_scale",
        "test_codebook",
        "test_dense",
        "test_sparse",
        "test_mlp",
    ),
}
LOWS, LIMITS = [-100, 0, 5, -20000, 0], [200, 90000, 255, 40000, 1]


def random_model(tables: Any, classes: int) -> HostModel:
    channels = channels_of(LOWS, np.add(LOWS, LIMITS).tolist())
    return HostModel(export(ModelSpec("random", channels, [f"class {i}" for i in range(classes)], tables)))


def random_network(widths: list[int], forms: list[str], classes: int = 3) -> HostModel:
    return random_model(random_mlp(1, LIMITS, classes, widths, forms), classes)


RANDOM: dict[str, list[Callable[[], HostModel]]] = {
    "forest": [
        lambda: HostModel(export(random_spec(1, [], trees=12))),
        lambda: HostModel(export(random_spec(2, [], trees=4))),
    ],
    "coded": [
        lambda: random_model(random_additive(3, LIMITS, 3), 3),
        lambda: random_model(random_additive(7, LIMITS, 7), 7),
        lambda: random_network([7], ["dense8", "dense16"]),
        lambda: random_network([8, 6, 5], ["codebook4", "sparse8", "dense16", "sparse8"]),
        lambda: random_model(random_additive(2, LIMITS, 2), 2),
    ],
}
SCORES_AT = {"forest": 11, "additive": 8, "mlp": 8}  # words of the plan
CHECK = """\
static uint32_t plan[2000];
static const uint8_t *blob;
typedef Word Judge(const int32_t *row);
static void print(Word value);
static Word thumb(const int32_t *row), viper(const int32_t *row);
static void check(const uint8_t *file, const uint32_t *words, int count, const int32_t *row, int first, int scores) {
    Judge *kinds[] = {thumb, viper};
    for (int kind = 0; kind < 2; kind++) {
        for (int i = 0; i < count; i++) plan[i] = words[i];
        plan[0] = (Word)file;
        print(kinds[kind](row) & 0x3FFFFFFF);
        Word sum = 0;
        for (int k = 0; k < scores; k++) sum = (sum * 31 + plan[first + k]) & 0x3FFFFFFF;
        print(sum);
    }
}
"""


class Cases:
    """What a kernel has to answer: file, plan, row, where in the plan its scores are; the answer, and their sum."""

    def __init__(self, kernel: str) -> None:
        self.kernel = kernel
        self.found: dict[tuple[bytes, bytes, tuple[int, ...], int, int], tuple[int, int]] = {}

    def maker(self, name: str) -> Callable[..., Any]:
        """Return what makes a kernel of a family: one in bytecode whose rows are kept with their answers."""
        plans = cortex_m0.plans(name)

        def make(blob: Any, *parts: Any) -> Any:
            blob = bytes(blob)
            plan, _ = plans(blob, *_within(blob, parts))
            plan[0] = plan[1] = 0
            low, limits = parts[-2:]
            run, scores = BYTECODE[name](blob, *_for_bytecode(name, parts))

            def f(row: Any) -> int:
                values = array("i", [value - least for value, least in zip(row, low, strict=True)])
                if not all(0 <= value <= limit for value, limit in zip(values, limits, strict=True)):
                    self.keep(name, (blob, plan.tobytes(), tuple(row), 0, 0), (-1, 0))
                    return -1
                answer = run(values)
                total = 0
                for score in scores:
                    total = (total * 31 + score) & 0x3FFFFFFF
                first = plan[SCORES_AT[name]] // 4
                self.keep(name, (blob, plan.tobytes(), tuple(row), first, len(scores)), (answer, total))
                return answer

            return f, scores

        return make

    def keep(self, name: str, case: tuple[bytes, bytes, tuple[int, ...], int, int], answer: tuple[int, int]) -> None:
        if cortex_m0.KERNELS[name] == self.kernel:
            self.found[case] = answer[0] & 0x3FFFFFFF, answer[1]

    def check(self) -> None:
        """Let assembler and viper answer all of it."""
        tables, calls = self.program()
        numbers = cortex_m0.run(tables + cortex_m0.codes(self.kernel), calls)
        answers = [tuple(numbers[i : i + 2]) for i in range(0, len(numbers), 2)]
        assert answers[::2] == list(self.found.values())  # of assembler
        assert answers[1::2] == list(self.found.values())  # of viper

    def program(self) -> tuple[str, list[str]]:
        """Return C tables, and a call for each case."""
        tables, calls, names = CHECK, [], {}

        def named(kind: str, values: Any) -> str:
            nonlocal tables
            if (kind, values) not in names:
                names[kind, values] = f"t{len(names)}"
                listed = ",".join(map(str, values))
                tables += f"static const {kind} __attribute__((aligned(4))) t{len(names) - 1}[] = {{{listed}}};\n"
            return names[kind, values]

        for blob, plan, row, first, scores in self.found:
            words = tuple(array("I", plan))
            own = named("uint8_t", blob), named("uint32_t", words), str(len(words)), named("int32_t", row)
            calls.append(f"check({', '.join(own)}, {first}, {scores});")
        return tables, calls


def _within(blob: bytes, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a family's parts with each part of the file within this copy of it."""

    def moved(part: Any) -> Any:
        if isinstance(part, memoryview) and part.format == "B":
            at = cortex_m0.address(part) - cortex_m0.address(part.obj)
            return memoryview(blob)[at : at + len(part)]
        return type(part)(map(moved, part)) if isinstance(part, list | tuple) else part

    return tuple(map(moved, parts))


def _for_bytecode(name: str, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the parts with rows of 16 bits as bytecode reads them."""
    if name != "mlp":
        return parts
    (scalers, base, layers), *rest = parts
    layers = [
        (form, ([array("H", bytes(row)) for row in rows] if form == mlp_family.DENSE16 else rows, *own))
        for form, (rows, *own) in layers
    ]
    return ((scalers, base, layers), *rest)


@pytest.fixture
def portable(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Import a portable test as if machine code were there; afterwards all is as before."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(PORTABLE))
    for name in [name for name in before if (PORTABLE / f"{name}.py").is_file()]:
        monkeypatch.delitem(sys.modules, name)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize("kernel", ASKED)
def test_every_case_of_the_portable_tests(kernel, portable, monkeypatch):
    found = Cases(kernel)
    make = {name: found.maker(name) for name in BYTECODE}
    monkeypatch.setattr(mlp_family, "mlp", make["mlp"])
    monkeypatch.setattr(mlp_family, "KIND", "thumb")
    for name in ASKED[kernel]:
        module = portable(name)
        own = "additive" if kernel == "coded" else "forest"
        for attribute, value in (("quickest", make[own]), ("forest", make["forest"]), ("additive", make["additive"])):
            if hasattr(module, attribute):
                monkeypatch.setattr(module, attribute, value)
        monkeypatch.setattr(module, "KIND", "thumb", raising=False)
        for test in sorted(vars(module)):
            if test.startswith("test_"):
                getattr(module, test)()
    assert len(found.found) > 300
    found.check()


@pytest.mark.parametrize("kernel", ASKED)
def test_random_models(kernel):
    found = Cases(kernel)
    for model in RANDOM[kernel]:
        made = model()
        score, _ = found.maker(made.content.family_name)(*cortex_m0.parts_of(made))
        for row in random_rows(1, made.channels, 60):
            score(array("i", row.tolist()))
    found.check()


@pytest.mark.parametrize("kernel", ASKED)
def test_micropython_calls_it_with_a_row(kernel):
    model = RANDOM[kernel][-1]()
    rows = random_rows(3, model.channels, 12)
    decisions = model.decide(rows)
    low, high = ([getattr(channel, end) for channel in model.channels] for end in ("low", "high"))
    within = ((rows >= low) & (rows <= high)).all(axis=1)
    leads = decisions.class_index | decisions.margin << 8
    found = list(microbit_call.called(Case("random", "made up", model, rows, rows), rows.tolist()))
    assert within.any() and not within.all()
    assert [answer for answer, _, _ in found] == np.where(within, leads, -1).tolist()


FEATURES = [FeatureSpec(i % 5, kind, size) for i, (kind, size) in enumerate(itertools.product(range(1, 7), (2, 5, 9)))]


@pytest.mark.parametrize("family", ["forest", "additive", "mlp"])
def test_windows_of_every_kind(family):
    """Each row's answer is held against the model's, as instructions() does."""
    features = [*FEATURES, *(FeatureSpec(i, LAST, 1) for i in range(5))]
    channels = channels_of(LOWS, np.add(LOWS, LIMITS).tolist())
    limits = [feature.limit(channels) for feature in features]
    if family == "forest":
        trees = random_trees(np.random.default_rng(4), limits, 3, 9, 4)
        spec = forest_spec("random", channels, list("abc"), trees, features)
    else:
        tables = (
            random_additive(4, limits, 3)
            if family == "additive"
            else random_mlp(4, limits, 3, [6], ["dense8", "sparse8"])
        )
        spec = ModelSpec("random", channels, list("abc"), tables, features)
    model = HostModel(export(spec))
    rows = np.clip(random_rows(5, model.channels, 40), model.model.low, model.model.high)
    counts = cortex_m0.instructions(Case("random", "made up", model, rows, rows))
    assert counts.thumb < counts.viper


def test_assembler_takes_as_few_instructions_as_c():
    """Where thresholds are ranked first a few more: C compares with them as they are."""
    for case in cases():
        if case.model.content.windowed:
            continue
        counts = cortex_m0.instructions(case)
        assert counts.thumb < counts.gcc * (1.1 if case.name.startswith("wine") else 1), (case.name, counts)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_words_given_as_data_are_the_instructions_beside_them(source, tmp_path):
    told, names = [], []
    for words, comment in re.findall(r"data\(2, (.*?)\)  # (.*)", source.read_text()):
        told += [int(word, 16) for word in words.split(", ")]
        names += comment.split("; ")
    (tmp_path / "told.s").write_text(".syntax unified\n.thumb\n" + "".join(f"{name}\n" for name in names))
    run = ["arm-none-eabi-as", "-mcpu=cortex-m0", "-o", str(tmp_path / "told.o"), str(tmp_path / "told.s")]
    subprocess.run(run, check=True)
    copy = [
        "arm-none-eabi-objcopy",
        "-O",
        "binary",
        "-j",
        ".text",
        str(tmp_path / "told.o"),
        str(tmp_path / "told.bin"),
    ]
    subprocess.run(copy, check=True)
    assert list(array("H", (tmp_path / "told.bin").read_bytes())) == told
