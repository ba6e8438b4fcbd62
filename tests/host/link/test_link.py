"""A board at the other end of a serial port: what runs there, what is read, and what happens when it says too much."""

import ast
import os
import time
import zlib

import pytest
from board_files import write_files
from dibble_tools.common.errors import InputError
from dibble_tools.deploy.transfer import WINDOW_BITS
from dibble_tools.link.ports import find_port, speed_at
from dibble_tools.link.session import _ESCAPED, PIECE_BYTES, LinkError, RemoteError, Session, _literal
from dibble_tools.virtual_board.board import VirtualBoard

PORT = """
import machine
_watchdog = None
def start_watchdog(ms):
    global _watchdog
    _watchdog = machine.WDT(timeout=ms)
"""
WAIT = """
import time
time.sleep(3)
"""
SLEEPER = """
import time
from dibble.ports import micropython
micropython.start_watchdog(60000)
print("node begins")
while True:
    time.sleep(3600)
"""


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    folder = tmp_path_factory.mktemp("link")
    with VirtualBoard.start(folder / "flash", name=f"link-{os.getpid()}", flash="256k", speed=600) as running:
        yield running


@pytest.fixture
def session(board):
    with Session.open(board.port) as opened:
        yield opened


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_a_file_is_read_as_it_was_written(session, size, packed):
    content = bytes(i * 7 + (i >> 8) & 255 for i in range(size))
    for at in range(0, max(size, 1), 2000):
        piece = content[at : at + 2000]
        sent = zlib.compress(piece, wbits=WINDOW_BITS) if packed else piece
        session.run("stage.stage_parts", [["some", len(piece)]], sent, packed)
    session.run("stage.stage_end")
    assert session.read_file("some") == content


def test_nothing_goes_on_where_writing_has_failed(session):
    session.run("stage.stage_parts", [["some", 3]], b"abc", False)
    with pytest.raises(RemoteError, match="expected 2 bytes more of some"):
        session.run("stage.stage_parts", [["some", 5]], b"def", False)
    write_files(session, {"some": b"anew"})
    assert session.read_file("some") == b"anew"


def test_a_file_that_is_longer_than_expected_is_refused(session):
    write_files(session, {"long": bytes(3000)})
    with pytest.raises(LinkError, match="at most 2999 bytes"):
        session.read_file("long", 2999)


def test_an_answer_that_is_longer_than_expected_is_refused(board):
    with Session.open(board.port) as session, pytest.raises(LinkError, match="at most 10 bytes"):
        write_files(session, {"long": bytes(100)})
        session.run("files.read", "long", 0, 100, most=10)


def test_what_fails_on_the_board_is_an_error_that_names_it(session):
    with pytest.raises(RemoteError, match=r"OSError: .*ENOENT"):
        session.read_file("nobody")
    write_files(session, {"x": b"and the session goes on"})
    assert session.read_file("x") == b"and the session goes on"


def test_text_arrives_whatever_is_in_it(session):
    path = "a'b\"c\\n) + ü"
    write_files(session, {path: b"1"})
    assert session.read_file(path) == b"1"


@pytest.mark.parametrize("value", [None, True, -3, "'\\\n\x03\x04é", ["a", [1, "b"]], {"k": [1, None]}])
def test_literals_are_what_they_were(value):
    text = _literal(value)
    assert ast.literal_eval(text) == value
    assert text.isascii() and text.isprintable()


def test_bytes_are_sent_as_they_are_where_they_arrive_so_and_else_as_base64(session, monkeypatch):
    every = bytes(range(256)) * 8 + b"\\\n'"
    write_files(session, {"a": every})
    raw = session.sent_bytes
    assert session._raw_bytes and session.read_file("a") == every
    assert len(_literal(every, True).encode("latin-1")) < 1.13 * len(every)
    session._raw_bytes = None
    monkeypatch.setitem(_ESCAPED, 200, "?")  # a line that takes a byte for another
    before = session.sent_bytes
    write_files(session, {"b": every})
    assert session._raw_bytes is False and session.read_file("b") == every
    assert session.sent_bytes - before > len(every) * 4 // 3 and raw > 0


def test_only_plain_values_become_literals():
    with pytest.raises(TypeError, match="got object"):
        _literal([object()])


def test_a_node_with_a_watchdog_is_reset_first_and_runs_again_afterwards(board):
    with Session.open(board.port) as session:
        session.run("stage.stage_folders", ["lib", "lib/dibble", "lib/dibble/ports"])
        write_files(session, {"lib/dibble/ports/micropython.py": PORT.encode()})
        write_files(session, {"main.py": (WAIT + SLEEPER).encode()})  # as nodes wait for people
        session.restart()
        said = b""
        deadline = time.monotonic() + 20
        while b"node begins" not in said and time.monotonic() < deadline:
            said += session.listen(1)
    assert b"node begins" in said
    before = board.state()["lives"]
    with Session.open(board.port) as session:
        assert session.run("state.watched") == "no"
        write_files(session, {"main.py": b""})
    assert board.state()["lives"] > before + 1  # a reset and a soft one, and a soft one to run again


def test_a_board_whose_watchdog_runs_at_once_is_not_taken_for_one_that_was_caught(tmp_path, monkeypatch):
    monkeypatch.setattr("dibble_tools.link.session.RESETS", 1)
    with VirtualBoard.start(tmp_path / "flash", name=f"hasty-{os.getpid()}", flash="256k") as hasty:
        with Session.open(hasty.port) as session:
            session.run("stage.stage_folders", ["lib", "lib/dibble", "lib/dibble/ports"])
            write_files(session, {"lib/dibble/ports/micropython.py": PORT.encode(), "boot.py": SLEEPER.encode()})
        with pytest.raises(LinkError, match="before its watchdog runs, and came too late"):
            Session.open(hasty.port)


def test_a_port_where_nothing_is_says_so():
    with pytest.raises(LinkError, match="/dev/nothing-here: expected a board's port"):
        Session.open("/dev/nothing-here", timeout_s=1)


def test_auto_finds_the_one_virtual_board_or_lists_all(board, tmp_path, monkeypatch):
    assert find_port(board.name) == board.port
    assert find_port("/dev/ttyACM7") == "/dev/ttyACM7"
    assert (speed_at(board.port), speed_at("/dev/ttyACM7")) == (600, 1)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(InputError, match="expected a board, got none"):
        find_port()
    with VirtualBoard.start(tmp_path / "a", name="a") as one:
        assert find_port() == one.port
        two = VirtualBoard.start(tmp_path / "b", name="b")
        with two, pytest.raises(InputError, match=r"got 2: .*board a.*board b"):
            find_port()


def test_a_session_that_ends_in_the_middle_of_something_leaves_the_node_running(board):
    with Session.open(board.port) as session:
        write_files(session, {"main.py": b"open('ran', 'w').close()"})
        write_files(session, {"large": bytes(4000)})
        session.run("stage.stage_rename", "large", "ran")
    with pytest.raises(LinkError, match="expected an answer"), Session.open(board.port) as session:
        session.run("stage.stage_sums", ["ran"] * 2000, timeout_s=0.01)
    with Session.open(board.port) as session:
        assert session.read_file("ran") == b""
        write_files(session, {"main.py": b""})
