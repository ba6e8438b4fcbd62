"""A file on this computer as the parcel that a node takes: checked before anything is sent."""

from pathlib import Path

from dibble import ConfigError
from dibble.storage.signatures import KEY

from dibble_tools.common.errors import InputError
from dibble_tools.model.host_model import MODEL_FILE, HostModel
from dibble_tools.node.config import parsed, whole
from dibble_tools.node.signatures import read_key
from dibble_tools.radio.firmware import PIECE_BYTES as PIECES_OF_FIRMWARE
from dibble_tools.radio.firmware import firmware_archive
from dibble_tools.radio.parcel import PIECE_BYTES, Parcel, parcel_of


def read_parcel(
    file: Path,
    node: str,
    key: Path | None = None,
    *,
    piece_bytes: int = PIECE_BYTES,
    waits: bool = False,
    turn: int = 0,
    mpy: int | None = None,
) -> Parcel:
    """Return a model or a configuration, or the firmware that a configuration asks for, as it goes to a node.

    Args:
        file: a model file, the folder it lies in, or a .json.
        node: its name.
        key: file of its key; None: node.key beside the file or in the current folder, if there is one.
        mpy: for firmware: what compiled files the node's MicroPython reads; None: the file itself is sent.
    Raises:
        InputError: the file is none that the node would take.
    """
    check_node(node)
    path = file / MODEL_FILE if file.is_dir() else file
    at_hand = [place for place in (path.parent / KEY, Path(KEY)) if place.is_file()]
    secret = read_key(key or at_hand[0]) if key or at_hand else None
    if mpy is not None:
        kind, content, piece_bytes = "firmware", firmware_archive(path, node, mpy), PIECES_OF_FIRMWARE
    elif path.suffix == ".json":
        kind, content = "config", _config(path, node)
    elif path.name == "voice.dib":
        raise InputError(f"{path}: expected another file: voice.dib goes by `dibble deploy` only")
    else:
        kind, content = "gate" if path.name == "gate.dib" else "model", bytes(HostModel.open(path).blob)
    return parcel_of(kind, content, secret, piece_bytes=piece_bytes, waits=waits, turn=turn)


def check_node(name: str) -> None:
    """Raise InputError where a name is none that a node has."""
    if not 1 <= len(name) <= 32 or not name.isprintable() or any(c in name for c in "/+#"):
        raise InputError(
            f"--node: expected a node's name, `node` of its config.json, 1 to 32 characters without / + #, got {name!r}"
        )


def _config(path: Path, node: str) -> bytes:
    try:
        content = path.read_bytes()
        config = whole(parsed(content, path.parent))
    except OSError as error:
        raise InputError(f"{path}: expected a configuration: {error.strerror}") from None
    except ConfigError as error:
        raise InputError(f"{path}: {error}") from None
    if not config["mqtt"]["host"]:
        raise InputError(f"{path}: expected mqtt.host: without it the node never reports, and goes back to what it has")
    if config["node"] != node:
        raise InputError(f"{path}: expected the configuration of {node}, as --node says, got that of {config['node']}")
    return content
