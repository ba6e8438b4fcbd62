"""The whole node reports to a real broker, and after an outage sends what the broker missed.

The node's time is virtual and the broker's isn't, so timeouts here are long.
"""

import json
import signal
from pathlib import Path

import pytest
from dibble_tools.simulator.node.firmware import firmware_folder
from mosquitto import Collector, Mosquitto
from node_helpers import Bench, soil_model


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return firmware_folder(tmp_path_factory.mktemp("firmware") / "node")


def mqtt(broker: Mosquitto, **more: object) -> dict[str, object]:
    return {"host": "127.0.0.1", "port": broker.port, "timeout_ms": 30000, "every": 2, **more}


def states(collector: Collector) -> list[dict]:
    collector.settle()
    return [json.loads(payload) for topic, payload, _ in collector.messages if topic == "dibble/node/state"]


def test_reports_every_decision_and_what_home_assistant_needs(firmware, tmp_path):
    with Mosquitto(tmp_path) as broker, Collector(broker, "#") as collector:
        bench = Bench(firmware, tmp_path, soil_model(400), mqtt=mqtt(broker))
        bench.run(8)
        got = states(collector)
        rows = {row.sequence: row for row in bench.rows()}
        assert bench.events("radio") == []
        assert len(got) >= len(rows) - 2
        for state in got:
            row = rows[state["seq"]]
            assert (state["class"], state["margin"], state["time"]) == (row.class_name, row.margin, row.time_s)
            assert state["soil_moisture_permille"] == row.readings["soil_moisture_permille"]
        topics = {topic for topic, _, _ in collector.messages}
        assert "homeassistant/sensor/node_class/config" in topics and "dibble/node/status" in topics


def test_after_an_outage_and_a_restart_nothing_is_missing(firmware, tmp_path):
    with Mosquitto(tmp_path) as broker, Collector(broker, "#") as collector:
        bench = Bench(firmware, tmp_path, soil_model(400), mqtt=mqtt(broker, timeout_ms=1000, discovery=False))
        bench.run(4)
        collector.settle()
        broker.end(signal.SIGTERM)
        bench.run(6)
        assert "MQTT 127.0.0.1" in bench.events("radio")[0]
        broker.start()
        collector.settle()
        bench.config["mqtt"]["timeout_ms"] = 30000  # type: ignore[index]
        bench.send("config.json", json.dumps(bench.config).encode())
        bench.run(6)
        arrived = {state["seq"] for state in states(collector)}
        written = max(row.sequence for row in bench.rows()) - 2
        assert arrived >= set(range(1, written + 1))
