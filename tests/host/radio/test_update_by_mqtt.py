"""A model and a configuration by way of a real broker to a real node: taken, tried, confirmed, or taken back."""

from pathlib import Path

import pytest
from dibble_tools.radio.parcel import parcel_of
from dibble_tools.simulator.node.firmware import firmware_folder
from mosquitto import Collector, Mosquitto
from node_helpers import soil_model
from radio_bench import RadioBench, states, told


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return firmware_folder(tmp_path_factory.mktemp("firmware") / "node")


def test_a_model_is_taken_tried_and_confirmed(firmware, tmp_path):
    with Mosquitto(tmp_path) as broker, Collector(broker, "#") as collector:
        bench = RadioBench(firmware, tmp_path, broker, soil_model(400))
        bench.run(4)
        parcel = parcel_of("model", soil_model(500), piece_bytes=40)
        bench.offer(parcel)
        print(bench.run(4))
        print(bench.run(4))
        print(bench.vm.text())
        print(states(collector), told(collector, "about"), told(collector, "health")[-1])
        assert 0
