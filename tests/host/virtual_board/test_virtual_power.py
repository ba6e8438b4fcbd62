"""The virtual board's power, resets and ends: what was in its flash stays, whatever is killed."""

import os
import signal
import subprocess
import sys

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.virtual_board import registry
from dibble_tools.virtual_board.board import VirtualBoard
from virtual_helpers import (
    files_of,
    mpremote,
    own_registry,
    raw_repl,
    read_until,
    wait_until,
)

SWAP = """
import os
n = 0
while True:
    with open('state.tmp', 'wb') as f: f.write(bytes([n & 255]) * 3000)
    os.rename('state.tmp', 'state')
    n += 1
"""


@pytest.fixture(autouse=True)
def registry_of_the_test(tmp_path):
    with own_registry(tmp_path):
        yield


@pytest.fixture
def board(tmp_path):
    with VirtualBoard.start(tmp_path / "node.flash", kind="reset_late") as started:
        yield started


def child(pid: int) -> int:
    """Return the only child of a process."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return int(file.read())


def one_state(content: bytes) -> bool:
    return len(content) == 3000 and content == content[:1] * 3000


@pytest.mark.parametrize("torn", [0.0, 0.5, 1.0])
def test_power_cut_at_a_write_leaves_the_old_or_the_new(board, tmp_path, torn):
    for after in (1, 4, 7):
        with raw_repl(board) as repl:
            repl.exec_raw_no_follow(SWAP)
            wait_until(lambda: board.state()["operations"] > 20)
            board.cut(after=after, torn=torn)
            wait_until(lambda: not board.state()["power"])
        assert one_state(files_of(tmp_path / "node.flash")["state"])
        board.power()
        assert mpremote(board, "exec", "print(len(set(open('state', 'rb').read())))") == "1\n"


def test_power_cut_hangs_up_and_the_port_comes_back(board):
    with raw_repl(board) as repl:
        board.cut()
        with pytest.raises(OSError, match="disconnected"):
            repl.serial.read(1)
    assert not os.path.exists(board.port)
    board.power()
    assert mpremote(board, "exec", "print(1)") == "1\n"


def test_board_without_power_can_be_stopped(board):
    board.cut()
    board.stop()
    assert board.process.returncode == 0
    assert registry.running() == []


def test_killed_supervisor_ends_the_vm_and_leaves_the_flash(board, tmp_path):
    with raw_repl(board) as repl:
        repl.exec_raw_no_follow(SWAP)
        wait_until(lambda: board.state()["operations"] > 20)
        vm = child(board.pid)
        os.kill(board.pid, signal.SIGKILL)
        board.process.wait()
    wait_until(lambda: not os.path.exists(f"/proc/{vm}"))
    assert registry.running() == []
    assert one_state(files_of(tmp_path / "node.flash")["state"])
    with VirtualBoard.start(tmp_path / "node.flash") as again:
        assert mpremote(again, "exec", "print(len(open('state', 'rb').read()))") == "3000\n"


def test_board_ends_with_the_process_that_started_it(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from dibble_tools.virtual_board.board import VirtualBoard\n"
        "print(VirtualBoard.start(Path(sys.argv[1])).pid, flush=True); time.sleep(100)"
    )
    command = [sys.executable, "-c", code, tmp_path / "node.flash"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        supervisor = int(starter.stdout.readline())
        starter.kill()
    wait_until(lambda: not os.path.exists(f"/proc/{supervisor}"))
    assert registry.running() == []


CAUSE = b"import machine\nprint('cause', machine.reset_cause())\n"


@pytest.mark.parametrize(
    ("code", "cause"),
    [("machine.reset()", b"2"), ("machine.WDT(timeout=300)\nwhile True: pass", b"3")],
)
def test_board_resets_itself(board, code, cause):
    with raw_repl(board) as repl:
        repl.fs_writefile("main.py", CAUSE)
        repl.exec_raw_no_follow("import machine\n" + code)
        assert b"cause " + cause + b"\r\n" in read_until(repl, b">>> ")


def test_port_vanishes_at_a_reset_and_comes_back(tmp_path):
    with VirtualBoard.start(tmp_path / "node.flash") as board:
        first = os.path.realpath(board.port)
        with raw_repl(board) as repl:
            repl.exec_raw_no_follow("import machine\nmachine.reset()")
            with pytest.raises(OSError, match="disconnected"):
                while True:
                    repl.serial.read(1)
            wait_until(lambda: os.path.exists(board.port))
            assert os.path.realpath(board.port) != first
        assert mpremote(board, "exec", "import machine; print(machine.reset_cause())") == "2\n"


def test_clock_that_nobody_set_says_so_after_each_power_on(tmp_path):
    year = "import time; print(time.gmtime()[0])"
    with VirtualBoard.start(tmp_path / "node.flash") as board:
        assert mpremote(board, "exec", year) == "2021\n"
        mpremote(board, "rtc", "--set")
        assert int(mpremote(board, "exec", year)) >= 2024
        board.cut()
        board.power()
        assert mpremote(board, "exec", year) == "2021\n"


def test_watchdog_bites_also_at_the_prompt(board):
    with raw_repl(board) as repl:
        repl.fs_writefile("main.py", CAUSE)
        repl.exec("import machine; machine.WDT(timeout=300)")
        assert b"cause 3\r\n" in read_until(repl, b">>> ")


def test_crashed_vm_is_a_reset(board):
    with raw_repl(board) as repl:
        repl.fs_writefile("main.py", CAUSE)
        os.kill(child(board.pid), signal.SIGKILL)
        assert b"cause 2\r\n" in read_until(repl, b">>> ")


def test_what_is_no_file_system_is_left_alone(tmp_path):
    (tmp_path / "node.flash").write_bytes(b"precious" * (8 * 4096))
    with VirtualBoard.start(tmp_path / "node.flash") as board, raw_repl(board) as repl:
        assert repl.exec("print(1)") == b"1\r\n"
        repl.serial.write(b"\x04")
        assert b"found something else" in read_until(repl, b"to exit\r\n>")
    assert (tmp_path / "node.flash").read_bytes() == b"precious" * (8 * 4096)


def test_one_board_at_a_time_has_a_name_and_an_image(board, tmp_path):
    with pytest.raises(InputError, match="a name that no running board has"):
        VirtualBoard.start(tmp_path / "other.flash")
    with pytest.raises(InputError, match="that no board runs from"):
        VirtualBoard.start(tmp_path / "node.flash", name="other")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "../x"}, "letters, digits"),
        ({"flash": "100"}, "got 100 bytes"),
        ({"flash": "256kb"}, "a size such as 256k"),
        ({"flash": "1g"}, "a size such as 256k"),
        ({"heap": "1k"}, "--heap: expected 20k"),
        ({"speed": 0}, "--speed: expected 0.1"),
        ({"runtime": "circuitpython"}, "CircuitPython runs on boards only"),
        ({"romfs": "6k"}, "got 6144 bytes"),
    ],
)
def test_wrong_wishes_are_told(tmp_path, wrong, message):
    with pytest.raises(InputError, match=message):
        VirtualBoard.start(tmp_path / "node.flash", **wrong)
    assert registry.running() == []


def test_image_of_another_size_is_told(tmp_path):
    (tmp_path / "node.flash").write_bytes(b"\xff" * 65536)
    with pytest.raises(InputError, match="expected a flash image of 131072 bytes, got 65536"):
        VirtualBoard.start(tmp_path / "node.flash", flash="128k")


def test_commands_from_start_to_stop(tmp_path):
    def dibble(*arguments: str, status: int = 0) -> str:
        run = subprocess.run(
            [sys.executable, "-P", "-c", "from dibble_tools.cli.main import main; main()", "board", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert run.returncode == status, run.stdout + run.stderr
        return run.stdout + run.stderr

    dibble("start", "--background", "--name", "one", "--sensors")
    try:
        assert (tmp_path / "one.flash").stat().st_size == 1408 * 1024
        assert (tmp_path / "one.config.json").exists()
        assert '"name": "one"' in dibble("list", "--json")
        dibble("cut")
        dibble("reset", status=2)
        dibble("power", "one")
        dibble("reset")
    finally:
        dibble("stop")
    assert "expected one virtual board, running: none" in dibble("stop", status=2)
