"""What a network over frames costs on a board, and what a small array saves that has the large one switched on."""

import json
from pathlib import Path

import pytest
from dibble_tools.bench.maps import on_cortex_m0
from dibble_tools.boards.catalogue import board_named
from dibble_tools.boards.energy import budget
from dibble_tools.boards.figure import Figure
from dibble_tools.boards.limits import limits_of
from dibble_tools.boards.listening import CYCLES
from dibble_tools.boards.looks import share_seen
from dibble_tools.boards.prediction import MAPS, MAPS_SPREAD, prediction_us
from dibble_tools.boards.sensing import sensing
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.machines.replay import middle_cost, own_python_cost
from dibble_tools.model.limits import estimate as reckoned
from dibble_tools.node.config import whole
from random_maps import random_frames, random_maps
from typer.testing import CliRunner

SEED = 7  # none of those that MAPS was taken from
FAR = {"driver": "mlx90640_raw", "costly": True, "power_pin": 22}
CONFIG = {
    "board": "pico",
    "interval_s": 30,
    "watchdog_ms": 0,
    "i2c": {"sda": 4, "scl": 5},
    "sensors": [{"driver": "amg8833", "blocks": True}, FAR],
    "gate": {"motion": True},
}


@pytest.mark.parametrize(("machine", "kind"), [("assembler", "thumb"), ("viper", "viper")])
def test_kernels_of_a_network_are_reckoned_from_their_bytecode(machine: str, kind: str) -> None:
    tables, model = random_maps(SEED)
    counted = sum(step.instructions for step in on_cortex_m0(model, random_frames(SEED, tables.frame, 1)[0], kind))
    calls, share = MAPS[machine]
    reckoned = calls + share * (middle_cost(model).instructions - own_python_cost(model))
    assert counted / MAPS_SPREAD < reckoned < counted * MAPS_SPREAD


def test_limits_of_a_board_hold_networks_by_the_time_of_their_kernels() -> None:
    """As `dibble estimate` tells it, within the doubt it tells."""
    _, model = random_maps(SEED)
    needs = reckoned(model.content, len(model.blob))
    counted = middle_cost(model).instructions
    assert needs.instructions == pytest.approx(counted, rel=0.2)
    _, board = board_named("pico")
    told = prediction_us(model, board, board.runtimes["micropython"], counted)
    allowed = limits_of("pico", max_bytes=10**6, frames=True).microseconds(needs)
    assert allowed is not None and told.low < allowed < told.high
    assert not limits_of("pico", max_bytes=10**6, max_us=1, frames=True).hold(len(model.blob), needs)


def test_a_sensor_that_is_not_asked_rests() -> None:
    far = whole(CONFIG)["sensors"][1]
    asked, rests = (sensing(far, 30, costly=costly) for costly in (True, False))
    assert asked.awake_ms > 500 and asked.charge_uc > 15_000
    assert (rests.awake_ms, rests.charge_uc) == (0, 0)


def test_a_cascade_costs_its_share_of_the_looks() -> None:
    _, board = board_named("pico")
    runtime, each = board.runtimes["micropython"], Figure.exact(1000.0, "")
    every, some, none = (
        budget(board, runtime, whole(CONFIG), each, 2, looks=looks).cycle_uc["sensors"].value for looks in (1, 0.25, 0)
    )
    assert none == pytest.approx(4.5 * 30_000, rel=0.02)  # the AMG8833 alone
    assert some == pytest.approx(0.25 * every + 0.75 * none)


def test_estimate_tells_charge_of_a_cascade_and_without(tmp_path: Path) -> None:
    random_maps(SEED)[1].save(tmp_path / "model.dib")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    arguments = ["estimate", str(tmp_path), "--config", str(tmp_path / "config.json"), "--json"]
    found = json.loads(CliRunner().invoke(app, arguments).output)
    assert found["fits"] and found["looks"] == pytest.approx(0.1 + 0.9 / 36)
    assert "assembler" in found["predict_us"]["rests_on"]
    assert found["predict_us"]["value"] > MAPS["assembler"][0] * CYCLES / 125
    spent, without = found["budget"]["cycle_uc"], found["without_cascade"]["cycle_uc"]
    assert spent["sensors"]["value"] < without["sensors"]["value"]
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, "sensors": CONFIG["sensors"][:1], "gate": {}}))
    refused = CliRunner().invoke(app, [*arguments, "--seen", "0.1"])
    assert 'expected a sensor that is "costly"' in str(refused.exception)


def test_how_often_a_node_looks_is_told_by_what_it_collected(tmp_path: Path) -> None:
    file = tmp_path / "gate.csv"
    cells = ["0,0", "15,0", "0,0", "0,0", ",", "0,0", "0,16", "0,31", *["0,0"] * 32]
    file.write_text("\n".join(["time,warm_permille,moved_permille", *(f"{i},{c}" for i, c in enumerate(cells))]) + "\n")
    assert share_seen(str(file), CONFIG) == 7 / 40  # rows 1, 2, 4, 5, 6, 7, 8
    assert share_seen("0.05", CONFIG) == 0.05
    near = {"driver": "amg8833", "channels": ["t", "least", "most", "mean", "top", "warm_permille", *"mrc"]}
    with pytest.raises(InputError, match="expected warm_permille and m of 20 cycles or more, got no column m"):
        share_seen(str(file), {**CONFIG, "sensors": [near, FAR]})
    alone = {**CONFIG, "sensors": CONFIG["sensors"][1:], "gate": {}}
    for told, config, message in (
        ("1.5", CONFIG, "expected a share of 0..1, got 1.5"),
        ("often", CONFIG, "expected a share of 0..1, or a .csv that the node sent"),
        (str(file), alone, "expected an array that isn't costly"),
        (str(tmp_path / "none.csv"), CONFIG, "expected the CSV that `dibble collect` wrote"),
    ):
        with pytest.raises(InputError, match=message):
            share_seen(told, config)
    for text, message in (("time,warm_permille\n" + "1,2\n" * 30, "no column moved_permille"), ("a\n", "got 0 rows")):
        file.write_text(text)
        with pytest.raises(InputError, match=message):
            share_seen(str(file), CONFIG)
