"""The model of a first stage, by way of a real broker to a real node."""

from itertools import pairwise

import pytest
from dibble_tools.data.channels import Channel
from dibble_tools.radio.parcel import parcel_of
from dibble_tools.simulator.node.firmware import firmware_folder
from node_helpers import SOIL_PIN, soil_model, warm_gate
from radio_bench import OLD, RadioBench, states, told


@pytest.fixture
def gated(field, tmp_path) -> RadioBench:
    """A node whose soil probe is read only when a gate asks, and which has none yet."""
    (tmp_path / "bench").mkdir()
    probe = {"driver": "soil_adc", "pin": SOIL_PIN, "probe_curve": [2300, 1200], "samples": 4, "costly": True}
    sensors = [probe, {"driver": "sht4x"}]
    gate = {"skip": "skip", "max_age_cycles": 5}
    firmware = firmware_folder(tmp_path / "firmware")
    bench = RadioBench(firmware, tmp_path / "bench", field.broker, OLD, sensors=sensors, gate=gate, actions=[])
    bench.run(2.5)
    return bench


def test_a_gate_comes_and_one_of_other_channels_is_refused(gated, collector):
    gated.pin.noise_v = 0.03  # each new reading differs
    parcel = parcel_of("gate", warm_gate())
    gated.offer(parcel)
    assert gated.settle(collector, parcel) == ["reset", "stop"]
    assert states(collector)[-1] == "confirmed 1 of 1" and told(collector)[-1]["kind"] == "gate"
    gated.vm.console = b""
    gated.run(10)
    soils = [row.readings["soil_moisture_permille"] for row in gated.rows()]
    assert sum(new != old for old, new in pairwise(soils)) == 1  # it is warm: the gate lets the last one stay
    other = parcel_of("gate", soil_model(500, [Channel("peat_moisture_permille", "permille", 1, 0, 0, 1000)]))
    gated.offer(other)
    gated.settle(collector, other)
    assert states(collector)[-1].startswith("refused 1 of 1: expected a sensor for the model's channel peat_moisture")
    assert gated.runs() == "dry below 400"
