"""A computer that goes away in the middle of something leaves no board that needs a hand."""

import os
import signal
import subprocess
import sys
import time

import pytest
from board_files import write_files
from deploy_bench import DeployBench
from dibble_tools.link import session as link
from dibble_tools.link.session import Session
from dibble_tools.virtual_board.board import VirtualBoard

pytestmark = pytest.mark.long

NODE = b"import time\nopen('ran', 'a').write('x')\nwhile True:\n    time.sleep(1)\n"
HOLD = """
import sys
from dibble_tools.link import session
session.SILENCE_S = {silence}
with session.Session.open(sys.argv[1]) as board:
    board.run("stage.stage_parts", [["there", 1]], b"1", False)
    board.run("stage.stage_end")
    print("holds", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    folder = tmp_path_factory.mktemp("silence")
    with VirtualBoard.start(folder / "flash", name=f"silence-{os.getpid()}", flash="256k") as running:
        with Session.open(running.port) as session:
            write_files(session, {"main.py": NODE})
        yield running


def wait_for(what, seconds: float = 30) -> bool:
    """Wait until something is so; tell whether it is."""
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(what())


def test_a_board_whose_host_was_killed_resets_itself(board):
    """On real hardware by a timer of machine.Timer; the virtual board has the same."""
    lives = board.state()["lives"]
    command = [sys.executable, "-c", HOLD.format(silence=2), board.port]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as host:
        assert host.stdout and host.stdout.readline() == b"holds\n"
        lives = board.state()["lives"]
        os.kill(host.pid, signal.SIGKILL)
    assert wait_for(lambda: board.state()["lives"] > lives)


def test_a_host_that_asks_again_and_again_keeps_the_board(board, monkeypatch):
    monkeypatch.setattr(link, "SILENCE_S", 2)
    with Session.open(board.port) as session:
        lives = board.state()["lives"]
        until = time.monotonic() + 4
        while time.monotonic() < until:
            session.stay()
            time.sleep(0.05)
        assert board.state()["lives"] == lives
        assert session.read_file("main.py") == NODE


def test_a_session_that_has_ended_leaves_no_timer_behind(board, monkeypatch):
    monkeypatch.setattr(link, "SILENCE_S", 1)
    with Session.open(board.port):
        pass
    lives = board.state()["lives"]
    time.sleep(2.5)
    assert board.state()["lives"] == lives


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_deploy_that_is_ended_lets_the_node_run(tmp_path, number):
    bench = DeployBench(tmp_path, f"ended-{number}-{os.getpid()}")
    try:
        bench.restore()
        process = bench.start_deploy()
        assert wait_for(lambda: bench.board.state()["operations"] > 20 or process.poll() is not None, 60)
        process.send_signal(number)
        assert process.wait(timeout=60) == 128 + number, bench.said()
        assert bench.hears_a_decision()
    finally:
        bench.close()
