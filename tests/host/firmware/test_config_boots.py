"""A configuration ends no node: whatever it raises, or hangs, the last good one runs after three boots, with the model
that ran before, and the node says so."""

import json
from pathlib import Path

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.node.config import read_config
from dibble_tools.simulator.node.firmware import firmware_folder
from node_helpers import SOIL_PIN, Bench, soil_model

pytestmark = pytest.mark.long

LED_PIN = 25
PROBE = {"driver": "soil_adc", "pin": SOIL_PIN, "probe_curve": [2300, 1200], "samples": 4}
AIR = {"driver": "sht4x"}
DEEP = b'{"sensors": ' + 3000 * b"[" + 3000 * b"]" + b"}"
LARGE = b'{"node": "' + 200_000 * b"x" + b'"}'
CHANGES = {  # what differs from the configuration that runs
    "the channel's name twice": {
        "sensors": [PROBE, {**PROBE, "pin": 27, "channels": ["air"]}, {**AIR, "channels": ["air", "b"]}]
    },
    "channels of another length": {"sensors": [PROBE, {**AIR, "channels": ["t"]}]},
    "equal ends of the curve": {"sensors": [{**PROBE, "probe_curve": [1200, 1200]}, AIR]},
    "a pin that isn't there": {"sensors": [{**PROBE, "pin": "GPX99"}, AIR]},
    "a number that is no pin": {"sensors": [{**PROBE, "pin": 77}, AIR]},
    "a pin that doesn't measure": {"sensors": [{**PROBE, "pin": 3}, AIR]},
    "an action's pin that isn't there": {"actions": [{"class": "irrigate", "pin": "GP99"}]},
    "a LED that isn't there": {"led": 99},
    "a watchdog of 1 ms": {"watchdog_ms": 1},
    "a driver that is a helper": {"sensors": [PROBE, AIR, {"driver": "log2"}]},
    "a driver that is another helper": {"sensors": [PROBE, AIR, {"driver": "warm_up"}]},
    "a driver that is a folder": {"sensors": [PROBE, AIR, {"driver": ".."}]},
    "one pin for the bus": {"i2c": {"sda": 4, "scl": 4}},
    "one pin twice": {"actions": [{"class": "irrigate", "pin": SOIL_PIN}]},
    "without the model's channel": {"sensors": [PROBE]},
}
FILES = {"deep": DEEP, "larger than the heap": LARGE, "empty": b"", "no text": bytes(range(256)), "a list": b"[]"}
ON_THE_BOARD_ONLY = {  # what no host can know without the board
    "a pin that isn't there",
    "a number that is no pin",
    "a pin that doesn't measure",
    "an action's pin that isn't there",
    "a LED that isn't there",
    "without the model's channel",
}


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return firmware_folder(tmp_path_factory.mktemp("firmware") / "node")


def text_of(bench: Bench, change: str) -> bytes:
    return FILES[change] if change in FILES else json.dumps({**bench.config, **CHANGES[change]}).encode()


@pytest.mark.parametrize("change", [*CHANGES, *FILES])
def test_the_last_good_configuration_runs_after_three_boots(firmware, tmp_path, change):
    bench = Bench(firmware, tmp_path, soil_model(400))
    bench.run(3)
    bench.send("model.dib", soil_model(700))
    bench.run(3)
    assert bench.events("confirmed")
    bench.send("config.json", text_of(bench, change))
    bench.switched.clear()
    bench.vm.console = b""
    lives = 0
    while bench.run(3) != "stop":
        lives += 1
        assert lives <= 3, bench.vm.text()[-2000:]
    assert len(bench.rows()) >= 3
    assert {row.held for row in bench.rows()} == {"irrigate"}  # by the newer model
    assert "the last good configuration is used" in bench.events("boot")
    assert "safe mode" not in bench.vm.text() and "previous model" not in bench.vm.text()
    if lives:
        assert len(bench.events("error")) == lives  # each says what ended it
    blinks = [at for at, pin, level in bench.switched if pin == LED_PIN and level]
    assert len(blinks) >= 3 * 2  # the board's own LED, as the configuration names none
    bench.vm.console = b""
    bench.run(3)
    assert "boot 1 since the last good one: normal" in bench.vm.text()
    assert len(bench.rows()) >= 3
    bench.send("config.json", json.dumps(bench.config).encode())
    bench.vm.console = b""
    bench.run(3)
    assert bench.events("boot") == [] and len(bench.rows()) >= 3


def test_a_configuration_under_which_the_node_hangs_gives_way(firmware, tmp_path):
    """Three power cuts or bites of the watchdog before the first good minute count, whatever made them."""
    bench = Bench(firmware, tmp_path, soil_model(400))
    bench.run(3)
    bench.send("config.json", json.dumps({**bench.config, "node": "new"}).encode())
    for _ in range(3):
        bench.run(0.3)
    bench.vm.console = b""
    bench.run(3)
    assert "the last good configuration is used" in bench.events("boot")
    assert any("the node never ran well under it" in text for text in bench.events("boot"))


def test_without_one_that_was_good_the_node_waits_for_another_and_keeps_its_models(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400))
    bad = json.dumps({**bench.config, "sensors": [{**PROBE, "pin": 77}, AIR]}).encode()
    good = (bench.files / "config.json").read_bytes()
    bench.run(0.9)  # installs the model, and isn't confirmed
    bench.send("model.dib", soil_model(700))
    bench.run(0.9)
    bench.send("config.json", bad)
    assert [bench.run(5) for _ in range(3)] == ["reset"] * 3
    assert bench.run(5) == "stop" and "safe mode" in bench.vm.text()
    bench.send("config.json", good)
    bench.vm.console = b""
    assert bench.run(3) == "stop"
    assert {row.held for row in bench.rows()} == {"irrigate"}
    assert "previous model" not in bench.vm.text()


@pytest.mark.parametrize("change", sorted((CHANGES.keys() | FILES.keys()) - ON_THE_BOARD_ONLY))
def test_the_host_refuses_it_as_the_node_does(firmware, tmp_path, change):
    bench = Bench(firmware, tmp_path, soil_model(400))
    path = tmp_path / "config.json"
    path.write_bytes(text_of(bench, change))
    with pytest.raises(InputError, match="expected"):
        read_config(path)
