"""The studio hears a node that has been at work for long."""

import time
from types import SimpleNamespace

import pytest
from dibble.senses.heat import Heat
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
    assert state.get("frame") is None
    line.say(node.frame(SimpleNamespace(heat=heat, unit="centi_c", step=25)))
    say_until(line, node, state, lambda state: state.get("frame"))
    shown = state.get("frame")
    assert (shown["rows"], shown["columns"], shown["pixels"][9], sum(shown["pixels"])) == (8, 8, 44, 44)
    assert shown["words"] == "What amg8833 sees: 8 × 8"
    assert shown["range"] == "from 0.0 °C to 11.0 °C above the background of each pixel"
