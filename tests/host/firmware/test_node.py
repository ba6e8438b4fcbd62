"""The node from power-on, its own files on a real VM: boots, models, configurations, faults, safe mode."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dibble.inference.decision import NOVEL, SENSOR_FAULT
from dibble_tools.log.names import Known, number_in, of_config
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.record_log import read_folder
from dibble_tools.simulator.node.firmware import firmware_folder
from dibble_tools.simulator.node.wire import WATCHDOG
from node_helpers import CHANNELS, SOIL_PIN, VALVE_PIN, Bench, number_model, soil_model, usual_model, warm_gate

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return firmware_folder(tmp_path_factory.mktemp("firmware") / "node")


def test_decides_and_waters_dry_soil(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400))
    assert bench.run(3) == "stop"
    bench.probe.moisture = 0.3
    bench.vm.console = b""
    bench.run(10)
    rows = bench.rows()
    assert [row.held for row in rows[:3]] == ["irrigate"] * 3
    assert all(abs(row.readings["soil_moisture_permille"] - 300) < 10 for row in rows)
    assert all(row.readings["air_temperature_centi_c"] == 2000 for row in rows)
    valve = [(round(at - bench.switched[0][0]), level) for at, pin, level in bench.switched if pin == VALVE_PIN]
    opened = [at for at, level in valve if level]
    closed = [at for at, level in valve if not level and at > opened[0]]
    assert 149 <= closed[0] - opened[0] <= 151  # max_on_s, in the middle of a sleep
    assert opened[1] - closed[0] >= 300  # rest_s


def test_each_decision_is_in_the_log_as_it_was_printed(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400))
    bench.run(6.5)
    bench.vm.extract("/log", tmp_path / "log")
    records = read_folder(tmp_path / "log")
    rows = bench.rows()
    assert len(rows) == 7 and len(records.rows) == 6  # batches of 2
    for record, row in zip(records.rows, rows, strict=False):
        assert (record.sequence, record.margin, record.flags, list(record.readings)) == (
            row.sequence,
            row.margin,
            row.flags,
            list(row.readings.values()),
        )


def test_a_sensor_that_fails_is_a_flag_and_comes_back(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400))
    devices = bench.hardware.i2c
    bench.run(2)
    bench.hardware.i2c = {}
    bench.run(2)
    bench.hardware.i2c = devices
    bench.run(2)
    flags = [row.flags for row in bench.rows()]
    assert SENSOR_FAULT in flags and flags[0] == flags[-1] == 0
    assert "expected an answer at I2C 0x44" in bench.events("fault")[0]
    missing = [row.readings["air_temperature_centi_c"] for row in bench.rows() if row.flags]
    assert missing and set(missing) == {None}


def test_a_fault_closes_the_valve(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400), actions=[{"class": "irrigate", "pin": VALVE_PIN}])
    bench.probe.moisture = 0.2
    bench.run(2)
    assert bench.hardware.outputs[VALVE_PIN] == 1
    bench.hardware.power_on(1)
    bench.pin.disconnected = True
    bench.run(2)
    assert bench.hardware.outputs[VALVE_PIN] == 0


def test_confirms_after_a_good_reading_and_a_minute(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400))
    for _ in range(3):  # the first installs the model
        bench.run(0.9)
    assert bench.events("confirmed") == []
    bench.run(3)
    assert len(bench.events("confirmed")) == 1
    assert "boot 3 since the last good one" in bench.vm.text()
    bench.run(1)
    assert bench.vm.text().count("boot 1 since the last good one") == 3


def test_takes_a_new_model_and_keeps_the_old_one(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400))
    bench.run(3)
    bench.send("model.dib", soil_model(700))
    bench.run(3)
    held = [row.held for row in bench.rows()]
    assert (held[0], held[-1]) == ("ok", "irrigate")
    assert "generation 2" in bench.events("boot")[-1]


@pytest.mark.parametrize("spoil", ["cut", "flipped", "other channels", "other unit"])
def test_a_model_that_cannot_be_used_is_told_and_the_old_one_stays(firmware, tmp_path, spoil):
    bench = Bench(firmware, tmp_path, soil_model(400))
    bench.run(3)
    blob = soil_model(700)
    bench.send(
        "model.dib",
        {
            "cut": blob[:-9],
            "flipped": blob[:40] + bytes([blob[40] ^ 4]) + blob[41:],
            "other channels": soil_model(700, [replace(CHANNELS[0], name="salinity_permille"), CHANNELS[1]]),
            "other unit": soil_model(700, [CHANNELS[0], replace(CHANNELS[1], unit="f")]),
        }[spoil],
    )
    bench.run(3)
    assert {row.held for row in bench.rows()} == {"ok"}
    assert "model model.dib isn't used" in bench.events("boot")[-1]


def test_a_model_in_everyday_units_decides_on_the_nodes_readings(firmware, tmp_path):
    tenths = [
        replace(CHANNELS[0], unit="pct", exponent=-1),  # 34.5 %
        replace(CHANNELS[1], unit="c", exponent=-1, low=-400, high=850),  # 20.0 C
    ]
    bench = Bench(firmware, tmp_path, soil_model(400, tenths))
    bench.run(3)
    bench.probe.moisture = 0.3
    bench.run(3)
    rows = bench.rows()
    assert (rows[0].held, rows[-1].held) == ("ok", "irrigate")
    assert not any(row.flags for row in rows)
    assert rows[-1].readings["air_temperature_centi_c"] == 2000  # what is told and logged is the sensor's


def test_without_a_model_it_logs(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, actions=[])
    bench.run(3)
    rows = bench.rows()
    assert len(rows) >= 3 and {row.class_name for row in rows} == {None}
    assert list(rows[0].readings) == ["soil_moisture_permille", "air_temperature_centi_c", "humidity_permille"]


def test_a_bad_configuration_leaves_the_last_good_one(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400))
    bench.run(3)
    bench.send("config.json", json.dumps({**bench.config, "interval_s": "often"}).encode())
    bench.run(3)
    assert bench.lives == ["stop", "stop"]
    assert "config.interval_s: expected int, got 'often'" in bench.events("boot")
    assert "the last good configuration is used" in bench.events("boot")
    assert len(bench.rows()) >= 6


def test_without_any_configuration_it_ends_in_safe_mode(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400))
    bench.send("config.json", b"{")
    assert [bench.run(5) for _ in range(3)] == ["reset"] * 3
    assert bench.run(5) == "stop"
    text = bench.vm.text()
    assert text.count("expected JSON") == 3 and "safe mode: Ctrl-C leaves the REPL free" in text
    blinks = [at for at, pin, level in bench.switched if pin == 25 and level]
    assert len(blinks) > 100


def test_safe_mode_tries_again_and_recovers(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400))
    good = (bench.files / "config.json").read_bytes()
    bench.send("config.json", b"{")
    for _ in range(3):
        bench.run(5)
    assert bench.run(15) == "reset"
    bench.send("config.json", good)
    assert bench.run(3) == "stop"
    assert bench.events("confirmed") == ["the node runs"]


def test_a_model_under_which_the_node_never_comes_to_itself_gives_way(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400))
    bench.run(3)
    bench.send("model.dib", soil_model(700))
    bench.run(0.3)  # installs it
    for _ in range(3):
        bench.run(0.3, WATCHDOG)
    bench.vm.console = b""
    bench.run(3)
    assert "previous model" in bench.vm.text()
    assert {row.held for row in bench.rows()} == {"ok"}
    bench.run(1)
    assert {row.held for row in bench.rows()} == {"ok"}


def test_a_model_for_another_interval_is_refused(firmware, tmp_path):
    from dibble_tools.model.host_model import HostModel

    weather = Path(__file__).parents[3] / "models" / "field_weather" / "model.dib"
    assert HostModel.open(weather).model.interval_ms == 3_600_000
    bench = Bench(firmware, tmp_path, weather.read_bytes())
    bench.run(1)
    assert "expected interval_s near 3600" in bench.events("boot")[0]


def test_a_broken_cycle_is_told_and_the_third_in_a_row_resets(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400))
    broken = b"from dibble.node import Node\n\n\ndef fail(self):\n    1 // 0\n\n\nNode.decide = fail\napp.run(port)\n"
    bench.send("main.py", (bench.files / "main.py").read_bytes().replace(b"app.run(port)\n", broken))
    assert bench.run(10) == "reset"
    assert bench.events("error") == ["ZeroDivisionError('divide by zero',)"] * 3
    assert bench.hardware.outputs[VALVE_PIN] == 0


def test_a_relay_that_is_on_when_low_is_never_on_by_accident(firmware, tmp_path):
    relay = {"class": "irrigate", "pin": VALVE_PIN, "active_low": True}
    bench = Bench(firmware, tmp_path, soil_model(400), actions=[relay])
    bench.run(2)
    assert {level for _, pin, level in bench.switched if pin == VALVE_PIN} == {1}
    bench.probe.moisture = 0.2
    bench.run(2)
    assert bench.hardware.outputs[VALVE_PIN] == 0


def gated(firmware, tmp_path):
    """Return a bench whose soil probe is read only when the gate asks."""
    probe = {"driver": "soil_adc", "pin": SOIL_PIN, "probe_curve": [2300, 1200], "samples": 4, "costly": True}
    bench = Bench(
        firmware,
        tmp_path,
        soil_model(400),
        sensors=[probe, {"driver": "sht4x"}],
        gate={"skip": "skip", "max_age_cycles": 5},
        actions=[],
    )
    bench.send("gate.dib", warm_gate())
    return bench


def soils(bench):
    return [row.readings["soil_moisture_permille"] for row in bench.rows()]


def test_the_gate_keeps_the_last_costly_reading_until_it_is_too_old(firmware, tmp_path):
    bench = gated(firmware, tmp_path)
    bench.pin.noise_v = 0.03  # each new reading differs
    bench.run(11.5)
    values = soils(bench)
    changes = [i for i in range(1, len(values)) if values[i] != values[i - 1]]
    assert changes == [5, 10]


def test_the_gate_looks_each_time_when_it_is_cold(firmware, tmp_path):
    bench = gated(firmware, tmp_path)
    bench.air.air_temperature_c = 5.0
    bench.pin.noise_v = 0.03
    bench.run(6.5)
    assert len(set(soils(bench))) >= 5


def test_a_costly_reading_that_failed_is_read_again_whatever_the_gate_says(firmware, tmp_path):
    bench = gated(firmware, tmp_path)
    bench.pin.disconnected = True

    def mend():
        bench.pin.disconnected = bench.now_s() < start + 130

    start = bench.now_s()
    bench.run(4.5, meanwhile=mend)
    assert [value is None for value in soils(bench)] == [True, True, True, False, False]


def test_a_lost_file_that_only_tells_of_lost_files_ends_no_node(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400))
    (bench.files / "lib" / "dibble" / "manifest.mpy").unlink()
    bench.vm.install(bench.files)
    assert bench.run(3) == "stop"
    assert len(bench.rows()) >= 3 and "ImportError" in bench.vm.text()


def test_a_number_is_one_reading_more_on_console_and_in_the_log(firmware, tmp_path):
    """Of a model that tells the soil in six hours: as many steps as the host computes."""
    blob = number_model()
    bench = Bench(
        firmware, tmp_path, blob, actions=[{"class": "below 500 permille", "pin": VALVE_PIN, "max_on_s": 150}]
    )
    bench.run(4.5)
    bench.probe.moisture = 0.3
    bench.run(4.5)
    rows = bench.rows()
    told = HostModel(blob).content.number
    assert told.channel.name == "soil" and len(rows) > 6
    name = "soil_in_6h"
    assert list(rows[0].readings) == ["soil_moisture_permille", "air_temperature_centi_c", "humidity_permille", name]
    host = HostModel(blob)
    readings = np.array([[row.readings[channel.name] for channel in host.channels] for row in rows])
    assert [row.readings[name] for row in rows] == told.steps(host.decide(readings)).tolist()
    assert {row.class_name for row in rows} == {"below 500 permille", "above 500 permille"}
    assert [level for _, pin, level in bench.switched if pin == VALVE_PIN].count(1) >= 1
    bench.vm.extract("/log", tmp_path / "log")
    records = read_folder(tmp_path / "log")
    printed = {row.sequence: list(row.readings.values()) for row in rows}  # what wasn't written is numbered anew
    assert len(records.rows) > 4
    assert [list(record.readings) for record in records.rows] == [printed[r.sequence] for r in records.rows]
    known = Known(tmp_path / "names.json")
    known.learn_number(number_in(blob))
    known.learn(0, of_config((bench.files / "config.json").read_bytes()))
    assert known.names_of(records.rows[0]).channels[-1] == name


NOVEL_ALARM = {"flag": "novel", "pin": VALVE_PIN, "max_on_s": 86400, "rest_s": 0}


def test_readings_unlike_those_learned_from_switch_an_output(firmware, tmp_path):
    """Wet soil in the heat: each reading for itself is usual. Two in a row have to be so, and two no more."""
    blob = usual_model(hysteresis=2)
    air = {"driver": "sht4x", "max_step": [0, 0]}  # which warms at once
    soil = {"driver": "soil_adc", "pin": SOIL_PIN, "probe_curve": [2300, 1200], "samples": 4}
    bench = Bench(firmware, tmp_path, blob, actions=[NOVEL_ALARM], sensors=[soil, air])
    bench.probe.dry_v, bench.probe.wet_v = 2.3, 1.2
    bench.probe.moisture = 0.5
    begins = bench.now_s()

    def heat() -> None:
        bench.air.air_temperature_c = 34.0 if 270 < bench.now_s() - begins < 570 else 20.0

    bench.run(14, meanwhile=heat)
    rows = bench.rows()
    host = HostModel(blob)
    readings = np.array([[row.readings[channel.name] for channel in host.channels] for row in rows])
    flags = host.decide(readings).flags.tolist()
    assert [row.flags for row in rows] == flags and NOVEL in flags
    first = flags.index(NOVEL)
    last = len(flags) - 1 - flags[::-1].index(NOVEL)
    assert set(flags[:first]) == {0} and set(flags[first:last]) == {NOVEL} and last - first >= 3
    assert [row.action for row in rows[: first + 1]] == [0] * (first + 1)
    assert [row.action for row in rows[first + 1 : last + 1]] == [1] * (last - first)
    assert rows[-1].action == 0
    levels = [level for _, pin, level in bench.switched if pin == VALVE_PIN]
    assert levels.count(1) == 1 and levels[-1] == 0


def test_an_alarm_of_a_model_that_never_raises_it_is_told(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400), actions=[NOVEL_ALARM])
    bench.probe.moisture = 0.2
    bench.run(3)
    assert any("expected a model that tells what is novel" in text for text in bench.events("boot"))
    assert {row.action for row in bench.rows()} == {0}


def test_a_number_is_missing_where_a_reading_is(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, number_model(), actions=[])
    bench.run(2.5)
    del bench.hardware.i2c[0x44]
    bench.run(2.5)
    assert bench.rows()[0].readings["soil_in_6h"] is not None
    assert bench.rows()[-1].readings["soil_in_6h"] is None
