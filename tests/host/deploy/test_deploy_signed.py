"""`dibble deploy` to a node with a key: it signs what it brings; the board refuses what another key signed."""

import json
import os
from pathlib import Path

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.deploy.board_state import look
from dibble_tools.deploy.deploying import deploy
from dibble_tools.deploy.request import Request, accepted_counters
from dibble_tools.deploy.transfer import TrialError
from dibble_tools.link.session import Session
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.signatures import counter_of, write_new_key
from dibble_tools.virtual_board.board import VirtualBoard
from node_helpers import soil_model
from sounds import random_ear

pytestmark = pytest.mark.long


class Bench:
    """A virtual board, and a project's folder with its key."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.elsewhere = folder / "elsewhere"
        for place in (self.project, self.elsewhere):
            place.mkdir()
        self.board = VirtualBoard.start(
            folder / "flash", name=f"signed-{os.getpid()}", flash="1m", speed=50, sensors=True
        )
        assert self.board.config
        sensors = {sensor["driver"]: sensor for sensor in self.board.config["sensors"]}
        settings = {**self.board.config, "sensors": [sensors["sht4x"], sensors["soil_adc"]], "actions": []}
        self.config = self.project / "config.json"
        self.config.write_text(json.dumps(settings))
        self.key = self.project / "node.key"
        write_new_key(self.key)

    def deploy(self, dry_below: int | None = None, config: Path | None = None, key: Path | None = None, **options):
        model = HostModel.tested(soil_model(dry_below)) if dry_below else None
        only = bool(model) and not config and not key
        return deploy(self.board.port, Request(model, config, only, key=key), **options)

    def deploy_ears(self, model: HostModel, voice: HostModel, config: Path | None):
        request = Request(model, config, config is None, stages={"voice.dib": voice})
        return deploy(self.board.port, request)

    def read(self, *names: str) -> list[bytes]:
        with Session.open(self.board.port, vanished=True) as session:  # a node in trouble begins anew now and then
            return [session.read_file(name) for name in names]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    made = Bench(tmp_path_factory.mktemp("signed"))
    with made.board:
        made.deploy(400, made.config)
        made.unsigned = made.deploy(dry_run=True).state.files
        made.first = made.deploy(key=made.key)
        yield made


def refusals(outcome) -> list[str]:
    return [text for kind, text in outcome.first_run.events if kind == "boot" and "isn't used" in text]


def test_a_board_without_a_key_gets_no_signature(bench):
    assert not [path for path in bench.unsigned if path.endswith((".sig", ".key"))]


def test_the_key_comes_with_signatures_of_what_is_there(bench):
    assert bench.first.first_run.works and refusals(bench.first) == []
    key, model, signature = bench.read("node.key", "model.dib", "model.dib.sig")
    assert key == bench.key.read_bytes()
    assert counter_of(signature, key, "model.dib", model) > 0
    assert bench.first.plan.listing().index(b"+ model.dib.sig") < bench.first.plan.listing().index(b"+ node.key")


def test_models_and_a_rollback_arrive_from_the_projects_folder(bench, monkeypatch):
    monkeypatch.chdir(bench.project)
    for dry_below in (500, 300):
        outcome = bench.deploy(dry_below)
        assert outcome.first_run.model.startswith(f"dry below {dry_below}") and refusals(outcome) == []
    back = bench.deploy(rollback=True)
    assert back.first_run.model.startswith("dry below 500") and refusals(back) == []


def test_a_second_deploy_of_the_same_writes_nothing(bench, monkeypatch):
    monkeypatch.chdir(bench.project)
    bench.deploy(500, bench.config)
    assert not bench.deploy(500, bench.config).plan


def test_each_deploy_is_newer_than_the_node_has_accepted_whatever_the_clock_says(bench, monkeypatch):
    monkeypatch.chdir(bench.project)
    bench.deploy(410)
    monkeypatch.setattr("dibble_tools.node.signatures.time.time", lambda: 1_600_000_000)  # years ago
    with Session.open(bench.board.port) as session:
        before = accepted_counters(session, look(session))["model.dib"]
    outcome = bench.deploy(510)
    assert outcome.first_run.model.startswith("dry below 510") and refusals(outcome) == []
    with Session.open(bench.board.port) as session:
        assert accepted_counters(session, look(session))["model.dib"] == before + 1


def test_without_the_key_nothing_is_copied(bench, monkeypatch):
    monkeypatch.chdir(bench.elsewhere)
    with pytest.raises(InputError, match=r"this node takes signed files only: expected its key at node\.key"):
        bench.deploy(420)


def test_the_board_refuses_what_another_key_signed(bench, monkeypatch):
    monkeypatch.chdir(bench.elsewhere)
    write_new_key(bench.elsewhere / "node.key")
    before = bench.read("model.dib", "model.dib.sig")
    with pytest.raises(TrialError, match=r"model\.dib\.sig: expected model\.dib as it was signed with the node's key"):
        bench.deploy(430)
    assert bench.read("model.dib", "model.dib.sig") == before


def test_a_first_stage_arrives_signed_with_its_model(bench, monkeypatch):
    """Alone too, where only models are brought; the board refuses one without the class that config.json names."""
    monkeypatch.chdir(bench.project)
    listen = {"driver": "i2s_mic", "sck": 10, "ws": 11, "sd": 12, "skip": "a"}
    settings = json.loads(bench.config.read_text())
    config = bench.project / "listens.json"
    config.write_text(json.dumps({**settings, "sensors": settings["sensors"][:1], "actions": [], "listen": listen}))
    ears = [random_ear(seed) for seed in range(3)]
    first = bench.deploy_ears(ears[0], ears[1], config)
    assert refusals(first) == [] and ("boot", "model voice.dib: generation 1") in first.first_run.events
    second = bench.deploy_ears(ears[0], ears[2], None)
    assert list(second.plan.writes) == ["voice.dib", "voice.dib.sig"]
    assert refusals(second) == [] and ("boot", "model voice.dib: generation 2") in second.first_run.events
    key, voice, signature = bench.read("node.key", "voice.dib", "voice.dib.sig")
    assert voice == ears[2].blob and counter_of(signature, key, "voice.dib", voice)


def test_no_look_at_the_board_tells_of_the_key_more_than_that_it_is_there(bench):
    with Session.open(bench.board.port) as session:
        assert look(session).files["node.key"].digest is None
