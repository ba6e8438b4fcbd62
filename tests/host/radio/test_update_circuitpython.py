"""The same firmware under stand-ins for CircuitPython, its file system FAT: a model by MQTT."""

from circuitpython_node import Node
from dibble_tools.radio.mqtt import messages
from dibble_tools.radio.parcel import parcel_of
from mosquitto import Collector, Mosquitto
from node_helpers import soil_model
from paho.mqtt import publish
from radio_bench import NODE, is_settled, mqtt, states

WIFI = 'WIFI_SSID = "farm"\nWIFI_PASSWORD = "tractor1"\n'


def test_a_circuitpython_node_takes_a_model(tmp_path):
    with Mosquitto(tmp_path) as broker, Collector(broker, "#") as collector:
        node = Node(tmp_path / "drive", config={"mqtt": mqtt(broker)}, files={"settings.toml": WIFI}, wifi=True)
        parcel = parcel_of("model", soil_model(500), piece_bytes=60)
        told = [{"topic": m.topic, "payload": m.payload, "retain": True, "qos": 1} for m in messages(NODE, parcel)]
        publish.multiple(told, "127.0.0.1", broker.port)  # type: ignore[arg-type]
        lives = [node.live(200)]
        while not is_settled(collector, parcel) and len(lives) < 8:
            lives.append(node.live(200))
        collector.settle()
        assert states(collector)[-1] == f"confirmed {parcel.count} of {parcel.count}", node.vm.text()[-3000:]
        assert "dry%20below%20500" in node.lines("!model")[-1] and "reset" in lives
