"""What listening costs: each stage weighed by the share of the time in which it works, measured on a recording."""

import json
from pathlib import Path

import numpy as np
import pytest
from dibble_tools.boards.catalogue import board_named
from dibble_tools.boards.figure import Figure
from dibble_tools.boards.listening import (
    ASSEMBLER,
    VIPER,
    assumed_shares,
    charges,
    counted,
    listening_cost,
    shares_of,
)
from dibble_tools.cli.main import app
from dibble_tools.node.config import whole
from sounds import random_ear, random_stream, sound, stream, write_wav
from typer.testing import CliRunner

LISTEN = {"driver": "i2s_mic", "sck": 16, "ws": 17, "sd": 18}
FRAME_M0 = {"assembler": 40_496, "viper": 198_900}  # of 512 samples, 20 bands: bench.front_end
FRAME_WASI = 11_368_746
_, PICO = board_named("pico")
QUIET_S, LOUD_S = 9, 3


def listen(**more: object) -> dict:
    return whole({"sensors": [], "listen": {**LISTEN, **more}})["listen"]


def recording() -> np.ndarray:
    quiet = np.random.default_rng(0).normal(0, 8, 8000 * QUIET_S)
    return np.concatenate([np.round(quiet).astype(np.int16), stream(["rising"] * LOUD_S)])


def test_shares_are_those_of_the_recording() -> None:
    """Without a gate all; with one what is loud, its tail, and each sixteenth quiet hop."""
    runtime = PICO.runtimes["micropython"]
    model = random_stream()
    every = shares_of(model, None, runtime, listen(), recording())
    assert every.framed == 1.0 and every.sounds == every.passed == 1 - 1 / 960, "the first only fills a frame"
    gated = shares_of(model, None, runtime, listen(gate_permille=3000), recording())
    assert LOUD_S * 0.25 / 12 < gated.framed < 0.45 and gated.framed >= gated.sounds == gated.passed
    ear = random_ear()
    single = shares_of(ear, random_ear(1), runtime, listen(gate_permille=3000, skip="a"), recording())
    assert single.sounds == pytest.approx(LOUD_S / (12 * 80), abs=1e-4) and single.passed <= single.sounds
    taken = shares_of(ear, None, PICO.runtimes["circuitpython"], listen(), recording())
    assert taken.framed < 0.45, "a gate always, where a sound is heard once it has ended"


def test_stages_cost_what_they_do_at_their_share() -> None:
    runtime = PICO.runtimes["micropython"]
    model, settings = random_stream(), listen(gate_permille=3000)
    shares = assumed_shares(model, None, runtime, settings)
    cost = listening_cost(model, None, PICO, runtime, settings, shares)
    own = {stage.name: stage for stage in cost.stages}
    assert own["frames"].share == pytest.approx(0.1 + 0.9 / 16) and own["gate"].share == 1.0
    for stage in cost.stages:
        assert stage.busy.value == pytest.approx(stage.share * stage.each_us.value / (1000 * cost.hop_ms))
    ma = Figure.within(25.0, 1.4, ""), Figure.within(21.0, 1.4, "")
    charged = charges(cost.stages, 600_000, *ma)
    assert charged["listening: frames"].value == pytest.approx(4.0 * 600_000 * own["frames"].busy.value)
    assert charged["listening: frames"].low < charged["listening: frames"].value < charged["listening: frames"].high
    whole_time = {stage.name: stage.busy.value for stage in cost.uncut}
    assert whole_time["frames"] == pytest.approx(own["frames"].busy.value / own["frames"].share)


def test_machine_code_is_reckoned_from_what_bytecode_takes() -> None:
    for share, name in ((ASSEMBLER, "assembler"), (VIPER, "viper")):
        assert share.low < FRAME_M0[name] / FRAME_WASI < share.high
    frame, look = counted(random_stream().blob)
    assert 1_500_000 < frame < 3_500_000 and 20_000 < look < 80_000, "128 samples, a quarter of 512"


def test_estimate_tells_charge_with_the_cascade_and_without(tmp_path: Path) -> None:
    random_stream().save(tmp_path / "model.dib")
    config = {"sensors": [], "listen": {**LISTEN, "gate_permille": 3000}, "board": "pico"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    write_wav(tmp_path / "yard.wav", sound("hiss", np.random.default_rng(1)))
    arguments = ["estimate", str(tmp_path), "--config", str(tmp_path / "config.json"), "--json"]
    told = CliRunner().invoke(app, [*arguments, "--sound", str(tmp_path / "yard.wav")])
    found = json.loads(told.output)
    assert found["fits"] and {stage["name"] for stage in found["listening"]["stages"]} >= {
        "gate",
        "frames",
        "model.dib",
    }
    spent, uncut = found["budget"]["cycle_uc"], found["without_cascade"]["cycle_uc"]
    assert spent["listening: frames"]["value"] < uncut["listening: frames"]["value"]
    assert "1 s of sound" in found["listening"]["rests_on"]
    (tmp_path / "config.json").write_text(json.dumps({"sensors": [{"driver": "battery", "pin": 27}], "board": "pico"}))
    refused = CliRunner().invoke(app, [*arguments, "--sound", str(tmp_path / "yard.wav")])
    assert "expected a configuration with `listen`" in str(refused.exception)
