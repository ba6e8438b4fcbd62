"""`dibble bench`: figures as the counts tell them, well-formed files, and what is missing told."""

import json
from pathlib import Path

import numpy as np
import pytest
from dibble_tools.bench import counts, needs, reference, shipped
from dibble_tools.bench.aims import AIMS, Cell, ratios
from dibble_tools.bench.cases import GAS, GAS_FOREST, Case, cases, opened
from dibble_tools.bench.gas import gas_cases
from dibble_tools.bench.measure import measure
from dibble_tools.bench.results import COLUMNS, EXPORTED, MICROBIT, TABLES, VIPER, C, Measured
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import Channel
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import ModelSpec, export
from helpers import channels_of, random_additive, random_mlp, random_spec
from node_helpers import soil_model
from typer.testing import CliRunner


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A tree of one split."""
    channel = Channel("soil_moisture_permille", "permille", 1, 0, 0, 1000)
    (tmp_path / "model.dib").write_bytes(soil_model(400, [channel]))
    return tmp_path


def run(*arguments: str):
    return CliRunner().invoke(app, ["bench", *arguments])


def test_quick_run_writes_the_counts(tiny: Path, tmp_path: Path) -> None:
    result = run("--quick", str(tiny), "--out", str(tmp_path / "b.json"), "--plot", str(tmp_path / "b.png"))
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "b.json").read_text())
    assert [model["name"] for model in found["models"]] == ["dry below 400"]
    case = opened(tiny)
    fuel, ways = counts.fuel(case), found["models"][0]["ways"]
    assert ways["tables, bytecode"]["wasi_instructions_predict"] == fuel["predict_tables"]
    assert ways["as code, bytecode"]["wasi_instructions_predict"] == fuel["predict_code"]
    sizes = counts.sizes(case)
    assert ways["tables, bytecode"]["model_bytes"] == sizes["model"] == (tiny / "model.dib").stat().st_size
    assert ways["tables, bytecode"]["library_mpy_bytes"] == sizes["library_mpy"]
    assert ways["as code, bytecode"]["model_bytes"] == sizes["code_mpy"]
    assert ways["tables, bytecode"]["kept_heap_bytes"] == sizes["heap_kept_tables"]
    assert f"{fuel['predict_tables']:,}" in result.output
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")


def test_whole_run_has_a_figure_of_every_machine(tiny: Path) -> None:
    found = measure(opened(tiny), quick=False)
    keys = {way: {key for key, figure in figures.items() if figure is not None} for way, figures in found.ways.items()}
    assert keys[TABLES] >= {"pc_ns_kernel", "pc_ns_predict", "kept_heap_64_bit_bytes", "import_heap_bytes"}
    assert keys[VIPER] >= {"m0_instructions_kernel", "pc_ns_kernel"}
    assert keys[MICROBIT] == {"m0_instructions_predict"}
    assert keys[C] == {"m0_instructions_kernel", "pc_ns_kernel"}
    assert keys[EXPORTED] >= {"m0_instructions_predict", "atmega328p_cycles", "atmega328p_ram_bytes"}
    assert found.figure(C, "m0_instructions_kernel") < found.figure(VIPER, "m0_instructions_kernel")


@pytest.mark.parametrize("family", ["forest", "additive", "mlp"])
def test_c_by_hand_computes_what_models_of_every_form_do(family: str) -> None:
    """Logarithmic codes, pairs, 16-bit, pruned and codebook weights, pages of nodes and thresholds of 4 bytes."""
    lows, highs = [-100, -20_000, 0], [120, 30_000, 1_000_000]
    limits = [high - low for low, high in zip(lows, highs, strict=True)]
    if family == "forest":
        spec = random_spec(3, trees=7, depth=6)
    else:
        tables = (
            random_additive(1, limits, 4)
            if family == "additive"
            else random_mlp(1, limits, 4, [12, 7], ["codebook4", "dense16", "sparse8"])
        )
        spec = ModelSpec("random", channels_of(lows, highs), ["a", "b", "c", "d"], tables)
    rows = np.random.default_rng(1).integers(lows, highs, (300, 3), endpoint=True)
    model = HostModel(export(spec))
    expected = model.decide(rows)
    answers, _ = reference.timed(reference.source(Case(family, "", model, rows, rows)), rows)
    assert answers == (expected.class_index | expected.margin << 8).tolist()


def test_claims_are_of_cases_and_columns_that_there_are() -> None:
    names, keys = {case.name for case in cases()} | {GAS, GAS_FOREST}, {column.key for column in COLUMNS}
    for aim in AIMS:
        for figure in (aim.figure, aim.of):
            if isinstance(figure, Cell):
                assert figure.model in names and figure.key in keys


def test_a_ratio_needs_both_figures_and_tells_whether_it_reached_its_aim() -> None:
    model = Measured("wine forest 10 x 8", "", "forest", 100, False)
    assert list(ratios([model], {})) == []
    model.add(MICROBIT, {"m0_instructions_predict": 60_000})
    model.add(EXPORTED, {"atmega328p_ram_bytes": 201})
    assert [(ratio.ratio, ratio.reached) for ratio in ratios([model], {})] == [(1.0, True), (1.005, False)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere"], "expected a model file"),
        (["--quick", "--out", "{folder}"], "expected a file to write, got a folder"),
        (["--quick", "--plot", "{folder}"], "expected a file to write, got a folder"),
        (["--quick", "--out", "/dev/null/b.json"], "/dev/null/b.json: expected a place to write to"),
        (["--quick", "--gas", "{folder}/none.csv"], "none.csv"),
    ],
)
def test_wrong_input_is_told(tmp_path: Path, arguments: list[str], expected: str) -> None:
    result = run(*(argument.format(folder=tmp_path) for argument in arguments))
    assert isinstance(result.exception, InputError)
    assert expected in str(result.exception)


def test_what_is_missing_is_told_with_what_gets_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told = "\n".join(needs.missing())
    for package in ("gcc-arm-none-eabi qemu-system-arm", "gcc-avr avr-libc simavr", "firmware-microbit-micropython"):
        assert f"apt-get install {package}" in told or package in told
    assert not needs.has("gcc") and not needs.has_microbit()


def test_shipped_forests_are_made_again_to_the_byte(tmp_path: Path) -> None:
    shipped.write(tmp_path)
    for folder in sorted(tmp_path.iterdir()):
        stored = shipped.MODELS / folder.name
        assert (folder / "model.dib").read_bytes() == (stored / "model.dib").read_bytes()
        card, before = (json.loads((path / "card.json").read_text()) for path in (folder, stored))
        assert {**card, "made_by": ""} == {**before, "made_by": ""}


def test_shipped_digits_are_judged_on_rows_not_trained_on() -> None:
    digits = shipped.digits()
    votes = np.array([tree.predict(digits.x[1200:]) for tree in digits.fitted().estimators_]).astype(int)
    decided = np.array([np.bincount(column, minlength=10).argmax() for column in votes.T])
    accuracy = float(np.mean(decided.astype(str) == digits.y[1200:]))
    card = json.loads((shipped.MODELS / "digits" / "card.json").read_text())
    assert card["held_out"]["integer_model"]["rows"] == 597
    assert card["held_out"]["integer_model"]["accuracy"] == round(accuracy, 4)


def test_gas_readings_become_a_network_and_a_forest_on_rows_held_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    gas = rng.integers(0, 2, 90)
    ohms = np.round(np.exp(rng.normal(5, 1, (90, 2)) + gas[:, None]), 1)
    ohms[::3] *= 10  # a group that drifts beyond the others
    rows = [
        f"{a},{b},{'gas' if kind else 'air'},{i % 3}" for i, ((a, b), kind) in enumerate(zip(ohms, gas, strict=True))
    ]
    (tmp_path / "gas.csv").write_text("\n".join(["a,b,label,group", *rows]))
    network, forest = gas_cases(tmp_path / "gas.csv")
    assert network.model.content.family_name == "mlp" and len(network.model.blob) <= 2048
    for case in (network, forest):
        assert case.many.shape == (30, 2)
        assert (case.many >= case.model.model.low).all() and (case.many <= case.model.model.high).all()
    assert forest.shipped and len(forest.shipped.fitted().estimators_) == 10
