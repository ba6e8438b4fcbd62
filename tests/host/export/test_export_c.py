"""`dibble export --to c`: the same decisions from gcc with sanitizers, a Cortex-M0 and an ATmega328P."""

import dataclasses
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from dibble.inference import features as windows
from dibble.inference.fixed_point import MISSING
from dibble_tools.common.errors import InputError
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.export.c.source import write_c
from dibble_tools.export.names import prefix_of
from dibble_tools.machines import tools
from dibble_tools.machines.compiled import CProgram, on_pc, on_target
from dibble_tools.machines.machine_run import MachineRun
from dibble_tools.machines.targets import ATMEGA328P, CORTEX_M0
from dibble_tools.machines.tools import TooLarge, ToolMissing
from dibble_tools.model.golden import golden_rows
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.reader import content_of
from dibble_tools.model.writer import ModelSpec, export
from helpers import channels_of, random_additive, random_elapsed, random_mlp, random_rows, random_spec
from sounds import random_ear

LOWS, HIGHS = [-100, -20_000, 0, 500, 0], [120, 30_000, 1_000_000, 500 + 2**29, 1]
LIMITS = [high - low for low, high in zip(LOWS, HIGHS, strict=True)]
FORMS = {
    "linear": ([], ["dense8"]),
    "pruned": ([12, 5], ["sparse8", "sparse8", "dense8"]),
    "mixed": ([8, 7, 5], ["codebook4", "dense16", "sparse8", "codebook4"]),
}
EVERY_KIND = [FeatureSpec(1, kind, 1 if kind == windows.LAST else 5) for kind in range(len(windows.KINDS))]
MIXED = [
    FeatureSpec(2, windows.SLOPE, 9),
    *EVERY_KIND,
    FeatureSpec(0, windows.MIN, 255),
    FeatureSpec(0, windows.LAST, 1),
]


def embedded(source: CProgram, readings: np.ndarray, elapsed_ms: np.ndarray | None) -> list[MachineRun]:
    return [on_target(source, readings, elapsed_ms, target) for target in (CORTEX_M0, ATMEGA328P)]


def sanitized(source: CProgram, readings: np.ndarray, elapsed_ms: np.ndarray | None) -> list[MachineRun]:
    return [on_pc(source, readings, elapsed_ms, sanitized=True)]


def equal_on(
    machines: Sequence[Callable[[CProgram, np.ndarray, np.ndarray | None], list[MachineRun]]],
    spec: ModelSpec,
    rows: int = 400,
    seed: int = 1,
) -> list[MachineRun]:
    """Assert that machines decide as the host does on rows with every oddity; return what they took."""
    readings = random_rows(seed, spec.channels, rows)
    elapsed = random_elapsed(seed, rows) if spec.features and spec.interval_ms else None
    model = HostModel(export(spec, golden_rows(spec, readings, elapsed)))
    expected = model.decide(readings, elapsed).columns()
    assert len(np.unique(expected[:, 2])) > 2  # flags
    content = model.content
    source = CProgram(write_c(content), prefix_of(content.name), content.timed)
    outcomes = [outcome for machine in machines for outcome in machine(source, readings, elapsed)]
    for outcome in outcomes:
        assert np.array_equal(outcome.decisions.columns(), expected)
        assert outcome.failed == 0
    return outcomes


def tables_of(name: str, classes: int):
    if name == "additive":
        return random_additive(classes, LIMITS, classes, largest=150)
    widths, forms = FORMS[name]
    return random_mlp(classes, LIMITS, classes, widths, forms)


@pytest.mark.parametrize(
    ("name", "classes"), [("additive", 5), ("additive", 2), ("linear", 3), ("pruned", 2), ("mixed", 5)]
)
def test_sums_and_networks_decide_alike_everywhere(name: str, classes: int) -> None:
    names = [f"class {i}" for i in range(classes)]
    spec = ModelSpec("random", channels_of(LOWS, HIGHS), names, tables_of(name, classes), unsure_below=100)
    equal_on([sanitized, embedded], spec)


@pytest.mark.parametrize(
    ("trees", "depth", "classes"),
    [(1, 0, 3), (1, 3, 1), (9, 4, 9), (3, 10, 4)],
    ids=["leaf", "alone", "pages", "jumps"],
)
def test_forests_decide_alike_everywhere(trees: int, depth: int, classes: int) -> None:
    """Trees that are a leaf, a single class, trees of one page, trees that jump from page to page."""
    equal_on([sanitized, embedded], random_spec(7, trees=trees, depth=depth, classes=classes))


def test_boosted_forest_decides_alike_everywhere() -> None:
    """Leaves with amounts, and bases."""
    spec = random_spec(3, trees=9, depth=4, classes=3)
    tables = spec.tables
    swapped = dataclasses.replace(tables, leaves=[(1, 40), (2, 255), (0, 3)], base=[7, 300, 0], highest=[99, 900, 9999])
    equal_on([sanitized, embedded], dataclasses.replace(spec, tables=swapped))


@pytest.mark.parametrize(
    "features", [EVERY_KIND, MIXED, MIXED[:1]], ids=["every kind", "out of order", "one a channel"]
)
def test_windows_gaps_and_hysteresis_decide_alike_everywhere(features: list[FeatureSpec]) -> None:
    spec = random_spec(5, features, hysteresis=3, trees=9, depth=5)
    equal_on([sanitized], spec, 2000)
    if features is EVERY_KIND:
        equal_on([embedded], spec)


def test_novelty_decides_alike_everywhere() -> None:
    features = [FeatureSpec(0, 0, 1), FeatureSpec(1, 1, 4), FeatureSpec(2, 5, 3)]
    spec = random_spec(1, features, hysteresis=2)
    novelty = SimpleNamespace(tables=random_additive(6, spec.limits, 2), threshold=600)
    network = random_mlp(5, spec.limits, 4, [6], ["dense8", "dense8"])
    equal_on([sanitized], dataclasses.replace(spec, novelty=novelty))
    equal_on([sanitized, embedded], dataclasses.replace(spec, novelty=novelty, tables=network))


@pytest.mark.parametrize("seed", range(6))
def test_random_models_decide_alike_under_the_sanitizers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, len(windows.KINDS), 6)
    sizes = rng.choice([1, 2, 3, 7, 30], 6)
    features = [
        FeatureSpec(i % 2, int(kind), 1 if kind == windows.LAST else int(size))
        for i, (kind, size) in enumerate(zip(kinds, sizes, strict=True))
    ]
    spec = random_spec(seed, features if seed % 2 else [], hysteresis=seed, classes=2 + seed, trees=5 * seed + 1)
    equal_on([sanitized], spec, 1000, seed)


def test_a_model_of_2_kb_takes_6_kb_of_flash_and_200_bytes_of_ram_on_an_atmega328p() -> None:
    """1,000 rows, in several batches: each begins with what the one before left."""
    spec = random_spec(11, trees=18, depth=6, classes=4, hysteresis=2)
    size = len(HostModel(export(spec)).blob)
    assert 1800 < size <= 2048
    (outcome,) = equal_on([lambda *rows: [on_target(*rows, ATMEGA328P)]], spec, 1000)
    assert outcome.flash is not None and outcome.flash <= 6 << 10
    assert outcome.ram is not None and outcome.ram <= 200
    assert outcome.stack is not None and 0 < outcome.stack < outcome.ram
    assert outcome.mean_cost is not None and outcome.most_cost is not None
    assert 500 < outcome.mean_cost <= outcome.most_cost < 100_000


def test_golden_vectors_tell_a_changed_program() -> None:
    spec = random_spec(3)
    readings = random_rows(1, spec.channels, 300)
    model = HostModel(export(spec, golden_rows(spec, readings, None)))
    files = write_c(model.content)
    files["random.c"] = files["random.c"].replace("uint8_t missing = NONE", "uint8_t missing = 0", 1)
    source = CProgram(files, "random", False)
    assert on_pc(source, readings[:1], None).failed > 0


def test_what_does_not_fit_says_so() -> None:
    spec = random_spec(3, trees=60, depth=9)
    model = HostModel(export(spec))
    content = model.content
    source = CProgram(write_c(content), "random", content.timed)
    with pytest.raises(TooLarge, match="is too large"):
        on_target(source, random_rows(1, spec.channels, 3), None, ATMEGA328P)
    spec = random_spec(5, [FeatureSpec(i, windows.MIN, 255) for i in range(3)], trees=3)
    content = content_of(export(spec))
    source = CProgram(write_c(content), "random", content.timed)
    with pytest.raises(TooLarge):
        on_target(source, random_rows(1, spec.channels, 3), None, ATMEGA328P)


@pytest.mark.parametrize(
    ("command", "package"), [("avr-gcc", "gcc-avr avr-libc"), ("simavr", "simavr"), ("gcc", "gcc")]
)
def test_a_missing_tool_names_what_installs_it(command: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.shutil, "which", lambda name: None)
    with pytest.raises(ToolMissing, match=f"{command} on the PATH, found none; on Debian: apt-get install {package}"):
        tools.find(command)
    assert issubclass(ToolMissing, InputError)


def test_extreme_readings_are_in_the_rows() -> None:
    rows = random_rows(1, channels_of(LOWS, HIGHS), 400)
    assert {MISSING, 1 - (1 << 30), (1 << 30) - 1} <= set(rows.ravel().tolist())


def test_a_model_that_hears_decides_alike_everywhere() -> None:
    """Its channels are told nowhere in the file, and need no scaler."""
    model = random_ear()
    rows = np.random.default_rng(4).integers(0, 256, (40, len(model.channels)))
    source = CProgram(write_c(model.content), prefix_of(model.content.name), model.content.timed)
    for machine in (sanitized, embedded):
        for outcome in machine(source, rows, None):
            assert np.array_equal(outcome.decisions.columns(), model.decide(rows).columns())
            assert outcome.failed == 0
