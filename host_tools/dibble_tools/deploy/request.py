"""Which files a board shall have: the firmware for its configuration, compiled as it reads it; configuration; model."""

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dibble import ConfigError, ModelError
from dibble.storage.boot import BootState
from dibble.storage.manifest import MANIFEST
from dibble.storage.signatures import KEY as KEY_FILE
from dibble.storage.slots import Slots
from dibble.storage.words import number_bytes

from dibble_tools.common.errors import InputError
from dibble_tools.deploy.board_state import BoardState
from dibble_tools.deploy.checks import Bounds, check_together, drivers_of, readable_mpy
from dibble_tools.deploy.plan import BOOT_STATE, MAIN, PACKAGE, folders_kept
from dibble_tools.link.session import Session
from dibble_tools.model.host_model import MODEL_FILE, HostModel
from dibble_tools.node.config import parsed, whole
from dibble_tools.node.files import node_files, not_needed
from dibble_tools.node.manifest import manifest_of
from dibble_tools.node.own_drivers import own_drivers
from dibble_tools.node.signatures import accepted_of

CONFIG = "config.json"
STAGES = {"gate.dib": "gate", "voice.dib": "listen"}  # that decide before model.dib; whose `skip` asks for each
SLOTS = ("model.a", "model.b")
ACCEPTED = ("signed.a", "signed.b")
MOST_CONFIG_BYTES = 32768
MOST_MODEL_BYTES = 1 << 20
MOST_MANIFEST_BYTES = 65536
_LISTED = re.compile(r"[0-9a-f]{8} [0-9]+ (.+)")


@dataclass(frozen=True)
class Request:
    """What the user asks for.

    Attributes:
        model: None: the one that the board has, if any.
        config: path of a config.json; None: the board's.
        only_model: nothing but the model.
        no_model: what the board has of one goes; the node logs only.
        kernel: what shall run it, of KERNELS.
        romfs: the model goes to the board's ROMFS partition, too.
        overwrite_romfs: whatever that holds.
        key: file of the key that the board shall have from now on; None: it keeps its own, if any.
        stages: name on the board -> model that decides before `model`, of STAGES: it goes there where the configuration
            asks for it.
    """

    model: HostModel | None = None
    config: Path | None = None
    only_model: bool = False
    kernel: str = "auto"
    romfs: bool = False
    overwrite_romfs: bool = False
    no_model: bool = False
    key: Path | None = None
    stages: Mapping[str, HostModel] = field(default_factory=dict)


def stages_beside(model: Path) -> dict[str, HostModel]:
    """Return the first stages that lie beside a model: name on the board -> model.

    Args:
        model: a model file, or the folder it lies in.
    """
    folder = model if model.is_dir() else model.parent
    return {name: HostModel.open(folder / name) for name in STAGES if (folder / name).is_file()}


def stage_files(request: Request, config: Mapping[str, Any]) -> dict[str, bytes]:
    """Return path -> content of the first stages that go to a board with this configuration."""
    return {name: stage.blob for name, stage in request.stages.items() if _asks_for(config, name)}


def _asks_for(config: Mapping[str, Any], stage: str) -> bool:
    """Tell whether a whole configuration, or one that can't be read, has a use for a first stage."""
    return not config or bool(config[STAGES[stage]]["skip"])


def desired_files(session: Session, state: BoardState, request: Request) -> dict[str, bytes]:
    """Return path -> content of all that the board shall have and a deploy cares for.

    Raises:
        InputError: there is no configuration, or it and the model don't go together.
    """
    dibbles = MAIN in state.files and any(path.startswith(PACKAGE) for path in state.files)
    kept = session.read_file(CONFIG, MOST_CONFIG_BYTES) if dibbles and CONFIG in state.files else None

    def read(path: str) -> bytes | None:
        return session.read_file(path, MOST_MODEL_BYTES) if path in state.files else None

    config_bytes, config = check_pair(request, kept, Bounds.of(state), read)
    files: dict[str, bytes] = {}
    if not request.only_model:
        own = own_driver_files(request, config)
        mpy = state.mpy if readable_mpy(state) else None
        has_key = request.key is not None or KEY_FILE in state.files
        files = node_files(
            drivers_of(config),
            mpy,
            own=own,
            without=not_needed(config, has_key),
            folders=folders_kept(state.files, listed_files(session, state)) if _strangers(state) else (),
            between=session.stay,
        )
        files[MANIFEST] = manifest_of(files)
        files[CONFIG] = config_bytes
    if request.model:
        files[MODEL_FILE] = request.model.blob
    return files | stage_files(request, config)


def _strangers(state: BoardState) -> bool:
    """Tell whether a board has files in folders of dibble's package, where no deploy of now puts any."""
    return any(path.startswith(PACKAGE) and "/" in path.removeprefix(PACKAGE) for path in state.files)


def check_pair(
    request: Request, kept: bytes | None, bounds: Bounds, read: Callable[[str], bytes | None]
) -> tuple[bytes, dict[str, Any]]:
    """Return the configuration that the board shall have, as it is and whole, with which board and models have to go.

    Args:
        kept: that of a board which has dibble and one.
        bounds: of the board.
        read: returns a file of the board, None where there is none.
    Raises:
        InputError: there is none, the node would refuse it, or the model wants what its sensors don't give.
    """
    if request.config:
        where, content = str(request.config), _bytes_of(request.config)
    elif kept is None:
        raise InputError(
            "--config: expected the configuration of the node's sensors, which this board hasn't got yet: "
            "begin with firmware/config.json, or with `dibble new`"
        )
    else:
        where, content = f"the board's {CONFIG}", kept
    try:
        config = whole(parsed(content, request.config.parent if request.config else None))
    except ConfigError as error:
        if request.only_model:  # the firmware that runs under it stays: its trial decides
            return content, {}
        raise InputError(f"{where}: {error}{'' if request.config else ': give another with --config'}") from None
    model = request.model
    if not model and (request.config or request.stages) and not request.no_model:
        model = _opened(read(MODEL_FILE))
    stages = {name: request.stages.get(name) or _opened(read(name)) for name in STAGES if _asks_for(config, name)}
    check_together(config, bounds, model, stages)
    return content, config


def own_driver_files(request: Request, config: dict[str, Any]) -> list[Path]:
    """Return the files of drivers of one's own, which lie beside the configuration."""
    return list(own_drivers(config, request.config.parent).values()) if request.config else []


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: expected a node's config.json, got: {error.strerror}") from None


def _opened(blob: bytes | None) -> HostModel | None:
    """Return a model that is on the board; None where it is none, which its node tells."""
    try:
        return HostModel.tested(blob) if blob else None
    except ModelError:
        return None


def previous_model(session: Session, state: BoardState) -> tuple[HostModel, int, int]:
    """Return the model before the one that runs, its generation, and that one's, as the board's slots have them.

    Raises:
        InputError: there is none; the one that the node rejected is none.
    """
    with _slots(session, state) as (slots, rejected):
        running = slots.newest(rejected)
        generation = slots.generation
        newest, other = slots.generations()
        before = slots.newest(generation) if generation == newest else None
        if running is None or before is None or slots.generation == rejected or before == running:
            found = "the board has none"
            if rejected and rejected in (newest, other):
                found = f"generation {rejected} is one that the node rejected, as it never ran well under it"
            raise InputError(
                f"--rollback: expected a model before the one that runs, and {found}: deploy one by --model"
            )
        try:
            return HostModel.tested(before), slots.generation, generation
        except ModelError as error:
            raise InputError(f"--rollback: the model before the one that runs: {error}") from None


def rejected_slot(session: Session, state: BoardState) -> list[str]:
    """Return the file of a model that the node rejected for the one before; none where it rejected none."""
    with _slots(session, state, BOOT_STATE) as (slots, rejected):
        if not rejected:
            return []
    with _slots(session, state) as (slots, rejected):
        newest, other = slots.generations()
        if rejected != newest or not other:
            return []
        head = number_bytes(rejected)
        return [name for name in SLOTS if Path(slots.path + name[-2:]).read_bytes()[4:8] == head]


def current_model(session: Session, state: BoardState) -> HostModel:
    """Return the model that the board runs: that of its newest slot, or of the file that it'll install.

    Raises:
        InputError: there is none.
    """
    with _slots(session, state) as (slots, rejected):
        blob = slots.newest(rejected)
    if blob is None and MODEL_FILE in state.files:
        blob = session.read_file(MODEL_FILE, MOST_MODEL_BYTES)
    if blob is None:
        raise InputError("--model: expected a model, and the board has none")
    try:
        return HostModel.tested(blob)
    except ModelError as error:
        raise InputError(f"the board's model: {error}: give another with --model") from None


@contextlib.contextmanager
def _slots(
    session: Session, state: BoardState, names: Iterable[str] = (*SLOTS, *BOOT_STATE)
) -> Iterator[tuple[Slots, int]]:
    """Copy the board's slots of the model; yield them, and the generation that the node rejected, 0: none."""
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            if name in state.files:
                Path(folder, name).write_bytes(session.read_file(name, MOST_MODEL_BYTES))
        yield Slots(str(Path(folder, "model"))), BootState(Slots(str(Path(folder, "boot")))).rejected


def accepted_counters(session: Session, state: BoardState) -> dict[str, int]:
    """Return the highest counter of each kind of signed file that the board's node accepted."""
    with _slots(session, state, ACCEPTED) as (slots, _):
        return accepted_of(Slots(str(Path(slots.path).with_name("signed"))).newest())


def listed_files(session: Session, state: BoardState) -> list[str]:
    """Return the paths in the board's manifest."""
    return listed_in(session.read_file(MANIFEST, MOST_MANIFEST_BYTES)) if MANIFEST in state.files else []


def listed_in(manifest: bytes) -> list[str]:
    """Return the paths in a manifest, as far as it can be read."""
    lines = manifest.decode("utf-8", "replace").splitlines()[:-1]
    return [match[1] for match in map(_LISTED.fullmatch, lines) if match]
