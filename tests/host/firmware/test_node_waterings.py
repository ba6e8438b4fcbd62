"""How long a node's valve is on, whatever comes between: on a real VM, by what its pin does."""

import random
from pathlib import Path

import pytest
from dibble_tools.simulator.node.firmware import firmware_folder
from dibble_tools.simulator.node.flash import PowerCut
from dibble_tools.simulator.node.vm import Stop
from dibble_tools.simulator.node.wire import POWER_ON, WATCHDOG
from node_helpers import VALVE_PIN, Bench, soil_model

MAX_ON_S, REST_S = 150, 300


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return firmware_folder(tmp_path_factory.mktemp("firmware") / "node")


def runs(bench: Bench) -> list[tuple[float, float]]:
    """Return (from, to) of each time on; a reset ends one, too."""
    found: list[tuple[float, float]] = []
    since = None
    for at, pin, level in bench.switched:
        if pin == VALVE_PIN and level and since is None:
            since = at
        elif pin == VALVE_PIN and not level and since is not None:
            found.append((since, at))
            since = None
    return found


def power_lost(bench: Bench) -> None:
    bench.switched.append((bench.now_s(), VALVE_PIN, 0))


def most_on_s(found: list[tuple[float, float]]) -> float:
    """Return the most that any stretch of MAX_ON_S + REST_S has."""
    most = 0.0
    for edge in [edge for run in found for edge in run]:
        for start in (edge, edge - MAX_ON_S - REST_S):
            end = start + MAX_ON_S + REST_S
            most = max(most, sum(max(0.0, min(end, off) - max(start, on)) for on, off in found))
    return most


def test_a_faulty_cycle_costs_no_rest(firmware, tmp_path):
    """On at once, off in the faulty cycle, on again in the next, and then a rest: not at 0 and 730 minutes."""
    bench = Bench(firmware, tmp_path, soil_model(400))
    bench.probe.moisture = 0.2
    begins = bench.now_s()

    def loose() -> None:
        bench.pin.disconnected = 60 < bench.now_s() - begins < 70

    bench.run(12, meanwhile=loose)
    opened = [round((on - begins) / 60) for on, _ in runs(bench)]
    assert opened[:2] == [0, 2] and opened[2] >= 8
    assert most_on_s(runs(bench)) <= MAX_ON_S + 1
    assert sum(off - on for on, off in runs(bench)[:2]) == pytest.approx(MAX_ON_S, abs=1)


def test_the_valve_closes_in_the_middle_of_a_long_reading(firmware, tmp_path):
    """A sensor that needs a minute of power to come up doesn't keep the valve open for that long."""
    slow = {"driver": "sht4x", "power_pin": 17, "power_up_ms": 55000}
    soil = {"driver": "soil_adc", "pin": 26, "probe_curve": [2300, 1200], "samples": 4}
    bench = Bench(firmware, tmp_path, soil_model(400), sensors=[soil, slow], interval_s=100)
    bench.probe.dry_v, bench.probe.wet_v = 2.3, 1.2
    bench.probe.moisture = 0.2
    bench.run(20)
    assert len(runs(bench)) >= 2
    assert max(off - on for on, off in runs(bench)) <= MAX_ON_S + 0.1


def test_ctrl_c_closes_the_valve(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400), watchdog_ms=0)
    bench.send("stop.py", b"import time\nsleep = time.sleep_ms\n")
    main = (bench.files / "main.py").read_bytes()
    stopped = b"""
from dibble.node import Node
def stop(self):
    raise KeyboardInterrupt
Node.sleep = stop
try:
    app.run(port)
except KeyboardInterrupt:
    print("REPL")
"""
    bench.send("main.py", main.replace(b"app.run(port)\n", stopped))
    bench.probe.moisture = 0.2
    bench.run(3)
    assert "REPL" in bench.vm.text()
    assert [level for _, pin, level in bench.switched if pin == VALVE_PIN] == [0, 1, 0]


def test_a_heap_that_is_full_closes_the_valve_and_starts_anew(firmware, tmp_path):
    """Whatever fails then, what the node does while it waits, too: no board stays in its REPL with an open valve."""
    bench = Bench(firmware, tmp_path, soil_model(400), watchdog_ms=0)
    main = (bench.files / "main.py").read_bytes()
    full = b"""
from dibble.node import Node
Slots = type(port.memory("on"))
def cannot(*arguments):
    raise MemoryError
decide = Node.decide
def until_open(self):
    decide(self)
    if self.sequence == 2:
        Slots.write = Slots.newest = Node.decide = Node.tell = Node._pass = cannot
Node.decide = until_open
"""
    bench.send("main.py", main.replace(b"app.run(port)\n", full + b"app.run(port)\n"))
    bench.probe.moisture = 0.2
    assert bench.run(30) == "reset"
    valve = [(at, level) for at, pin, level in bench.switched if pin == VALVE_PIN]
    assert valve[1][1] == 1 and valve[2][1] == 0 and valve[2][0] - valve[1][0] <= MAX_ON_S + 1
    assert [level for _, level in valve[3:]] == [0] * len(valve[3:])


@pytest.mark.parametrize("seed", range(3))
def test_no_stretch_has_more_than_the_longest_time_on(firmware, tmp_path, seed):
    """Two hours of drought with faults, a watchdog that bites and a power that fails at any moment."""
    rng = random.Random(seed)
    bench = Bench(firmware, tmp_path, soil_model(400))
    bench.probe.moisture = 0.2
    begins = bench.now_s()
    resets = 0
    while bench.now_s() - begins < 7200:
        ends = bench.now_s() + rng.choice((20, 100, 200, 400, 900)) * rng.random()
        loose = rng.random() < 0.3

        def meanwhile(ends: float = ends, loose: bool = loose) -> None:
            bench.pin.disconnected = loose and rng.random() < 0.05
            if bench.now_s() > ends:
                raise rng.choice((PowerCut, Stop))

        bench.run(30, rng.choice((POWER_ON, WATCHDOG)), meanwhile=meanwhile)
        power_lost(bench)
        resets += 1
        bench.hardware.now_us += rng.choice((0, 1, 30)) * 1_000_000
    found = runs(bench)
    assert most_on_s(found) <= MAX_ON_S + 0.1
    assert resets > 8 and len(found) > 4
    assert sum(off - on for on, off in found) > 7200 * MAX_ON_S / (MAX_ON_S + REST_S) / 6  # a reset each three minutes
