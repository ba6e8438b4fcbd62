"""Brings a plan's files to a board, so that it runs the old or the new ones at any moment.

Staged beside those in use, read back, tried with the board's own interpreter; one rename commits them, and what moves
them to their places then goes on after any cut: firmware/dibble_update.py.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping

from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import FIRMWARE, ROOMS
from dibble_tools.deploy.board_state import BoardState, look
from dibble_tools.deploy.plan import BEFORE, LIST, MAIN, SPARE_BLOCKS, STAGED, TRIAL, UPDATE, Plan, is_there
from dibble_tools.link.session import LinkError, RemoteError, Session

HANDOVER = ROOMS / "deploy" / "guest" / "main.py"
BACKUPS = {MAIN: "main_before.py", "config.json": "config_before.json"}
FIRST = b'FIRST = "dibble update 2\\n"'  # in every dibble_update.py that follows such lists
APART = "dibble_apart"  # not in any plan
PIECE_BYTES = 8192  # of the files in one request
HEAP_SHARE = 24  # a request takes at most so many times its piece
WINDOW_BITS = 12  # of what is compressed: the board keeps as much of it
MOST_CODE_BYTES = 65536

Progress = Callable[[int], None]


class TrialError(Exception):
    """The board itself refuses the configuration or the model; it keeps what it has."""


def clean_up(session: Session, state: BoardState) -> BoardState:
    """Complete a deploy that was cut short after its commit, remove what one left before; return the board's state.

    Firmware that came by radio is on trial no longer: what it would go back to would be no whole any more.
    """
    committed = LIST in state.files and UPDATE in state.files
    left = [path for path in TRIAL if path in state.files]  # first: it makes use of the others
    left += [path for path in state.files if path.endswith((STAGED, BEFORE))]
    if committed:
        session.run("stage.stage_complete", timeout_s=60)
    elif left:
        session.run("stage.stage_clear", left, timeout_s=20)
    return look(session) if committed or left else state


def stage(session: Session, plan: Plan, state: BoardState, progress: Progress) -> None:
    """Write a plan's files beside those that are in use, and read them back; make the folders they'll move to.

    Args:
        progress: called with the bytes that were written.
    Raises:
        LinkError: they read back otherwise.
        InputError: there isn't room.
    """
    try:
        session.run("stage.stage_folders", plan.folders())
        _put(session, {plan.target(path): content for path, content in plan.writes.items()}, state, progress)
    except RemoteError as error:
        raise _refused(error) from None


def try_out(session: Session, plan: Plan, with_model: bool, watchdog_ms: int) -> None:
    """Make sensors, outputs and model once on the board, as its node would, with the library they'd run with.

    Args:
        watchdog_ms: the most that the board's watchdog takes; 0: not known.
    Raises:
        TrialError: the board refuses one of them.
    """
    try:
        said = session.run(
            "trial.trial", plan.staged, [*plan.removals, *plan.emptied], with_model, watchdog_ms, timeout_s=60
        )
    except RemoteError as error:
        raise TrialError(str(error)) from None
    if said != "well":
        raise TrialError(said)


def commit(session: Session, plan: Plan, state: BoardState) -> list[str]:
    """Make the staged files the board's; return what there is to tell.

    Raises:
        InputError, LinkError: nothing is changed; or, as the message says, all is committed.
    """
    try:
        notes = _prepare(session, plan, state)
        listing = staged_path(LIST)
        _put(session, {listing: plan.listing()}, state)
        if int(session.run("stage.stage_free")) < SPARE_BLOCKS:
            raise InputError(
                f"{state.machine}: expected {SPARE_BLOCKS} free blocks to move files, got fewer: make room"
            )
        session.run("stage.stage_rename", listing, LIST)
    except RemoteError as error:
        raise _refused(error) from None
    try:
        session.run("stage.stage_complete", timeout_s=60)
    except RemoteError as error:
        raise InputError(
            f"the board's file system: {error}: all is committed; its next start, or deploy, goes on"
        ) from None
    return notes


def staged_path(path: str) -> str:
    """Return where a file waits: dibble_update.py has the same."""
    return path + STAGED


def _prepare(session: Session, plan: Plan, state: BoardState) -> list[str]:
    """See to it that what is main.py now follows a list, even where it's somebody else's."""
    notes: list[str] = []
    own = (FIRMWARE / UPDATE).read_bytes()
    if UPDATE not in state.files or FIRST not in session.read_file(UPDATE, MOST_CODE_BYTES):
        _replace(session, UPDATE, own, state)
    handover = HANDOVER.read_bytes()
    if MAIN not in state.files or MAIN not in plan.writes or is_there(handover, state.files[MAIN]):
        return notes
    main = session.read_file(MAIN, MOST_CODE_BYTES)
    if b"dibble_update" in main:
        return notes
    strangers = b"from dibble " not in main
    for path, backup in BACKUPS.items():
        if path in state.files and (path == MAIN or strangers):
            _replace(session, backup, session.read_file(path, MOST_CODE_BYTES), state)
            if strangers:
                notes.append(f"{path} was another program's: it is kept as {backup}")
    _replace(session, MAIN, handover, state)
    return notes


def _replace(session: Session, path: str, content: bytes, state: BoardState) -> None:
    """Write one file so that it is there whole or as before."""
    temporary = staged_path(APART)
    _put(session, {temporary: content}, state)
    session.run("stage.stage_rename", temporary, path)


def _put(
    session: Session, files: Mapping[str, bytes], state: BoardState, progress: Progress = lambda size: None
) -> None:
    """Write files and read them back."""
    for parts, data in _requests(files, max(128, min(PIECE_BYTES, state.heap_bytes // HEAP_SHARE))):
        packed = _packed(data) if state.inflates else data
        session.run("stage.stage_parts", parts, min(data, packed, key=len), len(packed) < len(data), timeout_s=20)
        progress(len(data))
    session.run("stage.stage_end")
    _compare(session, files)


def _requests(files: Mapping[str, bytes], most: int) -> Iterator[tuple[list[tuple[str, int]], bytes]]:
    """Yield parts of files, (path, bytes) each, and what they hold together: `most` bytes, or the last."""
    parts: list[tuple[str, int]] = []
    data = b""
    for path, content in files.items():
        at = 0
        while at < len(content) or not content:
            size = min(len(content) - at, most - len(data))
            parts.append((path, size))
            data += content[at : at + size]
            at += size
            if len(data) == most:
                yield parts, data
                parts, data = [], b""
            if not content:
                break
    if parts:
        yield parts, data


def _packed(data: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=WINDOW_BITS)
    return packer.compress(data) + packer.flush()


def _compare(session: Session, files: Mapping[str, bytes]) -> None:
    lines = session.run("stage.stage_sums", list(files), timeout_s=30).splitlines()
    for (path, content), line in zip(files.items(), lines, strict=True):
        if line != hashlib.sha256(content).hexdigest():
            raise LinkError(f"expected {path} to read back as it was written, got {line!r}: a failing flash?")


def _refused(error: RemoteError) -> InputError:
    return InputError(f"the board's file system: {error}: it runs what it ran before; is it full?")
