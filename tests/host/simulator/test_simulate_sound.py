"""A node that listens in a simulation: its own counts are those of the firmware's ear on the host."""

import json
from pathlib import Path

import numpy as np
import pytest
from dibble_tools.boards import listening
from dibble_tools.boards.catalogue import board_named
from dibble_tools.boards.listening import shares_of
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.node.config import whole
from dibble_tools.simulator.heard import heard_in
from dibble_tools.simulator.season import UP_S, Hearing, SimulatedBoard, Simulation
from sounds import random_ear, random_stream, stream, write_wav
from typer.testing import CliRunner

LISTEN = {"driver": "i2s_mic", "sck": 16, "ws": 17, "sd": 18, "gate_permille": 3000, "rest_ms": 500}
CONFIG = {"interval_s": 4, "sensors": [], "listen": LISTEN, "log": {"batch": 1}, "board": "pico"}
POWER = {"active_ma": 25.0, "light_sleep_ma": 2.0, "watched_sleep_ma": 21.0}


def recording() -> np.ndarray:
    quiet = np.round(np.random.default_rng(0).normal(0, 8, 8000 * 2)).astype(np.int16)
    return np.concatenate([quiet, stream(["rising", "hiss", "falling"]), quiet])


def test_a_node_counts_what_its_stages_do() -> None:
    model, voice = random_ear(), random_ear(1)
    samples = recording()
    hearing = Hearing(samples, 8000, voice, (900, 300, 2000), viper=True)
    config = {**CONFIG, "listen": {**LISTEN, "skip": "a"}}
    days = (UP_S + len(samples) / 8000 + 0.5) / 86_400
    simulation = Simulation(model, SimulatedBoard(POWER), days=days, config=config, hearing=hearing)
    start_s = simulation.hardware.now_us / 1e6
    season = simulation.run()
    heard = heard_in(season, start_s + UP_S, days * 86_400, each_hop=False)
    _, pico = board_named("pico")
    heard_of = np.tile(samples, 3)[len(samples) - 8000 * 2 : 2 * len(samples) + 4000]
    twin = shares_of(model, voice, pico.runtimes["micropython"], whole(config)["listen"], heard_of)
    hops = len(heard_of) // model.content.sound.front_end.hop
    assert heard.lost == season.tracebacks == 0
    assert heard.sounds == sum(heard.ends.values()) == round(twin.sounds * hops) > 1
    assert abs(heard.frames - twin.framed * hops) < 0.15 * heard.frames
    assert all(2 <= at_s <= 6 for at_s, _ in heard.alarms), "where the recording has sounds"


def dibble(folder: Path, *words: str) -> tuple[int, str]:
    told = CliRunner().invoke(app, ["simulate", str(folder / "model.dib"), *words])
    return told.exit_code, told.output if told.exception is None else f"{told.output} {told.exception}"


def test_simulate_tells_alarms_and_charge_by_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "counted", lambda blob: (2_500_000, 50_000))  # test_listening_cost.py counts
    random_stream().save(tmp_path / "model.dib")
    write_wav(tmp_path / "yard.wav", recording())
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    words = "--sound", str(tmp_path / "yard.wav"), "--config", str(tmp_path / "config.json")
    code, said = dibble(tmp_path, *words)
    assert code == 0, said
    for part in ("an hour", "samples lost", "frames, ", "charge: listening: frames", "without its cascade"):
        assert part in said
    for wrong, complaint in (
        ((), "expected --sound with a recording"),
        ((*words, "--soil", "sand"), "--soil: expected none beside --sound"),
        (words[:2], "expected `listen` with a microphone"),
        (("--sound", str(tmp_path / "no.wav"), *words[2:]), "no.wav"),
        ((*words, "--board", "microbit_v2"), "--board: expected one that listens by i2s_mic"),
    ):
        code, said = dibble(tmp_path, *wrong)
        assert code and complaint in said, said


def test_what_does_not_hear_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a model that hears"):
        CliRunner().invoke(
            app, ["simulate", "models/orchard", "--sound", str(tmp_path / "x.wav")], catch_exceptions=False
        )
