"""Which programs hold a serial port, in words for people."""

import os
import re
from pathlib import Path

PROC = Path("/proc")
BUSY = re.compile(r"exclusively lock|busy|resource temporarily unavailable|access is denied|permissionerror", re.I)
NAMES = {"thonny": "Thonny", "mpremote": "mpremote", "ampy": "ampy", "rshell": "rshell", "minicom": "minicom"}
NAMES |= {"screen": "screen", "picocom": "picocom", "arduino": "the Arduino IDE", "code": "an editor's serial monitor"}


OWN = ("studio", "collect", "monitor", "deploy", "fetch", "doctor")
SUPERVISOR = "dibble_tools.virtual_board"  # keeps a virtual board's port open itself


def is_busy(error: BaseException) -> bool:
    """Tell whether a port couldn't be opened because another program has it."""
    return bool(BUSY.search(str(error)))


def holders(port: str) -> list[str]:
    """Return who has a port open besides this process: "Thonny (process 4711)"; Linux only, of one's own programs."""
    try:
        wanted = os.stat(port).st_rdev
        pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()]
    except OSError:
        return []
    others = [pid for pid in sorted(pids) if pid != os.getpid() and _has(pid, wanted)]
    return [f"{_name(pid)} (process {pid})" for pid in others if SUPERVISOR not in _command(pid)]


def busy_text(port: str) -> str:
    """Return what to tell where a port is held by another program, with a way on."""
    found = holders(port)
    who = f"{' and '.join(found)} has it" if found else "another program has it: mpremote, Thonny, a serial monitor?"
    return f"{port} is in use: {who}. Close that program, or unplug the board and plug it in again"


def _has(pid: int, device: int) -> bool:
    try:
        for handle in (PROC / str(pid) / "fd").iterdir():
            try:
                if os.stat(handle).st_rdev == device and device:
                    return True
            except OSError:
                continue
    except OSError:
        return False
    return False


def _command(pid: int) -> str:
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ").strip()
    except OSError:
        return ""


def _name(pid: int) -> str:
    line = _command(pid)
    words = line.split()
    if "dibble_tools" in line or any(Path(word).name == "dibble" for word in words[:2]):
        return " ".join(["dibble", *(word for word in words if word in OWN)][:2])
    found = next((name for key, name in NAMES.items() if key in line.lower()), "")
    program = Path(words[0]).name if words else ""
    return found or "".join(c for c in program[:40] if c.isprintable()) or "a program"
