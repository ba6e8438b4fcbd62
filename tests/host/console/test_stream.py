"""A node's console at a port: only listened to, opened again when it is back, understood in the middle."""

import os
from pathlib import Path

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.console.feed import Feed, Status, from_file, open_port
from dibble_tools.console.remembered import Remembered
from dibble_tools.node.console_lines import Header, Row
from live_bench import Line, Node, listen


@pytest.fixture
def line(tmp_path: Path):
    made = Line(tmp_path)
    yield made
    os.close(made.near)


def first(feed: Feed, kind: type, polls: int = 100):
    """Return the first line of a kind; None where nothing of it comes for so many polls."""
    for seen in feed:
        if isinstance(seen, kind):
            return seen
        polls -= seen is None
        if not polls:
            return None
    return None


def test_lines_come_as_they_are_said_and_nothing_is_said_back(line: Line) -> None:
    node, feed = Node(), listen(line)
    assert first(feed, Status) == Status(f"connected to {line.link}", True)
    said = node.say(412, None)
    line.say(said[:30])
    assert first(feed, Row, 1) is None
    line.say(said[30:])
    assert first(feed, Row).readings == {"soil_moisture_permille": 412, "wind_direction_deg": None}
    assert line.heard() == b""


def test_a_port_that_went_away_is_opened_again(line: Line) -> None:
    node, feed = Node(), listen(line)
    seen = iter(feed)
    assert next(seen).connected
    line.say(node.say(1, 1))
    assert next(piece.sequence for piece in seen if isinstance(piece, Row)) == 1
    line.unplug()
    gone = next(piece for piece in seen if isinstance(piece, Status))
    assert not gone.connected and "went away" in gone.text
    line.plug()
    assert next(piece for piece in seen if isinstance(piece, Status)).connected
    line.say(node.say(2, 2))
    assert next(piece.sequence for piece in seen if isinstance(piece, Row)) == 2


def test_a_port_that_is_not_there_or_in_use_is_said(line: Line) -> None:
    with pytest.raises(InputError, match="no-port: expected a port that can be opened"):
        open_port("/dev/no-port")
    held = open_port(str(line.link))
    with pytest.raises(InputError, match="is in use: another program has it"):
        open_port(str(line.link))
    held.close()


def test_a_captured_console_ends_with_its_file(tmp_path: Path) -> None:
    node = Node()
    (tmp_path / "console.txt").write_bytes((node.say(1, 2) + node.say(3, 4)).rstrip())
    rows = [seen for seen in Feed(from_file(tmp_path / "console.txt")) if isinstance(seen, Row)]
    assert [row.sequence for row in rows] == [1, 2]
    with pytest.raises(InputError, match="expected a captured console"):
        list(from_file(tmp_path / "nothing.txt"))


def test_a_node_that_was_heard_before_is_understood_in_the_middle(tmp_path: Path) -> None:
    file = tmp_path / "state" / "headers.json"
    node = Node()
    remembered = Remembered(file)
    assert first(Feed(iter([node.say(1, 2)]), remembered.headers, remembered.add), Row)
    list(Feed(iter([Node("bed-2").say(1, 2)]), (), remembered.add))
    later = Feed(iter([node.say(3, 4)]), Remembered(file).headers)
    assert first(later, Row).readings == {"soil_moisture_permille": 3, "wind_direction_deg": 4}
    stranger = Node("bed-3")
    stranger.say(1, 2)
    unknown = Feed(iter([stranger.say(3, 4)]), Remembered(file).headers)
    assert first(unknown, Row) is None and unknown.reader.rejected == {"no header yet": 1}


def test_what_is_remembered_is_bounded_and_survives_nonsense(tmp_path: Path) -> None:
    file = tmp_path / "headers.json"
    file.write_text('[["n", [["=cmd()", "x"]], 1], ["n", [["soil", "permille"]], 2]]')
    remembered = Remembered(file)
    assert [header.crc for header in remembered.headers] == [2]
    for crc in range(100):
        remembered.add(Header("n", (("soil", "permille"),), crc))
    assert len(remembered.headers) <= 32
    file.write_text("{")
    assert Remembered(file).headers == []
