"""Boards sleep badly and don't know the time: the node's cycles, its outputs and its records are right all the same."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from dibble_tools.simulator.node import wire
from dibble_tools.simulator.node.firmware import firmware_folder
from dibble_tools.simulator.node.flash import Flash
from dibble_tools.simulator.node.wire import Hardware
from dibble_tools.simulator.orchard.site import VALVE_PIN
from dibble_tools.simulator.unkindness import ALL, Likeness
from node_helpers import START_S, Bench, soil_model

FIRST_DAY_S = 8766 * 86400


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return firmware_folder(tmp_path_factory.mktemp("firmware") / "node")


def bench_on(firmware: Path, folder: Path, like: Likeness, **config: object) -> Bench:
    bench = Bench(firmware, folder, soil_model(400), **config)
    made = Hardware(Flash(160), START_S, like)
    for name in ("i2c", "analog", "on_output"):
        setattr(made, name, getattr(bench.hardware, name))
    bench.hardware = bench.vm.hardware = made
    bench.vm.install(bench.files)
    return bench


def intervals_s(bench: Bench) -> set[int]:
    return {after.time_s - before.time_s for before, after in pairwise(bench.rows())}


@pytest.mark.parametrize("early_ms", [(0, 0), (27, 64)])
def test_every_light_sleep_ends_early_and_the_cycles_stay(firmware, tmp_path, monkeypatch, early_ms):
    """A Pico W on 1.24 and 1.25; and one whose radio has something pending at each call."""
    monkeypatch.setattr(wire, "EARLY_SHARE", 1.0)
    monkeypatch.setattr(wire, "EARLY_MS", early_ms)
    bench = bench_on(firmware, tmp_path, Likeness(), watchdog_ms=0)
    bench.run(20)
    assert len(bench.rows()) == 20 and intervals_s(bench) == {60}
    assert bench.hardware.asleep_us > 0


def test_valve_closes_in_time_though_sleeps_end_early_and_the_calendar_stands_still(firmware, tmp_path):
    bench = bench_on(firmware, tmp_path, Likeness(), watchdog_ms=0)
    bench.probe.moisture = 0.2
    bench.run(60)
    valve = [(at, level) for at, pin, level in bench.switched if pin == VALVE_PIN]
    opened = [after - at for (at, level), (after, _) in pairwise(valve) if level]
    assert len(opened) >= 5 and all(149.9 < seconds < 151 for seconds in opened)


def test_records_span_the_time_that_passed_though_the_calendar_stands_still(firmware, tmp_path):
    bench = bench_on(firmware, tmp_path, Likeness(), watchdog_ms=0)
    set_it = "import machine\nmachine.RTC().datetime((2026, 5, 1, 4, 6, 0, 0, 0))\n"
    bench.send("boot.py", set_it.encode())
    bench.run(12 * 60)
    rows = bench.rows()
    assert rows[0].time_s > FIRST_DAY_S
    assert intervals_s(bench) == {60}
    assert bench.hardware.clock_s() - rows[0].time_s < 0.2 * (
        rows[-1].time_s - rows[0].time_s
    )  # the calendar is behind


def test_unset_clock_counts_from_power_on_whatever_it_counts_to(firmware, tmp_path):
    bench = bench_on(firmware, tmp_path, Likeness(), interval_s=21600, watchdog_ms=0)
    bench.run(20 * 1440)
    times = [row.time_s for row in bench.rows()]
    assert len(times) == 80 and times[0] < 60 and intervals_s(bench) == {21600}
    assert times[-1] > 19 * 86400  # 2**30 ms, after which the ticks wrap, are 12.4 days


@pytest.mark.parametrize(
    ("version", "chip", "sleeps"),
    [
        ("1.28.0", "RP2040", False),
        ("1.29.0-preview.375.g0123456789 on 2026-06-11", "RP2040", False),
        ("1.29.0-preview.376.g434b9daf33 on 2026-06-12", "RP2040", True),
        ("1.29.0", "RP2040", True),
        ("1.30.1", "RP2040", True),
        ("1.25.0", "RP2350", True),
    ],
)
def test_light_sleep_beside_a_watchdog_where_the_board_survives_it(firmware, tmp_path, version, chip, sleeps):
    unkind = ALL - {"watchdog_hangs_sleep"} if sleeps else ALL
    like = replace(Likeness(unkind=unkind), version=version, chip=chip)
    bench = bench_on(firmware, tmp_path, like)
    assert bench.run(10) == "stop"
    assert len(bench.rows()) == 10
    assert (bench.hardware.asleep_us > 0) == sleeps


def test_a_sleep_of_a_day_is_none_that_an_rp2_refuses(firmware, tmp_path):
    bench = bench_on(firmware, tmp_path, Likeness(), interval_s=86400, watchdog_ms=0)
    bench.run(3 * 1440)
    assert intervals_s(bench) == {86400} and bench.events("error") == []
