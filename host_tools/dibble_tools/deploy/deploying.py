"""A deploy to a MicroPython board, from the first look to the node that works again."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from dibble.storage.signatures import KEY, SUFFIX

from dibble_tools.boards.wiring import mismatch
from dibble_tools.common.errors import InputError
from dibble_tools.deploy.board_state import BoardState, look
from dibble_tools.deploy.checks import Bounds, awaited, check_board, check_file, readable_mpy
from dibble_tools.deploy.doctor import look_at_network, look_at_sensors
from dibble_tools.deploy.first_run import FirstRun, wait_for_node
from dibble_tools.deploy.kernel import CODE_COMPILED, CODE_SOURCE, MODEL_FILES, kernel_for_board
from dibble_tools.deploy.network_files import network_files
from dibble_tools.deploy.partition import check_partition, look_at, romfs_image, write_partition
from dibble_tools.deploy.plan import LIST, PACKAGE, STAGED, Plan, check_room, make_plan, stale_files
from dibble_tools.deploy.request import (
    CONFIG,
    MOST_MODEL_BYTES,
    Request,
    accepted_counters,
    current_model,
    desired_files,
    listed_files,
    previous_model,
    rejected_slot,
)
from dibble_tools.deploy.signing import signing_files
from dibble_tools.deploy.transfer import TrialError, clean_up, commit, stage, try_out
from dibble_tools.link.session import LinkError, RemoteError, Session
from dibble_tools.model.host_model import MODEL_FILE
from dibble_tools.node.config import parsed, whole


@dataclass
class Outcome:
    """What a deploy found and did.

    Attributes:
        plan: what it wrote and removed, or would have.
        image: of the ROMFS partition that it wrote, or would have; empty: none.
        first_run: what the node said afterwards; None where nothing was written.
        notes: what there is to tell besides.
    """

    state: BoardState
    plan: Plan
    written: bool
    image: bytes = b""
    first_run: FirstRun | None = None
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    sent_bytes: int = 0


def deploy(
    port: str,
    request: Request,
    *,
    rollback: bool = False,
    dry_run: bool = False,
    step: Callable[[str], None] = lambda text: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Outcome:
    """Bring a board to what is asked for, all of it or nothing; let its node run again.

    Args:
        port: of the board.
        rollback: the model before the newest is asked for, and nothing else.
        dry_run: only look.
        step: called with what is done now.
        progress: called with the bytes that are written, and how many there are.
    Raises:
        InputError: it can't be done; the board runs what it ran before.
        TrialError: the board itself refuses the configuration or the model; it runs what it ran before.
    """
    started = time.monotonic()
    step("looking at the board")
    with _remote_errors(port):
        session = Session.open(port)
        try:
            outcome = _deploy_in(session, request, rollback, dry_run, step, progress)
        except LinkError as error:  # a watchdog that an earlier program left running bites, but once
            step("the board went away: once more")
            outcome = _deploy_in(_open_again(port, error), request, rollback, dry_run, step, progress)
    outcome.seconds = time.monotonic() - started
    return outcome


@contextlib.contextmanager
def _remote_errors(port: str) -> Iterator[None]:
    try:
        yield
    except RemoteError as error:
        raise InputError(f"{port}: the board says {error}: it runs what it ran before; deploy again") from None


def _open_again(port: str, before: LinkError) -> Session:
    """Return a session with a board that went away; raise what happened before where it stays so."""
    try:
        return Session.open(port, vanished=True)
    except LinkError:
        raise before from None


def _deploy_in(
    session: Session,
    request: Request,
    rollback: bool,
    dry_run: bool,
    step: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> Outcome:
    with session:
        return _deploy(session, request, rollback, dry_run, step, progress)


def _deploy(
    session: Session,
    request: Request,
    rollback: bool,
    dry_run: bool,
    step: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> Outcome:
    state = look(session)
    check_board(state)
    if request.model:
        check_file(request.model, state.files if request.only_model else None, state.mpy)
    for first in request.stages.values():
        check_file(first, state.files if request.only_model else None, state.mpy)
    notes = []
    if not session.watched:
        notes.append("this board has no timer to reset itself by: if this computer goes away meanwhile, press reset")
    if LIST in state.files:
        notes.append("an earlier deploy was cut short after its commit")
    if not dry_run:
        state = clean_up(session, state)
    if rollback:
        model, generation, newest = previous_model(session, state)
        notes.append(f"back from generation {newest} to {generation}, {model.content.name}, as a new one")
        request = replace(request, model=model, only_model=True)
    plan, image, more = _plan(session, state, request)
    notes += more
    check_room(plan, state)
    outcome = Outcome(state, plan, bool(plan or image) and not dry_run, image=image, notes=notes)
    if outcome.written:
        _write(session, state, outcome, step, progress)
    if outcome.written and not request.only_model:
        step("looking at the sensors")
        outcome.notes += look_at_sensors(session, whole(parsed(session.read_file(CONFIG))))
    step("starting the node")
    if not dry_run and not session.set_calendar():
        notes.append("the board's clock wouldn't be set: the node's times will be those since its power-on")
    session.restart()
    if outcome.written:
        outcome.first_run = wait_for_node(session)
    outcome.sent_bytes = session.sent_bytes
    return outcome


def _write(
    session: Session,
    state: BoardState,
    outcome: Outcome,
    step: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> None:
    plan = outcome.plan
    total = plan.size + len(outcome.image)
    done = 0

    def more(size: int) -> None:
        nonlocal done
        done += size
        progress(done, total)

    if plan:
        step("copying")
        stage(session, plan, state, more)
        step("trying it on the board")
        try:
            with_model = MODEL_FILE in {*plan.writes, *state.files} - {*plan.removals}
            try_out(session, plan, with_model, Bounds.of(state).watchdog_ms)
        except TrialError:
            clean_up(session, look(session))
            raise
        session.clear_heap()
        step("committing")
        outcome.notes += commit(session, plan, state)
    if outcome.image:  # last: what it holds is on the board already
        session.clear_heap()
        step("writing the ROMFS partition")
        write_partition(session, outcome.image, more)


def _plan(session: Session, state: BoardState, request: Request) -> tuple[Plan, bytes, list[str]]:
    """Return the plan, the image for the ROMFS partition (empty: none, or it's there), and notes for people."""
    desired, notes = desired_files(session, state, request), []
    old = rejected_slot(session, state) if request.model else []  # which nothing shall go back to
    if CONFIG in desired:
        folder = request.config.parent if request.config else None
        config = whole(parsed(desired[CONFIG]))
        files, more = network_files(folder, config, state.files, session.read_file)
        desired |= files
        notes += more + look_at_network(session, config)
        other = mismatch(config, machine=state.machine)
        notes += [other] if other else []
        if request.no_model or MODEL_FILE not in {*desired, *state.files}:
            notes += awaited(config)
    if request.romfs and not state.has_rom:
        raise InputError(f"--romfs: expected a board with a ROMFS partition, {state.machine} has none")
    model = request.model
    if not model and (request.romfs or request.kernel != "auto"):
        model = current_model(session, state)
    image, stale = b"", [*MODEL_FILES, MODEL_FILE + SUFFIX] if request.no_model else []
    if model:
        kernel = kernel_for_board(model, request.kernel, state, desired, request.romfs)
        notes.append(f"kernel: {kernel.name}")
        in_rom = {path: content for path, content in kernel.files.items() if path == CODE_COMPILED}
        in_place = False
        if state.has_rom:
            image, in_place, note = _image(session, request, {MODEL_FILE: model.blob} | in_rom)
            notes += [note] if note else []
        desired |= {path: content for path, content in kernel.files.items() if not (in_place and path in in_rom)}
        stale = [path for path in (CODE_SOURCE, CODE_COMPILED) if path not in desired]
    desired |= _signing_files(session, state, request, desired)
    if request.only_model:
        return make_plan(desired, state.files, stale, old), image, notes
    if not readable_mpy(state):
        notes.append("this MicroPython reads other .mpy files than mpy-cross writes: sources are copied")
    on_board = [path for path in state.files if not path.endswith(STAGED)]
    unknown = any(path.startswith(PACKAGE) and path not in desired for path in on_board)
    stale += stale_files(desired, on_board, listed_files(session, state) if unknown else [])
    kept = [path for path in on_board if path.startswith(PACKAGE) and path not in desired and path not in stale]
    if kept:
        notes.append(f"not of this firmware, and kept: {', '.join(kept)}")
    return make_plan(desired, state.files, stale, old, state.folders), image, notes


def _signing_files(
    session: Session, state: BoardState, request: Request, desired: dict[str, bytes]
) -> dict[str, bytes]:
    """Return the signatures of the desired files, where the board has a key or shall have one."""

    def read(path: str) -> bytes | None:
        return session.read_file(path, MOST_MODEL_BYTES) if path in state.files else None

    return signing_files(request, desired, KEY in state.files, read, accepted_counters(session, state))


def _image(session: Session, request: Request, files: dict[str, bytes]) -> tuple[bytes, bool, str]:
    """Return the image to write to the ROMFS partition, empty: none; whether the files will be there; and a note."""
    saved = sum(map(len, files.values()))
    image = romfs_image(MODEL_FILE, files)
    partition = look_at(session, image)
    if partition.holds or request.romfs:
        note = f"ROMFS: {', '.join(files)}: {len(image)} of {partition.size} bytes save {saved} bytes of heap"
        if partition.holds:
            return b"", True, note
        check_partition(partition, image, request.overwrite_romfs)
        return image, True, note
    if CODE_COMPILED in partition.names and CODE_COMPILED not in files:
        return b"", False, "the ROMFS partition holds code, which runs where it is this model's: --romfs replaces it"
    if len(image) <= partition.size:
        return b"", False, f"this board has a ROMFS partition: --romfs saves {saved} bytes of its heap"
    return b"", False, ""
