"""What a node decides is shown, spoken and written as it is; why, only where the host comes to the same."""

import csv
import io
import json
from pathlib import Path

import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.console.history import History
from dibble_tools.console.monitor import monitor
from dibble_tools.console.reasons import Reason, Reasons
from dibble_tools.console.row_table import RowTable
from dibble_tools.console.view import monitor_view, sparkline
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.rows import made_up_rows
from dibble_tools.node.console_lines import Header, Row
from live_bench import Line as Wire
from live_bench import Node, feed_of, listen
from rich.console import Console
from small_bench import additive as two_probes
from typer.testing import CliRunner


def shown(*pieces: bytes, width: int = 100) -> str:
    """Return the view after some pieces."""
    feed, history = feed_of(*pieces), History()
    out = io.StringIO()
    for line in feed:
        if isinstance(line, Row):
            assert feed.reader.header
            history.row(feed.reader.header, line)
    Console(file=out, width=width).print(monitor_view(history, feed.reader.rejected))
    return out.getvalue()


def test_the_view_tells_decision_flags_readings_and_battery() -> None:
    node = Node()
    said = [node.say(i, None, class_index=0, margin=i, flags=3) for i in range(8)]
    text = shown(*said)
    for part in ("bed-1", "irrigate  unsure  out of range", "margin  7  ▁▂▃▄▅▆▇█", "3.70 V", "decision 8"):
        assert part in text, text
    assert [line.split() for line in text.splitlines() if "Wind" in line] == [
        ["Wind", "direction", "missing", "········"]
    ]


def test_before_the_first_row_the_view_says_what_it_waits_for() -> None:
    node = Node()
    node.say(1, 1)
    assert "hasn't named its fields yet" in shown(node.say(2, 2))
    assert "no reading yet" in shown(b"MicroPython v1.28\r\n")


def test_sparklines_span_what_they_show() -> None:
    assert sparkline([0, 7, None, 3]) == "▁█·▄"
    assert sparkline([5, 5]) == "▄▄"
    assert sparkline([None]) == "·"
    assert sparkline([]) == ""
    assert sparkline([0, 99, 1, 2], width=2) == "▁█"


def test_json_is_an_object_a_line(tmp_path: Path) -> None:
    node = Node()
    console = node.event("boot", "[red]hello") + node.say(412, None, class_index=1, margin=9, flags=1) + b"noise\n"
    (tmp_path / "console").write_bytes(console)
    done = CliRunner().invoke(app, ["monitor", "--json", "--from", str(tmp_path / "console")])
    event, row = map(json.loads, done.stdout.splitlines())
    assert event == {"event": "boot", "time_s": 848793600, "text": "[red]hello"}
    assert row == {
        "node": "bed-1",
        "sequence": 1,
        "when": "2026-11-24 00:01:00",
        "time_s": 848793660,
        "class": "ok",
        "held": "ok",
        "margin": 9,
        "flags": ["unsure"],
        "action": 0,
        "faults": 0,
        "battery_mv": 3700,
        "readings": {"soil_moisture_permille": 412, "wind_direction_deg": None},
    }


def test_without_a_terminal_a_decision_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "console").write_bytes(Node().say(412, None, class_index=1, margin=9))
    done = CliRunner().invoke(app, ["monitor", "--from", str(tmp_path / "console")])
    expected = "1  2026-11-24 00:01:00 UTC  ok  margin 9  Soil moisture 41.2 %, Wind direction missing\n"
    assert done.stdout == expected


def test_rows_with_other_channels_go_to_another_file(tmp_path: Path) -> None:
    first, other = Node(), Node(channels=(("soil_moisture_permille", "permille"),), every=1)
    said = [first.say(1, 2, class_index=0), other.say(3), Node().say(4, 5), other.say(6)]
    with RowTable(tmp_path / "rows.csv") as table:
        monitor(feed_of(*said), Console(file=io.StringIO()), table=table)
    assert "rows-2.csv" in table.notes[0]
    rows = {path.name: list(csv.DictReader(path.open(newline=""))) for path in tmp_path.iterdir()}
    assert set(rows) == {"rows.csv", "rows-2.csv"}
    assert [row["soil_moisture_permille"] for row in rows["rows.csv"]] == ["1", "4"]
    assert [row["soil_moisture_permille"] for row in rows["rows-2.csv"]] == ["3", "6"]
    assert rows["rows.csv"][0]["class"] == "irrigate" and rows["rows.csv"][0]["battery"] == "3700"
    with RowTable(tmp_path / "rows.csv") as table:  # and again into the same two
        monitor(feed_of(Node().say(7, 8), other.say(9)), Console(file=io.StringIO()), table=table)
    assert {path.name for path in tmp_path.iterdir()} == {"rows.csv", "rows-2.csv"}


def test_files_for_other_channels_come_to_an_end(tmp_path: Path) -> None:
    said = [Node(channels=((f"c{i}", ""),)).say(i) for i in range(30)]
    with RowTable(tmp_path / "rows.csv") as table:
        monitor(feed_of(*said), Console(file=io.StringIO()), table=table)
    assert len(list(tmp_path.iterdir())) == 9
    assert table.left_out == {"other channels, too often": 21}


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="expected a file that `dibble monitor` wrote"):
        RowTable(tmp_path / "rows.csv")


@pytest.fixture
def additive() -> HostModel:
    return two_probes(2, 30)


def test_the_reason_is_what_the_node_itself_would_tell(additive: HostModel) -> None:
    readings, _ = made_up_rows(additive)
    reasons, told, expected = Reasons(additive), [], []
    channels = [(channel.name, channel.unit) for channel in additive.channels]
    node = Node(channels=channels, classes=additive.classes)
    board = HostModel(additive.blob).model
    said = []
    for row in readings[:60].tolist():
        decision = board.predict(row, None if not said else 60_000)
        told_class, margin = decision.class_index, decision.margin
        expected.append(board.explain() if told_class != 255 else None)
        said.append(node.say(*row, class_index=told_class, margin=margin, flags=decision.flags))
    feed = feed_of(*said)
    for line in feed:
        if isinstance(line, Row):
            reasons.follow(line, feed.reader.header)
            told.append(reasons.last)
    assert told == [e and Reason(additive.channels[e[0]].name, e[1]) for e in expected]
    assert sum(reason is not None for reason in told) > 10


def test_no_reason_is_told_of_another_models_decision(additive: HostModel) -> None:
    reasons = Reasons(additive)
    row = dict.fromkeys((channel.name for channel in additive.channels), 1)
    header = Header("n", tuple((channel.name, channel.unit) for channel in additive.channels), 0)
    reasons.follow(Row("n", 1, 1, additive.classes[0], None, 60_000, 0, 0, 0, None, row), header)
    assert reasons.last is None and "another model" in reasons.note
    reasons.follow(Row("n", 1, 1, None, None, 0, 0, 0, 0, None, {"other": 1}), header)
    assert reasons.last is None and "other channels" in reasons.note


def test_it_watches_a_port_until_it_has_seen_enough(tmp_path: Path) -> None:
    wire, node = Wire(tmp_path), Node()
    said = [node.say(1, 2), node.say(3, 4)]
    spoken: list[dict[str, object]] = []

    def speak(one: dict[str, object]) -> None:
        spoken.append(one)
        if len(spoken) <= len(said):
            wire.say(said[len(spoken) - 1])

    monitor(listen(wire), Console(file=io.StringIO()), say=speak, rows=2)
    assert [one.get("sequence") for one in spoken] == [None, 1, 2]
