"""A deploy to a CircuitPython board: its drive, as the computer mounts it.

FAT knows no rename that is safe with the power gone: each file is written beside its place, read back and renamed,
code.py last. A deploy that was cut short is repaired by the next.
"""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from dibble.storage.manifest import MANIFEST
from dibble.storage.signatures import KEY, KEY_BYTES, SUFFIX

from dibble_tools.boards.catalogue import all_boards, watchdog_most_ms
from dibble_tools.boards.wiring import mismatch
from dibble_tools.common.errors import InputError
from dibble_tools.deploy.board_state import OnBoard, digest_of
from dibble_tools.deploy.checks import Bounds, awaited, check_file, drivers_of
from dibble_tools.deploy.kernel import CODE_COMPILED, CODE_SOURCE, MODEL_FILES, kernel_for_drive
from dibble_tools.deploy.network_files import drive_files
from dibble_tools.deploy.plan import Plan, make_plan, stale_files
from dibble_tools.deploy.request import CONFIG, Request, check_pair, listed_in, own_driver_files, stage_files
from dibble_tools.deploy.signing import signing_files
from dibble_tools.model.host_model import MODEL_FILE
from dibble_tools.node.files import circuitpython_files, not_on_a_drive
from dibble_tools.node.manifest import manifest_of

BOOT_OUT = "boot_out.txt"
LEAST_VERSION = 9
LABEL = "CIRCUITPY"
PERSONAL = ("secrets.py", "settings.toml")
SPARE_BYTES = 4096
CLUSTER_BYTES = 1024  # CIRCUITPY has some of 512, larger drives of 1024
CODE = "code.py"
UNKNOWN_HEAP_BYTES = 110_000  # the least of the boards in boards/ that the node fits on
_ID = re.compile(r"^Board ID: *(\S+)", re.MULTILINE)
_VERSION = re.compile(r"Adafruit CircuitPython (\d+)\.(\d+)\.\S+ on \S+; (.+)")


def find_drive() -> Path | None:
    """Return the drive of the one CircuitPython board that is mounted, None where there is none.

    Raises:
        InputError: there are several.
    """
    found = sorted(path for path in _mounted() if (path / BOOT_OUT).is_file())
    if len(found) > 1:
        raise InputError(f"--drive: expected one {LABEL}, got {', '.join(map(str, found))}: name one")
    return found[0] if found else None


def deploy_to_drive(drive: Path, request: Request, *, dry_run: bool = False) -> tuple[str, Plan]:
    """Bring a CircuitPython board's drive to what is asked for.

    Returns:
        what the board is, and what runs the model that it gets; and what was written and removed, or would have been.
    Raises:
        InputError: it can't be done.
    """
    board = _board(drive)
    on_drive = {path: _on_drive(drive / path) for path in _files(drive)}
    if request.model:
        check_file(request.model, on_drive if request.only_model else None)
    for first in request.stages.values():
        check_file(first, on_drive if request.only_model else None)

    def read(path: str) -> bytes | None:
        return (drive / path).read_bytes() if path in on_drive else None

    config_bytes, config = check_pair(request, read(CONFIG), _bounds(drive), read)
    other = mismatch(config, build=_build(drive))
    board += f"; note: {other}" if other else ""
    desired: dict[str, bytes] = {}
    stale: list[str] = []
    if not request.only_model:
        own = own_driver_files(request, config)
        desired = circuitpython_files(drivers_of(config), own, not_on_a_drive(config))
        listed = listed_in((drive / MANIFEST).read_bytes()) if MANIFEST in on_drive else []
        stale = stale_files(desired, on_drive, listed)
        desired |= {MANIFEST: manifest_of(desired), CONFIG: config_bytes}
        files, notes = drive_files(request.config.parent if request.config else None, config, drive)
        desired |= files
        if request.no_model or not (request.model or MODEL_FILE in on_drive):
            notes += awaited(config)
        board += "".join(f"; note: {note}" for note in notes + _without_wifi(drive, config))
    if request.no_model:
        stale += [*MODEL_FILES, MODEL_FILE + SUFFIX]
    if request.model:
        kernel = kernel_for_drive(request.model, request.kernel, _heap_bytes(drive))
        board += f"; kernel: {kernel.name}"
        desired |= {MODEL_FILE: request.model.blob} | kernel.files
        stale += [path for path in (CODE_SOURCE, CODE_COMPILED) if path not in desired]
    desired |= stage_files(request, config)
    desired |= signing_files(request, desired, KEY in on_drive, read, {})
    plan = make_plan(desired, on_drive, stale)
    if not dry_run:
        _check_room(drive, plan)
        try:
            for path in sorted(plan.writes, key=lambda path: path == CODE):
                _write(drive / path, plan.writes[path])
            for path in plan.removals:
                (drive / path).unlink()
        except OSError as error:
            raise InputError(
                f"{drive}: expected to write it, got: {error.strerror}: does the node hold the drive? "
                "firmware/boot.py says how the computer may write it"
            ) from None
    return board, plan


def _board(drive: Path) -> str:
    try:
        first = (drive / BOOT_OUT).read_text(encoding="utf-8", errors="replace").splitlines()[0]
    except (OSError, IndexError):
        raise InputError(f"--drive {drive}: expected a CircuitPython board's drive with {BOOT_OUT}, got none") from None
    match = _VERSION.fullmatch(first.strip())
    if not match:
        raise InputError(f"{drive / BOOT_OUT}: expected the line of Adafruit CircuitPython, got {first[:100]!r}")
    if int(match[1]) < LEAST_VERSION:
        raise InputError(
            f"{drive}: expected CircuitPython {LEAST_VERSION} or newer, got {match[1]}.{match[2]}: "
            "install a newer one from circuitpython.org/downloads"
        )
    return f"{match[3]}: CircuitPython {match[1]}.{match[2]}"


def _bounds(drive: Path) -> Bounds:
    most_ms = watchdog_most_ms("circuitpython", build=_build(drive))
    return Bounds(shutil.disk_usage(drive).total, most_ms, "circuitpython")


def _build(drive: Path) -> str:
    """Return the name of a board's firmware, "" where it isn't told."""
    match = _ID.search((drive / BOOT_OUT).read_text(encoding="utf-8", errors="replace"))
    return match[1] if match else ""


def _without_wifi(drive: Path, config: dict[str, Any]) -> list[str]:
    """Return what there is to tell of a board that is known to have no Wi-Fi, and shall report by it."""
    build = _build(drive)
    for board in all_boards().values():
        known = board.runtimes.get("circuitpython")
        if config["mqtt"]["host"] and known and known.build == build and board.chip.radio != "wifi":
            return [f"config.mqtt.host is set, and a {board.title} has no Wi-Fi: the node logs, and sends nothing"]
    return []


def _heap_bytes(drive: Path) -> int:
    """Return the heap that is free on a board, as boards/ has it."""
    build = _build(drive)
    known = [board.runtimes["circuitpython"] for board in all_boards().values() if "circuitpython" in board.runtimes]
    return next((runtime.heap_bytes for runtime in known if runtime.build == build), UNKNOWN_HEAP_BYTES)


def _files(drive: Path) -> list[str]:
    top = [path for path in drive.iterdir() if path.is_file() and path.name not in PERSONAL]
    package = [path for path in (drive / "lib" / "dibble").rglob("*") if path.is_file()]
    return [path.relative_to(drive).as_posix() for path in (*top, *package)]


def _on_drive(path: Path) -> OnBoard:
    if path.name == KEY:
        return OnBoard(KEY_BYTES, None)
    content = path.read_bytes()
    return OnBoard(len(content), digest_of(content))


def _check_room(drive: Path, plan: Plan) -> None:
    """Refuse what doesn't fit: one file at a time lies there twice, each in whole clusters."""
    old = sum(_stored((drive / path).stat().st_size) for path in plan.writes if (drive / path).exists())
    sizes = [_stored(len(content)) for content in plan.writes.values()]
    needed = sum(sizes) - old + max(sizes, default=0) + SPARE_BYTES
    free = shutil.disk_usage(drive).free
    if sizes and needed > free:
        raise InputError(f"{drive}: expected {needed} free bytes, got {free}: remove files of yours")


def _stored(size: int) -> int:
    return -(-size // CLUSTER_BYTES) * CLUSTER_BYTES


def _write(path: Path, content: bytes) -> None:
    """Write a file beside its place, read it back, rename it."""
    temporary = path.with_name(path.name + ".new")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if temporary.read_bytes() != content:
        raise InputError(f"{path}: expected it to read back as it was written, got other bytes: a failing drive?")
    os.replace(temporary, path)


def _mounted() -> list[Path]:
    """Return where a drive of that label may be mounted."""
    if sys.platform == "win32":
        return [Path(f"{letter}:/") for letter in "DEFGHIJKLMNOPQRSTUVWXYZ"]
    user = os.environ.get("USER", "")
    roots = [Path("/Volumes"), Path("/media"), Path("/media", user), Path("/run/media", user)]
    return [root / LABEL for root in roots]
