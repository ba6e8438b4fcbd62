"""A battery that is nearly flat: valves close and stay closed, also over brown-outs, until it has recovered."""

import json
import random
from pathlib import Path

import pytest
from dibble import ConfigError
from dibble_tools.node.config import whole
from dibble_tools.simulator.devices.analog import AnalogPin
from dibble_tools.simulator.node.firmware import firmware_folder
from dibble_tools.simulator.orchard.site import SOIL_PIN, VALVE_PIN
from node_helpers import Bench, soil_model

BATTERY_PIN = 28
BATTERY = {"driver": "battery", "pin": BATTERY_PIN, "divider_permille": 2000}
VALVE = {"class": "irrigate", "pin": VALVE_PIN, "max_on_s": 3600, "rest_s": 60}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(firmware_folder(tmp_path / "node"), tmp_path, soil_model(400))
    probe = {"driver": "soil_adc", "pin": SOIL_PIN, "probe_curve": made.probe.probe_curve_mv(), "samples": 4}
    sensors = [probe, {"driver": "sht4x"}, BATTERY]
    config = {**made.config, "sensors": sensors, "actions": [VALVE], "low_battery_mv": 3500}
    made.send("config.json", json.dumps(config).encode())
    made.probe.moisture = 0.2
    made.volts = 3.9  # type: ignore[attr-defined]
    made.hardware.analog[BATTERY_PIN] = AnalogPin(lambda: made.volts / 2, random.Random(3))  # type: ignore[attr-defined]
    return made


def is_open(bench: Bench) -> int:
    return bench.hardware.outputs.get(VALVE_PIN, 0)


def test_valve_closes_at_the_limit_and_opens_well_above_it(bench: Bench) -> None:
    seen: dict[int, int] = {}
    levels = {0: 3.9, 5: 3.45, 10: 3.6, 15: 3.7}  # minutes: volts; 3.6 is above the limit, but not well above
    begun = bench.now_s()

    def meanwhile() -> None:
        minute = int((bench.now_s() - begun) / 60)
        bench.volts = next(volts for at, volts in reversed(levels.items()) if at <= minute)  # type: ignore[attr-defined]
        seen[minute] = is_open(bench)

    bench.run(20, meanwhile=meanwhile)
    assert [seen[minute] for minute in (4, 9, 14, 19)] == [1, 0, 0, 1]
    told = bench.events("battery")
    assert len(told) == 2 and "outputs off, no radio" in told[0] and "again" in told[1]
    assert bench.rows()[-1].sequence == 20  # it goes on deciding and logging


def test_no_brown_out_opens_the_valve_of_a_flat_battery(bench: Bench) -> None:
    bench.volts = 3.4  # type: ignore[attr-defined]
    for _ in range(4):
        bench.run(3)
    assert [level for _, pin, level in bench.switched if pin == VALVE_PIN and level] == []
    assert len(bench.rows()) == 12


def test_limit_without_a_battery_to_measure_is_refused() -> None:
    probe = {"driver": "soil_adc", "pin": 26, "probe_curve": [2300, 1200]}
    with pytest.raises(ConfigError, match=r"config\.low_battery_mv: expected the sensor battery with it"):
        whole({"sensors": [probe], "low_battery_mv": 3500})
    assert whole({"sensors": [probe, BATTERY], "low_battery_mv": 3500})["low_battery_mv"] == 3500
