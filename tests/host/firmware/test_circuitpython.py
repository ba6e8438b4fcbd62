"""The node on CircuitPython's port: the firmware's own files on a real VM, CircuitPython's modules by stand-ins."""

import ast
import re

import pytest
from circuitpython_node import FIRMWARE, Node
from dibble_tools.node.record_log import read_folder
from intervals import measured
from pin_port import Steady

pytestmark = pytest.mark.long

MINUTE = 60
AIR = {"driver": "sht4x"}
NO_WATCHDOG = {"watchdog_ms": 0}


def test_same_configuration_gives_the_same_decisions_on_both_ports(tmp_path):
    lines = []
    for port in ("circuitpython", "micropython"):
        node = Node(tmp_path / port, port, config={"sleep": "idle"})
        assert node.live(120 * MINUTE) == "stop"
        lines.append([line.partition("*")[0].split(",") for line in node.decisions()])
    assert len(lines[0]) == 120
    for one, other in zip(*lines, strict=True):  # but for the wind: each port wakes at another angle of the cups
        assert one[:12] + one[14:] == other[:12] + other[14:]
    assert {line[3] for line in lines[0]} == {"ok", "irrigate", "frost"}
    assert {line[6] for line in lines[0]} == {"0", "1"}


def test_logs_on_fat(tmp_path):
    node = Node(tmp_path / "drive")
    node.live(10 * MINUTE)
    node.vm.extract("/log", tmp_path / "log")
    records = read_folder(tmp_path / "log")
    assert records.damage == [] and records.missing == []
    assert [row.sequence for row in records.rows] == list(range(1, 11))


def without_model(folder):
    (folder / "model.dib").unlink()


def numbers(line):
    """Return the fields of a decision's line but for its classes."""
    return [int(field or 0) for field in line.split("*")[0].split(",") if not field.isalpha()]


def test_all_drivers_read_through_circuitpythons_modules_as_through_micropythons(tmp_path):
    """Awake all the time: the cups turn on in light sleep, and each port wakes at another angle of theirs."""
    node = Node(tmp_path / "drive", config={"sleep": "idle"}, finish=without_model)
    node.live(30 * MINUTE)
    other = Node(tmp_path / "other", "micropython", config={"sleep": "idle"}, finish=without_model)
    other.live(30 * MINUTE)
    both = [[numbers(line) for line in each.decisions()] for each in (node, other)]
    assert len(both[0]) == len(both[1]) == 30
    for row, same in zip(*both, strict=True):
        assert row[:12] == same[:12] and row[14:] == same[14:]
        # A closing that bounces at a window's very end: one port counts it before, the other after.
        assert abs(row[12] - same[12]) <= 12 and abs(row[13] - same[13]) <= 23
    head = node.lines("#dibble")[0]
    assert [field.split(":")[0] for field in head.split("*")[0].split(",")[12:]] == [
        "air_temperature_centi_c",
        "humidity_permille",
        "soil_moisture_permille",
        "wind_speed_cm_s",
        "wind_gust_cm_s",
        "soil_temperature_centi_c",
    ]
    air, humidity, soil, wind, gust, drop = map(int, node.decisions()[-1].split("*")[0].split(",")[9:])
    assert abs(air - 100 * node.air.air_temperature_c) < 400 and humidity == 500
    assert 0 <= soil <= 1000
    assert 300 <= wind <= 900 and gust >= wind
    assert drop == 2000


def test_light_sleep_takes_the_time_between_cycles(tmp_path):
    node = Node(tmp_path / "drive")
    node.live(30 * MINUTE)
    assert node.hardware.asleep_us > 25 * MINUTE * 1_000_000
    assert times(node) == list(range(10, 30 * MINUTE, MINUTE))


@pytest.mark.parametrize(("lacks", "asleep_s"), [("alarm", (0, 0)), ("", (900, 1700))])
def test_floats_of_a_year_and_a_missing_alarm_dont_change_the_interval(tmp_path, monkeypatch, lacks, asleep_s):
    monkeypatch.setenv("DIBBLE_LACKS", lacks)
    monkeypatch.setenv("DIBBLE_UPTIME_S", str(300 * 86400 + 7))  # where monotonic() advances by steps of 4 s
    node = Node(tmp_path / "drive", config={"sensors": [AIR], **NO_WATCHDOG})
    node.live(30 * MINUTE)
    assert asleep_s[0] <= node.hardware.asleep_us / 1e6 <= asleep_s[1]
    assert times(node) == list(range(5, 30 * MINUTE, MINUTE))


def times(node):
    return [int(line.split(",")[1]) for line in node.decisions()]


def test_ticks_wrap_without_a_jump(tmp_path):
    """supervisor.ticks_ms() wraps 65 s after power-on: in the second cycle."""
    node = Node(tmp_path / "drive", config={"sensors": [AIR], "interval_s": 40})
    node.live(5 * MINUTE)
    assert times(node) == list(range(5, 5 * MINUTE, 40))


def test_watchdog_bites_a_node_that_hangs(tmp_path, monkeypatch):
    monkeypatch.setattr("dibble_tools.simulator.node.vm.HANG_S", 1)
    hanging = "CHANNELS = (('x', ''),)\nSETTINGS = ()\ndef build(settings, port, bus):\n    return Hanging()\n"
    hanging += "class Hanging:\n    def start(self):\n        while True:\n            pass\n"
    node = Node(
        tmp_path / "drive",
        config={"sensors": [{"driver": "hanging"}]},
        files={"lib/dibble/drivers/hanging.py": hanging},
    )
    assert node.live(10 * MINUTE) == "watchdog"


def test_board_without_watchdog_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("DIBBLE_LACKS", "watchdog")
    node = Node(tmp_path / "drive", config={"sensors": [AIR]})
    node.live(3 * MINUTE)
    assert node.lines("this board has no watchdog") and len(node.decisions()) == 3


def test_watchdog_longer_than_the_chips_is_refused(tmp_path):
    node = Node(tmp_path / "drive", config={"watchdog_ms": 20000})
    assert node.live(MINUTE) == "reset"
    assert "expected what this board's watchdog can do (8000 on an RP2), got 20000" in node.vm.text()


def test_unknown_pin_is_told_with_the_boards_names(tmp_path):
    node = Node(tmp_path / "drive", config={"sensors": [{**AIR, "power_pin": "D5"}]})
    node.live(MINUTE)
    assert re.search(r"ConfigError: expected a pin of this board \(.*LED, .*GP29\), got 'D5'", node.vm.text())


def test_pins_of_two_i2c_peripherals_are_refused(tmp_path):
    node = Node(tmp_path / "drive", config={"i2c": {"sda": 4, "scl": 11}})
    node.live(MINUTE)
    assert "ConfigError: config.i2c: expected pins that share an I2C peripheral, got: Invalid pins" in node.vm.text()


def test_two_drivers_may_share_an_analog_pin(tmp_path):
    battery = {"driver": "battery", "pin": 27, "divider_permille": 2000}
    probe = {"driver": "soil_adc", "pin": 26, "probe_curve": [2300, 1200]}
    supplied = {**probe, "supply_mv_nominal": 3000, "supply_pin": 27}
    node = Node(tmp_path / "drive", config={"sensors": [AIR, supplied, battery]})
    node.hardware.analog[27] = Steady(1_500_000)
    node.live(3 * MINUTE)
    assert len(node.decisions()) == 3 and node.lines("!fault") == []


def test_missing_pull_ups_are_a_fault_of_the_sensor_alone(tmp_path):
    node = Node(tmp_path / "drive")
    node.hardware.inputs[4] = 0
    node.live(3 * MINUTE)
    assert "No%20pull%20up%20found" in node.lines("!fault")[0]
    assert [line.split(",")[9] for line in node.decisions()] == [""] * 3  # air_temperature_centi_c
    assert all(line.split(",")[11] for line in node.decisions())  # soil_moisture_permille
    node.hardware.inputs[4] = 1
    node.live(2 * MINUTE)
    assert node.decisions()[-1].split(",")[9]


def test_silent_sensor_is_a_fault(tmp_path):
    node = Node(tmp_path / "drive")
    node.hardware.i2c = {}
    node.live(2 * MINUTE)
    assert "I2C%200x44" in node.lines("!fault")[0]


def test_contact_that_bounces_for_ever_is_a_fault(tmp_path):
    node = Node(tmp_path / "drive")

    class Chattering:
        def changes(self, start_us, end_us):
            return [(us, us // 1000 % 2 == 0) for us in range(start_us // 1000 * 1000 + 1000, end_us, 1000)]

    node.hardware.pulses = {7: Chattering()}
    node.live(2 * MINUTE)
    assert "changes%20of%20a%20contact" in node.lines("!fault")[0]
    assert len(node.decisions()) == 2


def test_ports_have_the_same_functions():
    def functions(name):
        tree = ast.parse((FIRMWARE / "lib/dibble/ports" / name).read_text())
        found = {node.name: [a.arg for a in node.args.args] for node in tree.body if isinstance(node, ast.FunctionDef)}
        found.update({name.id: None for n in tree.body if isinstance(n, ast.Assign) for name in n.targets})
        return {name: arguments for name, arguments in found.items() if not name.startswith("_")}

    micropython = functions("micropython.py")
    circuitpython = {}
    for name in ("circuitpython_pins.py", "circuitpython_time.py", "circuitpython.py"):
        circuitpython.update(functions(name))
    for name, arguments in micropython.items():
        assert name in circuitpython
        if arguments is not None and circuitpython[name] is not None:
            assert circuitpython[name] == arguments, name


def test_nothing_but_the_ports_needs_what_circuitpython_lacks():
    lacking = {"machine", "network", "socket", "select", "vfs", "utime", "uos", "onewire", "_thread"}
    for path in FIRMWARE.rglob("*.py"):
        if path.name in ("main.py", "listen.py") or path.parent.name in ("microbit", "ports"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert not lacking & {alias.name for alias in node.names}, path
            if isinstance(node, ast.ImportFrom):
                assert node.module not in lacking, path
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("print_exception", "threshold", "ticks_add", "ilistdir") or (
                    isinstance(node.value, ast.Name) and node.value.id in ("port", "traceback")
                ), path


@pytest.mark.parametrize("port", ["micropython", "circuitpython"])
def test_intervals_are_true_to_a_hundredth_after_300_days(tmp_path, monkeypatch, port):
    """By the true time. 300 days on end of each port: tests/benchmarks/intervals.py."""
    monkeypatch.setenv("DIBBLE_UPTIME_S", str(300 * 86400 - 600))
    found = measured(tmp_path, port, days=40 / 1440, interval_s=60, ticks_ms=(1 << 30) - 600_000)  # which wrap
    assert found.life == "stop" and found.cycles >= 39
    assert 59.4 <= found.least_s <= found.most_s <= 60.6 and abs(found.mean_s - 60) <= 0.06
    assert abs(found.clock_s) <= 1
