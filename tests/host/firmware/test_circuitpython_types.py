"""CircuitPython's own stubs against what the firmware calls: a wrong name or argument fails here, not in the field."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).parents[3] / "firmware"
FILES = ("code.py", "boot.py", "safemode.py", "lib/dibble/ports/circuitpython*.py")
# A word that the stubs know, and one that they don't.
MISTAKES = [
    ("boot.py", "readonly=False", "read_only=False"),
    ("boot.py", "digitalio.Pull.UP", "digitalio.PULL_UP"),
    ("boot.py", "runtime.autoreload", "autoreload"),
    ("safemode.py", "REASON.WATCHDOG", "REASON.WATCH_DOG"),
    ("safemode.py", "monotonic_time=", "monotonic="),
    ("safemode.py", "microcontroller.reset()", "microcontroller.restart()"),
    ("lib/dibble/ports/circuitpython.py", "light_sleep_until_alarms(", "light_sleep("),
    ("lib/dibble/ports/circuitpython.py", "WatchDogMode.RESET", '"reset"'),
    ("lib/dibble/ports/circuitpython_time.py", "supervisor.ticks_ms", "supervisor.ticks"),
    ("lib/dibble/ports/circuitpython.py", "microcontroller.cpu.uid", "microcontroller.uid"),
    ("lib/dibble/ports/circuitpython.py", "wifi.radio.enabled", "wifi.radio.active"),
    ("lib/dibble/ports/circuitpython.py", "if timer is None:", "if not timeout_ms:"),  # there may be no watchdog
    ("lib/dibble/ports/circuitpython_pins.py", "frequency=", "freq="),
    ("lib/dibble/ports/circuitpython_pins.py", ".reference_voltage", ".reference"),
    ("lib/dibble/ports/circuitpython_pins.py", "write_bit(bool(byte >> i & 1))", "write_bit()"),
    ("lib/dibble/ports/circuitpython_pins.py", "switch_to_output(value=", "switch_to_output(level="),
    ("lib/dibble/ports/circuitpython_pulses.py", "value_when_pressed=False, ", ""),
    ("lib/dibble/ports/circuitpython_pulses.py", "events.overflowed", "events.overflow"),
    ("lib/dibble/ports/circuitpython_sockets.py", "SocketPool(wifi.radio)", "SocketPool()"),
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("mypy")


def check(folder: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    """Run mypy on a copy of the firmware. It finds the stubs by itself, as packages named …-stubs."""
    files = [str(path) for name in FILES for path in sorted(folder.glob(name))]
    (cache / "empty.ini").write_text("[mypy]\n")  # not the host's settings
    command = [sys.executable, "-m", "mypy", "--config-file", str(cache / "empty.ini"), "--cache-dir", str(cache)]
    command += ["--check-untyped-defs", "--follow-imports", "silent", "--explicit-package-bases"]
    command += ["--disable-error-code", "var-annotated", *files]
    environment = {**os.environ, "MYPYPATH": str(folder / "lib")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def firmware(tmp_path):
    ignored = shutil.ignore_patterns("__pycache__", ".*", "microbit")
    return shutil.copytree(FIRMWARE, tmp_path / "firmware", ignore=ignored)


def test_firmware_keeps_to_circuitpythons_stubs(firmware, cache):
    result = check(firmware, cache)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "no issues found in 10 source files" in result.stdout


@pytest.mark.parametrize(("name", "right", "wrong"), MISTAKES, ids=[wrong or right for _, right, wrong in MISTAKES])
def test_mistake_is_found(firmware, cache, name, right, wrong):
    path = firmware / name
    source = path.read_text()
    assert right in source
    path.write_text(source.replace(right, wrong))
    result = check(firmware, cache)
    assert result.returncode == 1 and Path(name).name in result.stdout, result.stdout + result.stderr
