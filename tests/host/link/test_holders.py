"""A port that another program has is told with that program's name."""

import os
import subprocess
import sys

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.console.feed import open_port
from dibble_tools.link.holders import busy_text, holders, is_busy

HOLD = "import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def port():
    near, far = os.openpty()
    yield os.ttyname(far)
    os.close(near)
    os.close(far)


def test_who_has_a_port_open_is_named(port):
    assert holders(port) == []
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, port, "thonny"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        assert holders(port) == [f"Thonny (process {process.pid})"]
        said = busy_text(port)
        assert f"is in use: Thonny (process {process.pid}) has it. Close that program" in said
        process.stdin.close()


def test_a_port_that_is_locked_is_no_riddle(port):
    held = open_port(port)
    with pytest.raises(InputError, match="is in use: another program has it: mpremote, Thonny"):
        open_port(port)
    held.close()


def test_other_troubles_are_others():
    assert is_busy(OSError("[Errno 16] could not open port: Device or resource busy"))
    assert is_busy(PermissionError(13, "Access is denied."))
    assert not is_busy(FileNotFoundError(2, "No such file or directory"))
    assert holders("/dev/no-port") == []
