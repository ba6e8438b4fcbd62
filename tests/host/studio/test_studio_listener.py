"""The studio hears a node that has been at work for long."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
from dibble.senses.heat import Heat
from dibble_tools.console.frames import HeardFrame
from dibble_tools.studio import view_model
from dibble_tools.studio.collecting import Collecting
from dibble_tools.studio.listener import Listener
from dibble_tools.studio.project import Project
from dibble_tools.studio.state import State
from live_bench import Line, Node
from patience import PATIENCE_S
from studio_process import write_project


@pytest.fixture
def heard(tmp_path, monkeypatch):
    """Return f(): a new Listener at the same port, and its state."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    write_project(tmp_path / "field")
    listeners = []

    def listen(line):
        for listener in listeners:
            listener.close()
        state = State()
        listeners.append(Listener(state, Collecting(Project(tmp_path / "field"), state), lambda status: None))
        listeners[-1].open(str(line.link))
        return state

    yield listen
    for listener in listeners:
        listener.close()


def say_until(line, node, state, shown):
    deadline = time.monotonic() + PATIENCE_S
    while not shown(state):
        assert time.monotonic() < deadline, state.snapshot()
        line.say(node.say(412, 90, class_index=0, margin=7))
        time.sleep(0.05)


def at_work(name):
    """Return a node that has named its fields already, and won't soon again."""
    node = Node(name, every=10_000)
    node.say(412, 90)
    return node


def test_a_node_heard_before_is_shown_at_once_and_another_is_waited_for(heard, tmp_path):
    line = Line(tmp_path)
    say_until(line, Node("bed-1", every=1), heard(line), lambda state: state.get("decides"))
    state = heard(line)
    say_until(line, at_work("bed-1"), state, lambda state: state.get("decides"))
    assert state.get("node") == "bed-1"
    assert not state.get("waiting")
    state = heard(line)
    say_until(line, at_work("bed-2"), state, lambda state: state.get("waiting"))
    assert state.get("node") is None


def test_an_arrays_picture_is_shown(heard, tmp_path):
    line, node = Line(tmp_path), Node("gate-1", every=1)
    heat = Heat(8, 8, 6)
    heat.above[9] = 44
    state = heard(line)
    say_until(line, node, state, lambda state: state.get("decides"))
    assert state.get("frames") == []
    line.say(node.frame(SimpleNamespace(heat=heat, unit="centi_c", step=25)))
    say_until(line, node, state, lambda state: state.get("frames"))
    (shown,) = state.get("frames")
    assert (shown["rows"], shown["columns"], shown["pixels"][9], sum(shown["pixels"])) == (8, 8, 44, 44)
    assert shown["range"] == "from 0.0 °C to 11.0 °C above the background of each pixel"
    line.say(node.frame(SimpleNamespace(heat=Heat(24, 32, 6), unit="counts", step=1), "mlx90640_raw"))
    say_until(line, node, state, lambda state: len(state.get("frames")) == 2)
    assert [one["sensor"] for one in state.get("frames")] == ["amg8833", "mlx90640_raw"]


def test_a_picture_that_came_with_an_earlier_decision_is_told_to_be_of_then():
    pixels = np.zeros((8, 8), dtype=np.int16)
    noise = HeardFrame("mlx90640_raw", 7, "counts", 1, pixels, False)
    assert view_model.frame(noise)["least_span"] == 30  # as many as a body's warmth, not its noise
    told = [view_model.frame(HeardFrame("amg8833", 7, "centi_c", 25, pixels, False), now)["words"] for now in (7, 6, 9)]
    assert told == 2 * ["What amg8833 sees: 8 × 8"] + ["What amg8833 saw at decision 7: 8 × 8"]
