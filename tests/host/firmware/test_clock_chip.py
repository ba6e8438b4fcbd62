"""A clock chip on the bus dates a node's records, whatever else the board doesn't know; a bad one ends nothing."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from dibble.clock_keeper import ClockKeeper
from dibble_tools.simulator.devices.clock_chips import ClockChip, Ds3231Chip, Pcf8563Chip
from dibble_tools.simulator.node.bus import SimBus, VirtualClock
from dibble_tools.simulator.node.firmware import firmware_folder
from dibble_tools.simulator.unkindness import Likeness
from node_helpers import Bench, soil_model

CHIPS = {"ds3231": (0x68, Ds3231Chip), "pcf8563": (0x51, Pcf8563Chip)}
NOON = datetime(2026, 7, 1, 12, 0, 0)
EPOCH = datetime(2000, 1, 1)
SET_IT = b"import machine\nmachine.RTC().datetime((2026, 7, 1, 2, 6, 0, 0, 0))\n"


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return firmware_folder(tmp_path_factory.mktemp("firmware") / "node")


def bench_with(firmware: Path, folder: Path, name: str, ppm: float = 0.0, **config: object) -> tuple[Bench, ClockChip]:
    bench = Bench(firmware, folder, soil_model(400), Likeness(), watchdog_ms=0, clock={"chip": name}, **config)
    address, kind = CHIPS[name]
    chip = kind(lambda: bench.hardware.now_us, ppm)
    bench.hardware.i2c = {**bench.hardware.i2c, address: chip}
    return bench, chip


def date_of(time_s: int) -> datetime:
    return EPOCH + timedelta(seconds=time_s)


@pytest.mark.parametrize("name", CHIPS)
def test_a_valid_chip_dates_the_records_of_a_board_whose_clock_nobody_set(firmware, tmp_path, name):
    bench, chip = bench_with(firmware, tmp_path, name)
    chip.set(NOON)
    bench.run(10)
    dates = [date_of(row.time_s) for row in bench.rows()]
    assert len(dates) == 10 and NOON <= dates[0] <= NOON + timedelta(seconds=10)
    assert abs(chip.shows() - dates[-1]) <= timedelta(seconds=62)
    assert bench.events("clock") == [f"set by the {name}"]


@pytest.mark.parametrize("name", CHIPS)
def test_a_chip_whose_battery_was_empty_is_an_event_and_is_set_when_the_board_knows(firmware, tmp_path, name):
    bench, chip = bench_with(firmware, tmp_path, name)
    bench.run(5)
    assert len(bench.rows()) == 5 and bench.rows()[0].time_s < 60
    (told,) = bench.events("clock")
    assert told.startswith(f"{name}: expected a clock that kept going, got one that stood still")
    bench.send("boot.py", SET_IT)
    bench.run(5)
    assert bench.events("clock")[1:] == [f"the {name} is set"]
    assert abs(chip.shows() - date_of(bench.rows()[-1].time_s)) <= timedelta(seconds=62)
    bench.send("boot.py", b"")
    bench.run(5)
    assert bench.events("clock")[2:] == [f"set by the {name}"]
    assert bench.rows()[-1].time_s > bench.rows()[-6].time_s > (NOON - EPOCH).total_seconds() - 7 * 3600


def test_an_absent_chip_is_one_event_and_ends_neither_boot_nor_cycle(firmware, tmp_path):
    bench, chip = bench_with(firmware, tmp_path, "ds3231")
    chip.absent = True
    bench.run(8)
    assert len(bench.rows()) == 8 and bench.events("error") == []
    (told,) = bench.events("clock")
    assert told.startswith("ds3231: expected an answer at I2C 0x68")
    chip.set(NOON)
    chip.absent = False
    bench.run(3)
    assert date_of(bench.rows()[-1].time_s) > NOON


def test_a_chip_that_comes_back_sets_the_clock_of_a_running_node(firmware, tmp_path):
    bench, chip = bench_with(firmware, tmp_path, "pcf8563")
    chip.set(NOON)
    chip.absent = True
    began = bench.now_s()

    def meanwhile() -> None:
        chip.absent = bench.now_s() < began + 300

    bench.run(8, meanwhile=meanwhile)
    times = [row.time_s for row in bench.rows()]
    assert times[0] < 60 and date_of(times[-1]) > NOON
    assert bench.events("clock")[1:] == ["set by the pcf8563"]


def test_the_board_follows_the_chip_once_a_day(firmware, tmp_path):
    bench, chip = bench_with(firmware, tmp_path, "ds3231", ppm=200.0, interval_s=3600)  # 17 s a day from the board
    chip.set(NOON)
    bench.run(5 * 1440)
    last = date_of(bench.rows()[-1].time_s)
    behind = chip.shows() - last
    assert timedelta(0) <= behind <= timedelta(seconds=3600 + 20)
    assert bench.events("clock") == ["set by the ds3231"] * 6
    assert len(bench.rows()) in (119, 120)


class ClockPort(VirtualClock):
    """A port's calendar, which stands still."""

    def __init__(self) -> None:
        super().__init__()
        self.shows = (0, 5)

    def date(self) -> tuple[int, int]:
        return self.shows

    def date_is_set(self) -> bool:
        return self.shows[0] >= 8766

    def set_date(self, day: int, second: int) -> None:
        self.shows = day, second


class Told:
    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def tell(self, kind: str, text: str) -> None:
        self.events.append((kind, text))


@pytest.mark.parametrize("name", CHIPS)
def test_what_the_network_said_goes_to_the_chip(name):
    port, node = ClockPort(), Told()
    address, kind = CHIPS[name]
    chip = kind(port.now_us)
    chip.set(NOON)
    keeper = ClockKeeper(name, SimBus({address: chip}), port)
    assert port.date() == ((NOON - EPOCH).days, 43200)
    keeper.keep(node)
    for seconds, changes in ((2, False), (3, True), (-86400 * 40, True), (0, False)):
        day, second = port.date()
        port.set_date(day + seconds // 86400, second + seconds % 86400)
        before = chip.shows()
        keeper.set_by_others()
        keeper.keep(node)
        assert (chip.shows() != before) == changes
        assert abs(chip.shows() - EPOCH - timedelta(days=port.date()[0], seconds=port.date()[1])).total_seconds() <= 2
        if not changes:
            port.set_date((chip.shows() - EPOCH).days, (chip.shows() - EPOCH).seconds)
    assert node.events == [("clock", f"set by the {name}")] + [("clock", f"the {name} is set")] * 2


def test_a_chip_that_the_schema_refuses(firmware, tmp_path):
    bench, _ = bench_with(firmware, tmp_path, "ds3231")
    bench.send("config.json", json.dumps({**bench.config, "clock": {"chip": "ds1307"}}).encode())
    bench.run(2)
    assert "config.clock.chip: expected one of ds3231, pcf8563, got 'ds1307'" in bench.vm.text()
