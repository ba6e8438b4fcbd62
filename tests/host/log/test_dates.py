"""A node whose clock nobody has set: its records have times all the same, which agree with what people saw."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.deploy.deploying import deploy
from dibble_tools.deploy.request import Request
from dibble_tools.log.dates import Dates
from dibble_tools.log.fetch import fetch
from dibble_tools.log.join import join
from dibble_tools.node.record_log import DecisionRecord
from dibble_tools.virtual_board.board import VirtualBoard
from virtual_helpers import own_registry, wait_until

NOW_S = 1_795_000_000
LOG = "time,sequence,class,held,margin,flags,action,battery,soil_moisture_permille\n"


def rows(*seconds: int, first: int = 1) -> list[DecisionRecord]:
    """Return records of a node that counts from power-on."""
    return [
        DecisionRecord(first + i, None, second, None, None, 0, 0, None, 0, (412,), 0)
        for i, second in enumerate(seconds)
    ]


def times(dates: Dates, found: list[DecisionRecord]) -> list[int | None]:
    """Return seconds since 1970."""
    return [row.when and round(row.when.replace(tzinfo=UTC).timestamp()) for row in dates.dated(found)]


def test_last_run_is_dated_backwards_from_now(tmp_path: Path) -> None:
    dates = Dates(tmp_path / "dates.json")
    found = rows(10, 70, 5, 65, 125)
    assert dates.learn(found, [NOW_S - 180], NOW_S) == 3
    assert times(dates, found) == [None, None, NOW_S - 175, NOW_S - 115, NOW_S - 55]


def test_a_node_that_began_anew_before_it_was_caught_has_two_runs(tmp_path: Path) -> None:
    dates = Dates(tmp_path / "dates.json")
    found = rows(40, 1683, 1743, 3)
    assert dates.learn(found, [NOW_S - 1750, NOW_S - 5], NOW_S) == 4
    assert times(dates, found) == [NOW_S - 1710, NOW_S - 67, NOW_S - 7, NOW_S - 2]


def test_running_for_longer_than_a_day_or_a_wrap_of_the_ticks_is_no_date(tmp_path: Path) -> None:
    dates = Dates(tmp_path / "dates.json")
    month_s = 30 * 86400
    found = rows(86_399, 86_400, 13 * 86400, month_s)
    assert dates.learn(found, [NOW_S - month_s - 60], NOW_S) == 4
    assert times(dates, found)[-1] == NOW_S - 60


def test_a_run_without_records_yet_dates_none_of_the_run_before(tmp_path: Path) -> None:
    dates = Dates(tmp_path / "dates.json")
    assert dates.learn(rows(5, 65, 125), [NOW_S - 20], NOW_S) == 0


def test_dates_outlive_the_run_and_stay_where_they_are(tmp_path: Path) -> None:
    first, second = rows(5, 65), rows(5, 65, 125, 185)
    Dates(tmp_path / "dates.json").learn(first, [NOW_S - 100], NOW_S)
    dates = Dates(tmp_path / "dates.json")
    assert dates.learn(second, [NOW_S - 98], NOW_S + 120) == 4
    assert times(dates, second)[:2] == [NOW_S - 95, NOW_S - 35]
    later = [*second, *rows(7, first=5)]
    assert Dates(tmp_path / "dates.json").dated(later)[-1].when is None
    assert times(Dates(tmp_path / "dates.json"), later)[3] == NOW_S + 85


def test_observations_may_be_in_the_zone_of_who_wrote_them(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG + "2026-07-01 04:00:00,1,,,0,,0,,100\n2026-12-01 05:00:00,2,,,0,,0,,200\n")
    (tmp_path / "seen.csv").write_text("time,label\n2026-07-01 06:00,dry\n2026-12-01 06:00,wet\n")

    def labels(zone: str) -> list[str]:
        return [row[-1] for row in join(tmp_path / "log.csv", tmp_path / "seen.csv", 60, zone).rows]

    assert labels("Europe/Berlin") == ["dry", "wet"]
    assert labels("+02:00") == ["dry"] and labels("+01:00") == ["wet"]
    assert labels("") == []
    with pytest.raises(InputError, match="--time-zone: expected a name such as Europe/Berlin"):
        labels("Berlin")


def test_a_running_nodes_records_are_dated_by_a_fetch_and_its_clock_is_set(tmp_path: Path) -> None:
    with own_registry(tmp_path), VirtualBoard.start(tmp_path / "flash", flash="1m", speed=100, sensors=True) as board:
        assert board.config
        probe = next(sensor for sensor in board.config["sensors"] if sensor["driver"] == "soil_adc")
        config = {**board.config, "sensors": [probe], "actions": [], "interval_s": 60, "led": ""}
        (tmp_path / "config.json").write_text(json.dumps(config))
        deploy(board.port, Request(config=tmp_path / "config.json"))
        board.cut()
        board.power()  # which loses the clock that the deploy has set
        wait_until(lambda: board.state()["operations"] > 20)
        found = fetch(board.port, tmp_path / "home", (), lambda text: None)
        now = datetime.now(UTC).replace(tzinfo=None)
        last = found.records.rows[-1].when
        assert last is not None and now - timedelta(seconds=90) < last <= now + timedelta(seconds=5)
        assert any("are dated backwards from now" in note for note in found.notes), found.notes
        before = board.state()["operations"]
        wait_until(lambda: board.state()["operations"] > before + 10)
        again = fetch(board.port, tmp_path / "home", (), lambda text: None)
    assert again.records.rows[-1].when is not None  # by the clock that the fetch before has set
    assert again.records.rows[: len(found.records.rows)] == found.records.rows
