"""A file for many nodes: the canary first, and no further than the first that doesn't take it."""

import json
import signal
import threading

import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.fleet.broker import Broker
from dibble_tools.fleet.rollout import Rollout, parcels_of, waves
from dibble_tools.simulator.node.firmware import firmware_folder
from mosquitto import Mosquitto
from node_helpers import soil_model
from patience import PATIENCE_S
from radio_bench import RadioBench
from test_listening import publisher, until
from typer.testing import CliRunner

NODES = ["bed-3", "bed-1", "bed-2", "shed"]


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.dib"
    path.write_bytes(soil_model(300))
    return path


def test_waves():
    assert waves(NODES, 1, "10%") == [["bed-3"], ["bed-1"], ["bed-2"], ["shed"]]
    assert waves(NODES, 1, "50%") == [["bed-3"], ["bed-1", "bed-2"], ["shed"]]
    assert waves(NODES, 2, "2") == [["bed-3", "bed-1"], ["bed-2", "shed"]]
    assert waves(NODES, 9, "100%") == [NODES]
    for bad in ("0", "0%", "ten", "-1", "101%", "", "5.5%"):
        with pytest.raises(InputError, match="--then: expected a share such as 10%"):
            waves(NODES, 1, bad)


def test_what_is_sent(model, tmp_path):
    for given in ((model, tmp_path), (None, None)):
        with pytest.raises(InputError, match="expected one of --model and --configs"):
            parcels_of(NODES, *given, None)
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "bed-3.key").write_bytes(bytes(range(32)))
    with pytest.raises(InputError, match=r"bed-1\.key: expected the node's key"):
        parcels_of(NODES, model, None, keys)
    assert parcels_of(["bed-3"], model, None, keys)["bed-3"].stream[:4] == b"DSG1"
    config = {
        "node": "bed-3",
        "interval_s": 600,
        "sensors": [{"driver": "soil_adc", "pin": 26, "probe_curve": [2300, 1200]}],
    }
    config["mqtt"] = {"host": "broker"}
    (tmp_path / "bed-3.json").write_text(json.dumps(config))
    (tmp_path / "bed-1.json").write_text(json.dumps(config))
    assert parcels_of(["bed-3"], None, tmp_path, None)["bed-3"].kind == "config"
    with pytest.raises(InputError, match=r"expected the configuration of bed-1, .* got that of bed-3"):
        parcels_of(["bed-1"], None, tmp_path, None)


def test_an_outage_while_it_publishes_delays_a_rollout(model, tmp_path, monkeypatch):
    monkeypatch.setattr("dibble_tools.fleet.rollout.OUTAGE_S", 0.2)
    monkeypatch.setattr("dibble_tools.fleet.sending.ANSWER_S", 2.0)
    said = []
    with Mosquitto(tmp_path) as broker:
        parcels = parcels_of(["bed-1"], model, None, None)

        def say(line):
            said.append(line)
            if line.startswith("wave 1"):
                broker.end(signal.SIGKILL)
            elif "once more" in line and len(said) == 2:
                broker.start()

        with Rollout(Broker("127.0.0.1", broker.port), parcels, 4, say) as rollout:
            outcome = rollout.run([["bed-1"]])
    assert said[1].startswith("bed-1: --broker: expected an MQTT broker at 127.0.0.1")
    assert "it said nothing" in outcome.failed["bed-1"]  # it was offered, and there is no such node


class FakeNodes:
    """Nodes that answer an offer as they are told to; what a real one says is test_real_node's."""

    def __init__(self, broker, answers):
        self.offered = []
        self.withdrawn = []
        self._answers = answers
        self._client = publisher(broker)
        self._client.on_message = self._take
        self._client.subscribe("dibble/+/in/offer", 1)

    def _take(self, client, _data, message):
        name = message.topic.split("/")[1]
        if not message.payload:
            self.withdrawn.append(name)
            return
        self.offered.append(name)
        said = {"kind": "model", "crc": message.payload[6:10][::-1].hex(), "have": 2, "of": 2, "why": ""}
        identity = message.payload[10:14][::-1].hex()
        for state in self._answers[name]:
            installed = identity if state == "confirmed" else "00000000"
            said |= {"state": state, "installed": installed, "why": "other channels" if state == "refused" else ""}
            client.publish(f"dibble/{name}/update", json.dumps(said), qos=1, retain=True)

    def end(self):
        self._client.disconnect()
        self._client.loop_stop()


GOOD = ("receiving", "tried", "confirmed")


@pytest.mark.parametrize(
    ("answers", "confirmed", "failed", "untouched"),
    [
        (dict.fromkeys(NODES, GOOD), NODES, {}, []),
        ({"bed-3": ("receiving", "refused")}, [], {"bed-3": "refused: other channels"}, NODES[1:]),
        (
            {**dict.fromkeys(NODES, GOOD), "bed-2": ("tried", "rolled back")},
            ["bed-3", "bed-1"],
            {"bed-2": "rolled back"},
            ["shed"],
        ),
        ({"bed-3": GOOD, "bed-1": ("receiving",), "bed-2": GOOD}, ["bed-3", "bed-2"], {"bed-1"}, ["shed"]),
    ],
)
def test_the_first_that_does_not_take_it_ends_it(tmp_path, model, answers, confirmed, failed, untouched):
    with Mosquitto(tmp_path) as broker:
        fakes = FakeNodes(broker, answers)
        parcels = parcels_of(NODES, model, None, None)
        with Rollout(Broker("127.0.0.1", broker.port), parcels, 4 if "bed-1" in failed else 60, print) as rollout:
            outcome = rollout.run([["bed-3"], ["bed-1", "bed-2"], ["shed"]])
        until(lambda: sorted(fakes.withdrawn) == sorted(fakes.offered))  # nothing stays at the broker
        fakes.end()
    assert outcome.confirmed == confirmed and outcome.untouched == untouched
    assert set(outcome.failed) == set(failed) and set(fakes.offered) == {*confirmed, *failed}
    if isinstance(failed, dict):
        assert outcome.failed == failed
    else:
        assert outcome.failed["bed-1"].startswith("not done within") and "receiving 2 of 2" in outcome.failed["bed-1"]


def test_who_has_it_already_is_passed_over(tmp_path, model):
    with Mosquitto(tmp_path) as broker:
        fakes = FakeNodes(broker, dict.fromkeys(NODES, GOOD))
        parcels = parcels_of(NODES, model, None, None)
        for _ in range(2):
            with Rollout(Broker("127.0.0.1", broker.port), parcels, 60, print) as rollout:
                assert rollout.run([["bed-3"], ["bed-1"]]).confirmed == ["bed-3", "bed-1"]
        fakes.end()
    assert fakes.offered == ["bed-3", "bed-1"]


@pytest.mark.parametrize(("state", "status"), [("confirmed", 0), ("refused", 1), ("receiving", 1)])
def test_the_command_send(tmp_path, model, state, status):
    with Mosquitto(tmp_path) as broker:
        fakes = FakeNodes(broker, {"bed-3": ("receiving", state)})
        place = ["--node", "bed-3", "--broker", f"127.0.0.1:{broker.port}"]
        ran = CliRunner().invoke(app, ["send", str(model), *place, "--wait", "3s" if state == "receiving" else "60s"])
        fakes.end()
    assert ran.exit_code == status and f"{state}" in ran.output
    if state == "receiving":
        assert "the broker keeps it" in ran.output


def test_a_real_node_takes_a_model(tmp_path, model):
    firmware = firmware_folder(tmp_path / "firmware")
    done = []
    with Mosquitto(tmp_path) as broker:
        bench = RadioBench(firmware, tmp_path, broker, soil_model(400))
        parcels = parcels_of(["node"], model, None, None)
        with Rollout(Broker("127.0.0.1", broker.port), parcels, PATIENCE_S, print) as rollout:
            thread = threading.Thread(target=lambda: done.append(rollout.run([["node"]])))
            thread.start()
            while thread.is_alive():
                bench.run(3)
                thread.join(0.2)
    assert done[0].confirmed == ["node"], done
