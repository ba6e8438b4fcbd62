"""`hear` against the firmware's own Listening, hop by hop, on the same samples: gate, first model, decision, rest."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from dibble import listening
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.model.hearing import ACTS, Cascade, hear
from dibble_tools.model.host_model import HostModel
from sounds import KINDS, RATE_HZ, random_ear, random_stream, stream, write_wav
from typer.testing import CliRunner


class Played:
    """A stream of samples in an array, a hop at a time; `now` is the time of the last of them."""

    def __init__(self, samples: np.ndarray) -> None:
        self.samples, self.at = samples, 0

    def start(self) -> None:
        """Begin."""

    def readinto(self, into: memoryview) -> bool:
        """Fill a hop, if there is one left."""
        end = self.at + len(into)
        if end > len(self.samples):
            return False
        for i, value in enumerate(self.samples[self.at : end].tolist()):
            into[i] = value
        self.at = end
        return True


def acted_by_node(
    monkeypatch: pytest.MonkeyPatch, model: HostModel, samples: np.ndarray, cascade: Cascade
) -> list[tuple[float, str]]:
    """Return (seconds, class) of each time that a node acts, as firmware/lib/dibble/listening.py does on a board."""
    played = Played(samples)
    module = SimpleNamespace(BLOCKS="", build=lambda *named: played)
    monkeypatch.setattr(listening, "driver", lambda *named: module)
    port = SimpleNamespace(KIND="", ticks_ms=lambda: played.at * 1000 // RATE_HZ, ticks_diff=lambda a, b: a - b)
    found: list[tuple[float, str]] = []
    node = SimpleNamespace(
        port=port,
        sensors=SimpleNamespace(bus=None),
        worked=lambda: None,
        heard=lambda index: found.append((played.at / RATE_HZ, model.classes[index])),
    )
    settings: dict[str, Any] = {"driver": "played", "in_time": "yes", "gate_permille": cascade.gate_permille}
    settings["rest_ms"] = cascade.rest_ms
    before = cascade.before
    skip = -1 if before is None else before.classes.index(cascade.skip)
    model.model.restart()
    ear = listening.Listening(node, settings, model.model, before and before.model, skip)
    while played.at + 100 <= len(samples):
        ear.pump()
        ear.kept.clear()
    model.model.restart()
    return found


@pytest.mark.parametrize("make", [random_ear, random_stream])
@pytest.mark.parametrize("gate", [0, 3000])
@pytest.mark.parametrize("skip", ["", "a"])
@pytest.mark.parametrize("rest_ms", [0, 1500])
def test_it_acts_when_a_node_does(
    make: Any, gate: int, skip: str, rest_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = stream([*KINDS, "hiss"])
    model = make(2)
    cascade = Cascade(gate, make(5) if skip else None, skip, rest_ms)
    expected = acted_by_node(monkeypatch, model, samples, cascade)
    got = [(h.end_s, h.label) for h in hear(model, samples, cascade) if h.fate == ACTS]
    if expected and make is random_ear:
        got = got[: len(expected)]  # the host hears a sound that goes on to the end of a recording, too
    assert got == expected


def test_some_of_these_act(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = stream([*KINDS, "hiss"])
    acts = [len(acted_by_node(monkeypatch, make(2), samples, Cascade())) for make in (random_ear, random_stream)]
    assert min(acts) >= 2


def test_models_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="same front end"):
        hear(random_ear(), stream(KINDS[:1]), Cascade(before=random_stream(), skip="a"))
    with pytest.raises(InputError, match=r"listen.skip: expected a class of 'ear' \(a, b, _c\), got 'wind'"):
        hear(random_ear(), stream(KINDS[:1]), Cascade(before=random_ear(1), skip="wind"))


def test_by_command_with_the_nodes_configuration(tmp_path: Path) -> None:
    """The rest, the gate and the class to skip are those of config.json."""
    for name, model in (("model.dib", random_ear(2)), ("voice.dib", random_ear(5))):
        (tmp_path / name).write_bytes(model.blob)
    samples = stream([*KINDS, "hiss"])
    write_wav(tmp_path / "long.wav", samples)
    listen = {"driver": "adc_mic", "pin": 26, "rest_ms": 60000, "gate_permille": 3000, "skip": "b"}
    (tmp_path / "config.json").write_text(json.dumps({"sensors": [], "listen": listen}))
    command = ["hear", str(tmp_path / "model.dib"), str(tmp_path / "long.wav"), "--json"]
    command += ["--config", str(tmp_path / "config.json"), "--before", str(tmp_path / "voice.dib")]
    run = CliRunner().invoke(app, command)
    assert run.exit_code == 0, run.output
    told = [json.loads(line) for line in run.output.splitlines() if line.startswith("{")]
    expected = hear(random_ear(2), samples, Cascade(3000, random_ear(5), "b", 60000))
    assert [(row["end_s"], row["label"], row["fate"]) for row in told] == [(h.end_s, h.label, h.fate) for h in expected]
    assert len({h.fate for h in expected}) > 1


@pytest.mark.parametrize(
    ("listen", "message"),
    [
        ({}, "expected `listen` with a microphone's driver, got none"),
        ({"driver": "adc_mic", "pin": 26, "skip": "wind"}, "listen.skip: expected a class of 'ear'"),
        ({"driver": "adc_mic", "pin": 26, "rest_ms": -1}, "rest_ms"),
    ],
)
def test_by_command_what_does_not_fit_is_told(listen: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "model.dib").write_bytes(random_ear(2).blob)
    sensors = [] if listen else [{"driver": "battery", "pin": 27}]
    (tmp_path / "config.json").write_text(json.dumps({"sensors": sensors, "listen": listen}))
    write_wav(tmp_path / "long.wav", stream(KINDS[:1]))
    command = ["hear", str(tmp_path / "model.dib"), str(tmp_path / "long.wav")]
    command += ["--config", str(tmp_path / "config.json"), "--before", str(tmp_path / "model.dib")]
    with pytest.raises(InputError, match=message):
        CliRunner().invoke(app, command, catch_exceptions=False)
