"""The node's sensors on a real VM: names, doubts, events, and what the board does to them."""

from pathlib import Path

import pytest
from dibble.inference.decision import SENSOR_FAULT
from dibble_tools.simulator.devices.sht3x import Sht3x
from dibble_tools.simulator.node.firmware import firmware_folder
from node_helpers import SOIL_PIN, Bench, soil_model

SOIL = {"driver": "soil_adc", "pin": SOIL_PIN, "probe_curve": [2300, 1200], "samples": 4}


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return firmware_folder(tmp_path_factory.mktemp("firmware") / "node")


def test_two_air_sensors_run_under_names_of_their_own(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, sensors=[SOIL, {"driver": "sht4x"}, {"driver": "sht3x", "address": 0x45}])
    other = Sht3x(lambda: bench.hardware.now_us)
    other.air_temperature_c = 31.0
    bench.hardware.i2c[0x45] = other
    assert bench.run(3) == "stop"
    readings = bench.rows()[-1].readings
    assert readings["air_temperature_centi_c"] == 2000
    assert readings["air_temperature_2_centi_c"] == 3100
    assert [text for text in bench.events("boot") if "channels" in text] == [
        "config.sensors[2]: names taken; unless you set others: "
        '"channels": ["air_temperature_2_centi_c", "humidity_2_permille"]'
    ]


def test_a_jump_is_an_event_and_a_fault_until_it_is_believed(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400))
    bench.run(3)
    bench.hardware.on_time = lambda: None
    moisture = bench.probe.moisture

    def jump() -> None:
        if bench.now_s() > jumps_at:
            bench.probe.moisture = 0.2

    jumps_at = bench.now_s() + 130
    bench.run(8, meanwhile=jump)
    rows = bench.rows()
    doubted = [row for row in rows if row.flags & SENSOR_FAULT]
    assert len(doubted) == 2 and {row.readings["soil_moisture_permille"] for row in doubted} == {None}
    assert abs(rows[-1].readings["soil_moisture_permille"] - 200) < 15
    (text,) = bench.events("fault")
    assert text.startswith("soil_adc: expected soil_moisture_permille within 150 of ")
    assert "a jump, believed when 3 in a row agree" in text
    assert abs(int(text.split(" of ")[1].split(",")[0]) - 1000 * moisture) < 15


def test_a_stuck_episode_is_one_event(firmware, tmp_path):
    stuck = {**SOIL, "stuck_cycles": 3}
    bench = Bench(firmware, tmp_path, soil_model(400), sensors=[stuck, {"driver": "sht4x", "stuck_cycles": 0}])
    begins = bench.now_s() + 180

    def freeze() -> None:
        bench.pin.stuck = begins < bench.now_s() < begins + 600 or begins + 900 < bench.now_s()

    bench.run(25, meanwhile=freeze)
    assert [text for text in bench.events("fault") if "soil_adc" in text] == [
        "soil_adc: expected raw values that change by their noise, got the same 4 times: stuck"
    ] * 2
    assert 10 < sum(row.readings["soil_moisture_permille"] is None for row in bench.rows()) < 20


def test_the_very_dry_soil_is_watered_all_day(firmware, tmp_path):
    """Drier than the curve's dry end the reading is 0 throughout: no fault, whatever it says the same."""
    bench = Bench(firmware, tmp_path, soil_model(400), interval_s=600)
    bench.probe.dry_v += 0.1
    bench.probe.moisture = 0.0
    bench.run(1440)
    assert {row.readings["soil_moisture_permille"] for row in bench.rows()} == {0}
    assert [text for text in bench.events("fault") if "soil" in text] == []
