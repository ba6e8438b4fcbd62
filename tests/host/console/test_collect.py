"""Readings labelled as they come: each row once, whole, in order; what can't be told apart is left out and counted."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import tty
from pathlib import Path

import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.console.appended_csv import AppendedCsv
from dibble_tools.console.clock import NodeClock
from dibble_tools.console.collect import End, collect
from dibble_tools.console.feed import Feed
from dibble_tools.console.labelled_rows import Collector
from dibble_tools.console.labels import parse_keys
from dibble_tools.data.prepare import DataOptions
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.train import train
from live_bench import START_S, Line, Node, feed_of, keys_at, listen, never
from rich.console import Console
from typer.testing import CliRunner

ENDLESS = End()
HEAD = "time,node,soil_moisture_permille,wind_direction_deg,label"
ROWS = [
    "2026-11-24 00:01:00,bed-1,412,90,dry",
    "2026-11-24 00:02:00,bed-1,,95,dry",
    "2026-11-24 00:03:00,bed-1,413,-1,dry",
]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "field.csv"


def three() -> list[bytes]:
    node = Node()
    return [node.say(412, 90), node.say(None, 95), node.say(413, -1)]


def take(out: Path, feed: Feed, label: str = "dry", end: End = ENDLESS, pressed=never, now_s=None) -> Collector:
    console = Console(file=io.StringIO(), width=200)
    with AppendedCsv(out) as table:
        collector = Collector(table, NodeClock(now_s), label)
        collect(feed, collector, {"d": "dry", "w": "wet", "s": "skip"}, end, pressed, console)
    return collector


def lines_of(out: Path) -> list[str]:
    return out.read_text().splitlines()


def test_rows_are_written_as_the_node_said_them(out: Path) -> None:
    collector = take(out, feed_of(*three()))
    assert lines_of(out) == [HEAD, *ROWS]
    assert (collector.written, collector.counts, collector.left_out) == (3, {"dry": 3}, {})


def test_a_second_run_adds_only_what_is_new(out: Path) -> None:
    take(out, feed_of(*three()[:2]))
    again = take(out, feed_of(*three()), "wet")
    assert lines_of(out) == [HEAD, *ROWS[:2], ROWS[2].replace("dry", "wet")]
    assert again.counts == {"dry": 2, "wet": 1}
    assert again.left_out == {"not after the node's last row in the file": 2}


def test_labels_recorded_in_one_go_are_told_until_they_come_anew(out: Path) -> None:
    """A class that is one session can't be told from that hour's air."""
    node = Node()
    said = [node.say(410 + i, 90) for i in range(6)]
    alone = take(out, feed_of(*said[:2]))
    assert alone.in_one_go == ""  # nothing to tell from
    both = take(out, feed_of(*said[:4]), "wet")
    assert both.recordings == {"dry": 1, "wet": 1} and both.in_one_go.startswith("recorded in one go: dry, wet:")
    anew = take(out, feed_of(*said[:5]))
    assert anew.recordings == {"dry": 2, "wet": 1} and anew.in_one_go.startswith("recorded in one go: wet:")
    assert take(out, feed_of(*said), "wet").in_one_go == ""


def test_a_clock_that_was_set_back_is_told_with_a_way_on(out: Path) -> None:
    take(out, feed_of(*three()))
    behind = take(out, feed_of(Node(start_s=START_S - 3600).say(1, 2)))
    assert behind.written == 0
    assert "the node's clock says 2026-11-23 23:01:00, the file ends at 2026-11-24 00:03:00" in behind.hint
    assert "another file (--out)" in behind.hint
    assert take(out, feed_of(Node(start_s=START_S + 3600).say(1, 2))).hint == ""


def test_keys_switch_the_label_and_q_ends(out: Path) -> None:
    node = Node()
    feed = feed_of(*[node.say(i, i) for i in range(6)])
    collector = take(out, feed, pressed=keys_at({0: "w", 1: "s", 2: "?d", 3: "q"}))
    assert [line.split(",")[2:] for line in lines_of(out)[1:]] == [
        ["0", "0", "dry"],
        ["1", "1", "wet"],
        ["3", "3", "dry"],
    ]
    assert collector.left_out == {"skipped": 1}


def test_it_ends_after_so_many_rows(out: Path) -> None:
    assert take(out, feed_of(b"".join(three())), end=End(rows=2)).written == 2
    assert len(lines_of(out)) == 3


@pytest.mark.parametrize("torn", [b"2026-11-24 00:02:00,bed-1,41", b"2026-11-24 00:02:00,bed-1,,95,d", b"\0\0\0\0\n\0"])
def test_a_torn_row_is_set_aside_and_taken_again(out: Path, torn: bytes) -> None:
    take(out, feed_of(three()[0]))
    before = out.read_bytes()
    out.write_bytes(before + torn)
    with AppendedCsv(out) as table:
        assert "line 3 was torn" in table.notes[0]
    assert out.read_bytes() == before
    assert (out.parent / "field.csv.torn").read_bytes() == torn + b"\n"
    take(out, feed_of(*three()))
    assert lines_of(out) == [HEAD, *ROWS]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("time,node,other,label\n", "expected the columns time, node, soil_moisture_permille, .*choose another file"),
        ("soil,label\n1,dry\n", "expected a file that `dibble collect` wrote"),
        (f"{HEAD}\n2026-11-24 00:01:00,bed-1,412\n", "line 2: expected 5 fields as in the header, got 3"),
        (f"{HEAD}\n24.11.2026 00:01,bed-1,412,1,dry\n", "did a spreadsheet rewrite them"),
        (HEAD.encode() + b"\n\xff\xfe\n", "expected a CSV file, got: .utf-8"),
    ],
)
def test_another_file_is_refused_and_stays_as_it_is(out: Path, content: str | bytes, said: str) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    out.write_bytes(data)
    with pytest.raises(InputError, match=said):
        take(out, feed_of(*three()))
    assert out.read_bytes() == data


def test_a_file_is_written_by_one_program_at_a_time(out: Path) -> None:
    with AppendedCsv(out), pytest.raises(InputError, match="another dibble writes"):
        AppendedCsv(out)


def test_nothing_heard_leaves_no_file(out: Path) -> None:
    take(out, feed_of(b"MicroPython v1.28\r\n"))
    assert not out.exists()


def test_other_channels_in_the_middle_are_left_out(out: Path) -> None:
    other = Node(channels=(("soil_moisture_permille", "permille"),))
    collector = take(out, feed_of(three()[0], other.say(7), *three()[:2]))
    assert lines_of(out) == [HEAD, *ROWS[:2]]
    assert collector.left_out["other channels than the file's"] == 1


def test_nodes_share_a_file_each_in_its_own_order(out: Path) -> None:
    collector = take(out, feed_of(*three(), Node("bed-2").say(1, 2)))
    assert lines_of(out)[4] == "2026-11-24 00:01:00,bed-2,1,2,dry"
    assert "--group node" in collector.training()


def test_a_clock_that_is_not_set_is_the_computers_and_the_intervals_are_the_nodes(out: Path) -> None:
    now_s = iter([946_684_800 + START_S + 60, 946_684_800 + START_S + 5000])
    first, second = Node(start_s=0), Node(start_s=0)
    said = [first.say(1, 1), first.say(2, 2), second.say(3, 3)]
    take(out, feed_of(*said), now_s=lambda: next(now_s))
    times = [line.split(",")[0] for line in lines_of(out)[1:]]
    assert times == ["2026-11-24 00:01:00", "2026-11-24 00:02:00", "2026-11-24 01:23:20"]
    captured = take(out.with_name("captured.csv"), feed_of(*said))
    assert captured.left_out == {"the node's clock isn't set": 3}


def test_a_clock_that_was_never_set_counts_for_longer_than_a_day_and_from_the_year_2021(out: Path) -> None:
    clock = NodeClock(lambda: 946_684_800 + START_S)
    assert clock.stamp(86_400 - 60) == "2026-11-24 00:00:00"
    assert clock.stamp(86_400 + 60) == "2026-11-24 00:02:00"
    assert clock.stamp(40 * 86_400) == "2027-01-02 00:01:00"
    assert clock.stamp(7671 * 86_400) == "2047-11-24 00:01:00"  # 2021-01-01: a clock before 2024 counts, too
    assert NodeClock(None).stamp(7671 * 86_400) == ""


def test_keys_are_checked() -> None:
    assert parse_keys("dry=d, wet=w,skip=s", "dry") == {"d": "dry", "w": "wet", "s": "skip"}
    assert parse_keys("", "dry") == {"d": "dry", "s": "skip"}
    for text, said in (("dry=d,wet=d", "once"), ("dry", "expected"), ("=cmd=c", "letters"), ("wet=q", "ends it")):
        with pytest.raises(InputError, match=said):
            parse_keys(text, "dry")


def test_what_it_writes_trains_as_it_says_and_fits_the_node(tmp_path: Path) -> None:
    dry, wet = Node(start_s=START_S), Node(start_s=START_S + 3600)
    for label, said in (
        ("dry", [dry.say(200 + i % 7, 90 + i % 5) for i in range(59)]),
        ("wet", [wet.say(600 + i % 7, 90 + i % 5) for i in range(59)]),
    ):
        (tmp_path / "console").write_bytes(b"".join(said))
        done = CliRunner().invoke(
            app, ["collect", "--label", label, "--out", str(tmp_path / "f.csv"), "--from", str(tmp_path / "console")]
        )
        assert done.exit_code == 0, done.output
    file = str(tmp_path / "f.csv")
    assert f"next: dibble train {file}\n" in done.output
    data = DataOptions(label="label", time="time", ignore=["node"])
    made = train(tmp_path / "f.csv", TrainOptions(data, recipe="voting:3x4@6", budget_s=1)).model
    channels = {(c.name, c.unit, c.mantissa, c.exponent) for c in made.channels}
    assert ("soil_moisture_permille", "permille", 1, 0) in channels
    assert channels <= {("soil_moisture_permille", "permille", 1, 0), ("wind_direction_deg", "deg", 1, 0)}
    assert made.predict([[200, 90]] if len(channels) == 2 else [[200]]) == ["dry"]


def test_on_a_terminal_a_key_switches_the_label_and_ctrl_c_ends_well(tmp_path: Path) -> None:
    line, node, out = Line(tmp_path), Node(), tmp_path / "field.csv"
    near, far = os.openpty()
    command = [sys.executable, "-c", "from dibble_tools.cli.main import main; main()", "collect", "--label", "dry"]
    command += ["--keys", "dry=d,wet=w", "--port", str(line.link), "--out", str(out)]
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "TERM": "xterm"}
    with subprocess.Popen(command, stdin=far, stdout=far, stderr=far, env=env, start_new_session=True) as process:
        os.close(far)
        screen = read_until(near, b"no reading yet")
        line.say(node.say(412, 90))
        screen = read_until(near, b"this run 1")
        assert "▄".encode() in screen and b"41.2 %" in screen and b"tells how often" in screen
        os.write(near, b"w")
        read_until(near, b" wet ")
        line.say(node.say(700, 91))
        read_until(near, b"this run 2")
        process.send_signal(signal.SIGINT)
        last = read_until(near, b"next: dibble train")
        assert b"dry 1, wet 1" in last
        assert process.wait(20) == 0
    os.close(near)
    assert [row.split(",")[2:] for row in lines_of(out)[1:]] == [["412", "90", "dry"], ["700", "91", "wet"]]


def read_until(terminal: int, text: bytes) -> bytes:
    """Return what a terminal shows up to a text; the test's own time limit is the last resort."""
    seen = b""
    with contextlib.suppress(OSError):  # the other side has closed it
        while text not in seen:
            seen += os.read(terminal, 4096)
    assert text in seen, seen[-2000:]
    return seen


def test_a_port_feeds_the_table(tmp_path: Path, out: Path) -> None:
    line, node = Line(tmp_path), Node()
    tty.setraw(line.near)
    line_feed = listen(line)
    said = iter([node.say(412, 90), node.say(413, 91)])

    def pressed() -> str:
        with contextlib.suppress(StopIteration):
            line.say(next(said))
        return ""

    assert take(out, line_feed, end=End(rows=2), pressed=pressed).written == 2
    os.close(line.near)
