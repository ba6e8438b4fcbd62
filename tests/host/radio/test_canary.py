"""A file for many nodes, of which the canary is a real one: what it doesn't take no other is offered."""

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from dibble_tools.cli.main import app
from dibble_tools.fleet.broker import Broker
from dibble_tools.fleet.database import open_database
from dibble_tools.fleet.intake import Intake
from dibble_tools.fleet.rollout import Rollout, RolloutResult
from dibble_tools.node.files import compiled_text
from dibble_tools.node.signatures import sign
from dibble_tools.radio.firmware import archive_of, firmware_archive
from dibble_tools.radio.parcel import Parcel, parcel_of
from dibble_tools.simulator.node.firmware import firmware_folder
from fleet_messages import told as told_by
from mosquitto import Collector
from node_helpers import number_model, soil_model
from patience import PATIENCE_S
from radio_bench import KEY, NODE, OLD, RadioBench, config_of
from radio_firmware import HANGS, MPY, firmware_on, kept_apart
from typer.testing import CliRunner

OTHERS = ["bed-2", "bed-3"]


def while_it_lives(bench: RadioBench, collector: Collector, act: Callable[[], object]) -> None:
    """Let a node live, from the first offer on, until something is done beside it."""
    thread = threading.Thread(target=act)
    thread.start()
    while thread.is_alive() and not offered(collector):
        thread.join(0.05)
    while thread.is_alive():
        bench.run_on(10, lambda: not thread.is_alive())


def roll_out(bench: RadioBench, collector: Collector, parcel: Parcel, others: Sequence[str] = OTHERS) -> RolloutResult:
    """Bring a parcel to a real node, then to nodes that would only be offered it."""
    done: list[RolloutResult] = []
    parcels = dict.fromkeys([NODE, *others], parcel)
    with Rollout(Broker("127.0.0.1", bench.broker.port), parcels, PATIENCE_S, print) as rollout:
        while_it_lives(bench, collector, lambda: done.append(rollout.run([[NODE], *([other] for other in others)])))
    return done[0]


def offered(collector: Collector) -> list[str]:
    """Return the node of each offer."""
    collector.settle()
    return [topic.split("/")[1] for topic, payload, _ in collector.messages if topic.endswith("/in/offer") and payload]


@pytest.fixture
def hanging(field, tmp_path) -> RadioBench:
    """A node on which models of one family never come back."""
    firmware = firmware_folder(tmp_path / "firmware")
    (firmware / "lib/dibble/additive.mpy").write_bytes(compiled_text(HANGS, "dibble.additive", ""))
    (tmp_path / "bench").mkdir()
    bench = RadioBench(firmware, tmp_path / "bench", field.broker, OLD)
    bench.run(2.5)
    return bench


def test_a_model_that_hangs_stops_at_the_canary_whose_watchdog_brings_back_the_old_one(hanging, collector):
    outcome = roll_out(hanging, collector, parcel_of("model", number_model()))
    why = "rolled back: it never came to a good minute and a report"
    assert (outcome.confirmed, outcome.failed, outcome.untouched) == ([], {NODE: why}, OTHERS)
    assert hanging.lives.count("watchdog") == 3, hanging.lives
    assert hanging.runs() == "dry below 400" and offered(collector) == [NODE]


@pytest.mark.parametrize(
    ("key", "counter", "why"),
    [
        (hashlib.sha256(b"another").digest(), 20, "expected model.dib as it was signed with the node's key"),
        (KEY, 9, "expected a counter of at least 10, got 9: an older file"),
    ],
)
def test_a_wrong_key_and_a_replayed_older_file_stop_at_the_canary(keyed, collector, key, counter, why):
    blob = soil_model(500)
    outcome = roll_out(keyed, collector, Parcel("model", blob, sign(key, "model.dib", counter, blob) + blob, 200))
    assert list(outcome.failed) == [NODE] and why in outcome.failed[NODE], outcome
    assert outcome.untouched == OTHERS and offered(collector) == [NODE]
    assert keyed.runs() == "dry below 400"


def test_a_configuration_is_rolled_out_and_whoever_runs_it_is_passed_over(bench, collector):
    parcel = parcel_of("config", config_of(bench, margin=3))
    assert roll_out(bench, collector, parcel, []).confirmed == [NODE]
    assert offered(collector) == [NODE]
    assert roll_out(bench, collector, parcel, []).confirmed == [NODE] and offered(collector) == [NODE]


def test_firmware_is_rolled_out_by_the_command(keyed, collector, tmp_path):
    """It is taken, tried and confirmed; what was before goes, and what the new one hasn't."""
    before = firmware_on(keyed, tmp_path / "before")
    place = tmp_path / "fleet.db"
    Intake(open_database(str(place))).take([told_by("about", NODE, firmware="0", mpy=MPY)])
    config = {**keyed.config, "node": NODE, "sensors": [*keyed.config["sensors"], {"driver": "rain_gauge", "pin": 9}]}
    file = tmp_path / f"{NODE}.json"
    file.write_text(json.dumps(config))
    archive = firmware_archive(file, NODE, MPY)
    (tmp_path / "node.key").write_bytes(KEY)
    at = ["--broker", f"127.0.0.1:{keyed.broker.port}", "--db", str(place)]
    command = ["fleet", "update", "--nodes", "*", "--configs", str(tmp_path), "--firmware", *at, "--yes"]
    ran = []
    keyed.lives.clear()
    while_it_lives(keyed, collector, lambda: ran.append(CliRunner().invoke(app, command)))
    assert ran[0].exit_code == 0 and "1 of 1 nodes run it" in ran[0].output, ran[0].output
    assert keyed.lives[:3] == ["reset"] * 3 and set(keyed.lives[3:]) == {"stop"}
    there = firmware_on(keyed, tmp_path / "flash")
    assert archive_of({path: content for path, content in there.items() if path != "manifest.txt"}, MPY) == archive
    assert before.keys() - there.keys() and "tried" in ran[0].output
    assert kept_apart(tmp_path / "flash") == [] and keyed.runs() == "dry below 400"


def test_what_a_rollout_of_firmware_needs_is_told(tmp_path: Path):
    place = tmp_path / "fleet.db"
    Intake(open_database(str(place))).take([told_by("about", NODE, firmware="0")])
    command = ["fleet", "update", "--nodes", "*", "--db", str(place), "--firmware", "--yes"]
    for more, why in (([], "expected --configs"), (["--configs", str(tmp_path)], f"expected {NODE} to tell what its")):
        assert why in str(CliRunner().invoke(app, [*command, *more]).exception)
