"""A battery that sags under the valve it feeds: no valve that flutters, a node that comes back, bounds that hold."""

import json
import random
from pathlib import Path

from dibble_tools.simulator.devices.analog import AnalogPin
from dibble_tools.simulator.devices.supply import SaggingSupply
from dibble_tools.simulator.node.firmware import firmware_folder
from dibble_tools.simulator.node.wire import POWER_ON
from dibble_tools.simulator.orchard.site import SOIL_PIN, VALVE_PIN
from node_helpers import Bench, soil_model

BATTERY_PIN = 28
VALVE_MA = 500.0
MAX_ON_S, REST_S = 600, 3600
BATTERY = {"driver": "battery", "pin": BATTERY_PIN, "divider_permille": 2000}
VALVE = {"class": "irrigate", "pin": VALVE_PIN, "max_on_s": MAX_ON_S, "rest_s": REST_S}


def fed(folder: Path, open_v: float, inner_ohm: float, low_mv: int = 3500) -> tuple[Bench, SaggingSupply]:
    """Return a node in a drought whose valve hangs on such a battery."""
    bench = Bench(firmware_folder(folder / "node"), folder, soil_model(400))
    probe = {"driver": "soil_adc", "pin": SOIL_PIN, "probe_curve": bench.probe.probe_curve_mv(), "samples": 4}
    sensors = [probe, {"driver": "sht4x"}, BATTERY]
    config = {**bench.config, "sensors": sensors, "actions": [VALVE], "low_battery_mv": low_mv}
    bench.send("config.json", json.dumps(config).encode())
    bench.probe.moisture = 0.2
    supply = SaggingSupply(bench.hardware, {VALVE_PIN: VALVE_MA}, open_v, inner_ohm)
    bench.hardware.analog[BATTERY_PIN] = AnalogPin(lambda: supply.volts() / 2, random.Random(3), noise_v=0.001)
    return bench, supply


def live(bench: Bench, minutes: float) -> None:
    """Live on through brown-outs; a second without power each."""
    end_s = bench.now_s() + 60 * minutes
    while bench.now_s() < end_s:
        if bench.run((end_s - bench.now_s()) / 60, POWER_ON) == "cut":
            bench.hardware.now_us += 1_000_000


def runs(bench: Bench) -> list[tuple[float, float]]:
    found, since = [], None
    for at, pin, level in bench.switched:
        if pin == VALVE_PIN and level and since is None:
            since = at
        elif pin == VALVE_PIN and not level and since is not None:
            found.append((since, at))
            since = None
    return found


def most_on_s(found: list[tuple[float, float]]) -> float:
    """Return the most that any stretch of MAX_ON_S + REST_S has."""
    starts = [start for on, off in found for edge in (on, off) for start in (edge, edge - MAX_ON_S - REST_S)]
    ends = [(start, start + MAX_ON_S + REST_S) for start in starts]
    return max((sum(max(0.0, min(end, off) - max(start, on)) for on, off in found) for start, end in ends), default=0)


def test_a_battery_that_cannot_carry_the_valve_is_tried_twice_a_rest(tmp_path: Path) -> None:
    """3.9 V and 2 ohm: 2.9 V with the valve, at once."""
    bench, supply = fed(tmp_path, 3.9, 2.0)
    live(bench, 100)
    assert 2 <= supply.brown_outs == len(runs(bench)) <= 2 * 2
    assert bench.lives.count("cut") == supply.brown_outs and bench.lives[-1] == "stop"
    assert len(bench.rows()) >= 96  # it is back each time, and not in safe mode
    assert any("an output rests: the power failed 2 times as it went on" in text for text in bench.events("boot"))
    assert "Traceback" not in bench.vm.text()
    supply.inner_ohm = 0.2  # a fresh one
    live(bench, 75)
    assert sum(off - on for on, off in runs(bench)) >= MAX_ON_S - 1


def test_a_battery_that_sinks_below_the_limit_closes_the_valve_once_and_until_it_is_charged(tmp_path: Path) -> None:
    """3.8 V and 0.8 ohm: 3.37 V with the valve, 3.78 V without: no reason to open it again, and again."""
    bench, supply = fed(tmp_path, 3.8, 0.8)
    live(bench, 70)
    assert supply.brown_outs == 0 and len(runs(bench)) == 1
    assert runs(bench)[0][1] - runs(bench)[0][0] <= 61
    assert len(bench.events("battery")) == 1 and len(bench.rows()) == 70
    supply.open_v = 4.15  # 3.72 V with the valve
    live(bench, 10)
    assert len(bench.events("battery")) >= 1
    assert bench.hardware.outputs.get(VALVE_PIN) == 1 or len(runs(bench)) == 2


def test_whatever_the_battery_does_the_bounds_hold(tmp_path: Path) -> None:
    rng = random.Random(1)
    bench, supply = fed(tmp_path, 3.7, 0.5)
    for _ in range(8):
        supply.open_v, supply.inner_ohm = rng.uniform(3.4, 4.1), rng.choice((0.1, 0.5, 1.0, 2.0))
        live(bench, rng.uniform(5, 25))
    found = runs(bench)
    assert most_on_s(found) <= MAX_ON_S + 1
    hours = (bench.now_s() - bench.switched[0][0]) / 3600
    assert len(found) <= 6 * hours + 2
    assert "Traceback" not in bench.vm.text() and "safe mode:" not in bench.vm.text()
