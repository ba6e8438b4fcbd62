"""`hear` against the firmware's own Listening, hop by hop, on the same samples: gate, first model, decision, rest."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from dibble import listening
from dibble_tools.common.errors import InputError
from dibble_tools.model.hearing import ACTS, Cascade, hear
from dibble_tools.model.host_model import HostModel
from sounds import KINDS, RATE_HZ, random_ear, random_stream, stream


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
