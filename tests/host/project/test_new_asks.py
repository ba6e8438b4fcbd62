"""`dibble new` at a terminal, a real pty: it asks, takes the answers, and says what is wrong with one."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

from patience import PATIENCE_S

DIBBLE = [sys.executable, "-c", "from dibble_tools.cli.main import main; main()"]


def asked(folder: Path, answers: list[tuple[bytes, bytes]]) -> tuple[int, str]:
    """Return the exit status and all that was said, each answer given once its question is there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*DIBBLE, "new", "bed-1"], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder)
    os.close(theirs)
    said, left, deadline = b"", list(answers), time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 0.2)[0]:
                continue
            try:
                piece = os.read(ours, 4096)
            except OSError:  # how Linux says that nobody is there any more
                break
            if not piece:
                break
            said += piece
            if left and left[0][0] in said:
                os.write(ours, left.pop(0)[1])
        return process.wait(PATIENCE_S), said.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_two_of_a_kind_on_one_bus_and_no_watchdog(tmp_path: Path) -> None:
    """Told apart in words and in the picture."""
    code, said = asked(
        tmp_path, [(b"sensors, with commas", b"bme680:0x76, bme680, soil_adc:27\n"), (b"hangs?", b"n\n")]
    )
    assert code == 0, said
    made = json.loads((tmp_path / "bed-1" / "config.json").read_text())
    assert [(s["driver"], s.get("address"), s.get("pin")) for s in made["sensors"][:3]] == [
        ("bme680", 0x76, None),
        ("bme680", None, None),
        ("soil_adc", None, 27),
    ]
    assert made["watchdog_ms"] == 0
    for name in ("README.md", "wiring.svg"):
        text = (tmp_path / "bed-1" / name).read_text()
        assert "0x76" in text and "0x77" in text


def test_an_answer_that_is_no_sensor_is_told_and_nothing_is_made(tmp_path: Path) -> None:
    code, said = asked(tmp_path, [(b"sensors, with commas", b"bme608\n")])
    assert code == 2 and "bme680" in said
    assert not (tmp_path / "bed-1").exists()
