"""The node's sensors on a real VM: names, doubts, events, and what the board does to them."""

import random
from pathlib import Path

import pytest
from dibble.inference.decision import SENSOR_FAULT
from dibble_tools.simulator.devices.analog import AnalogPin
from dibble_tools.simulator.devices.anemometer import CupAnemometer
from dibble_tools.simulator.devices.sgp30 import Sgp30
from dibble_tools.simulator.devices.sht3x import Sht3x
from dibble_tools.simulator.node.firmware import firmware_folder
from dibble_tools.simulator.unkindness import Likeness
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


def test_an_esp32_measures_beyond_its_0_db(firmware, tmp_path):
    """Up to MicroPython 1.25 ADC(pin) ends at 1.1 V there: dry soil at 2.3 V and a battery would read the end."""
    like = Likeness(platform="esp32", version="1.25.0")
    sensors = [SOIL, {"driver": "battery", "pin": 27}]
    bench = Bench(firmware, tmp_path, sensors=sensors, actions=[], like=like)
    bench.probe.dry_v, bench.probe.wet_v, bench.probe.moisture = 2.3, 1.2, 0.1
    bench.hardware.analog[27] = AnalogPin(lambda: 4.1 / 2, random.Random(3))
    bench.run(3)
    readings = bench.rows()[-1].readings
    assert abs(readings["soil_moisture_permille"] - 100) < 10
    assert abs(readings["battery_mv"] - 4100) < 20
    assert bench.events("fault") == []
    bench.hardware.analog[27] = AnalogPin(lambda: 3.3, random.Random(3))
    bench.run(2)
    assert (
        "battery: expected a voltage within the converter's range at pin 27, got its very end"
        in bench.events("fault")[0]
    )


def test_a_contact_at_a_pin_without_a_pull_up_is_refused(firmware, tmp_path):
    like = Likeness(platform="esp32", version="1.25.0")
    bench = Bench(firmware, tmp_path, sensors=[{"driver": "anemometer", "pin": 35}], actions=[], like=like)
    bench.run(0.3)
    assert "expected a pin with a pull-up, or a resistor from it to 3.3 V and pull_up false, got 35" in bench.vm.text()
    with_resistor = {"driver": "anemometer", "pin": 35, "pull_up": False}
    bench = Bench(firmware, tmp_path / "with", sensors=[with_resistor], actions=[], like=like)
    cups = CupAnemometer(random.Random(2))
    cups.wind_m_s = 8.0
    bench.hardware.pulses = {35: cups}
    bench.run(3)
    assert abs(bench.rows()[-1].readings["wind_speed_cm_s"] - 800) <= 23


def test_a_gas_sensor_is_kept_alive_each_second_and_told_the_air(firmware, tmp_path):
    sensors = [{"driver": "sgp30"}, {"driver": "sht4x"}]
    bench = Bench(firmware, tmp_path, sensors=sensors, actions=[], interval_s=600)
    gas = Sgp30(lambda: bench.hardware.now_us)
    gas.tvoc_ppb = 1000.0
    gas.air_temperature_c, gas.humidity_percent = 30.0, 80.0
    bench.air.air_temperature_c, bench.air.humidity_percent = 30.0, 80.0
    bench.hardware.i2c[0x58] = gas
    bench.run(13 * 60)
    assert gas.learnt()
    last = bench.rows()[-1].readings
    assert abs(last["tvoc_ppb"] - 1000) <= 10
    gas.power_cycle()
    bench.run(25)
    assert gas.learnt()


def test_the_very_dry_soil_is_watered_all_day(firmware, tmp_path):
    """Drier than the curve's dry end the reading is 0 throughout: no fault, whatever it says the same."""
    bench = Bench(firmware, tmp_path, soil_model(400), interval_s=600)
    bench.probe.dry_v += 0.1
    bench.probe.moisture = 0.0
    bench.run(1440)
    assert {row.readings["soil_moisture_permille"] for row in bench.rows()} == {0}
    assert [text for text in bench.events("fault") if "soil" in text] == []


def test_a_model_with_stand_ins_goes_on_without_a_sensor(firmware, tmp_path):
    """The air sensor is dead from the first cycle: each row says so, the soil decides, and the valve opens."""
    bench = Bench(firmware, tmp_path, soil_model(400, stand_ins=[None, 6000]))
    bench.probe.moisture = 0.2
    del bench.hardware.i2c[0x44]
    bench.run(3)
    rows = bench.rows()
    assert {(row.class_name, row.held, row.flags) for row in rows} == {("irrigate", "irrigate", SENSOR_FAULT)}
    assert {row.readings["air_temperature_centi_c"] for row in rows} == {None}
    assert rows[-1].action == 1 and rows[-1].faults == 1


def test_without_what_has_no_stand_in_it_decides_nothing(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400, stand_ins=[500, None]))
    bench.probe.moisture = 0.2
    del bench.hardware.i2c[0x44]
    bench.run(2)
    assert {(row.class_name, row.flags, row.action) for row in bench.rows()} == {(None, SENSOR_FAULT, 0)}
