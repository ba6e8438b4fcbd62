"""The firmware of a node as one archive, which it takes by radio where it has a key: models/UPDATES.md."""

import zlib
from collections.abc import Mapping
from pathlib import Path

from dibble import ConfigError
from dibble.storage.manifest import MANIFEST

from dibble_tools.common.errors import InputError
from dibble_tools.node.config import parsed
from dibble_tools.node.config import whole as whole_config
from dibble_tools.node.files import ENTRY, MpyFormat, mpy_version, node_files, not_needed
from dibble_tools.node.manifest import manifest_of
from dibble_tools.node.own_drivers import own_drivers

MAGIC = b"DBF1"
WINDOW_BITS = 12  # the node keeps as much of what is inflated
PIECE_BYTES = 1024
LAST = (MANIFEST, *reversed(ENTRY))  # to take their places


def firmware_archive(config: Path, node: str, mpy: int) -> bytes:
    """Return the firmware that a node under a configuration needs.

    Args:
        config: its config.json; drivers of one's own lie beside it.
        node: its name.
        mpy: what compiled files its MicroPython reads: sys.implementation._mpy there, which the node tells by MQTT.
    Raises:
        InputError: it isn't that node's, or it couldn't be reached by radio any more; or a file doesn't compile.
    """
    try:
        content = whole_config(parsed(config.read_bytes(), config.parent))
    except OSError as error:
        raise InputError(f"{config}: expected the node's configuration: {error.strerror}") from None
    except ConfigError as error:
        raise InputError(f"{config}: {error}") from None
    if content["node"] != node:
        raise InputError(f"{config}: expected the configuration of {node}, as --node says, got {content['node']}'s")
    if not (content["mqtt"]["host"] and content["mqtt"]["updates"]):
        raise InputError(f"{config}: expected mqtt.host, and mqtt.updates not off: else nothing reaches the node again")
    known = MpyFormat.of(mpy)
    files = node_files(
        [sensor["driver"] for sensor in content["sensors"]],
        known if known.version == mpy_version() else None,
        own=own_drivers(content, config.parent).values(),
        without=not_needed(content, has_key=True),
    )
    return archive_of(files, mpy)


def archive_of(files: Mapping[str, bytes], mpy: int) -> bytes:
    """Return a firmware's files as one archive, its manifest among them."""
    manifest = manifest_of(files)
    whole = {**files, MANIFEST: manifest}
    order = [*sorted(path for path in files if path not in LAST), *(path for path in LAST if path in whole)]
    body = b"".join(_entry(path, whole[path]) for path in order)
    packer = zlib.compressobj(9, wbits=WINDOW_BITS)
    head = MAGIC + mpy.to_bytes(2, "little") + _identity(manifest)
    return head + packer.compress(body) + packer.flush()


def identity_of_archive(archive: bytes) -> bytes:
    """Return the four bytes that tell a firmware from others."""
    return archive[6:10]


def _identity(manifest: bytes) -> bytes:
    """Return the CRC-32 of a manifest's lines but the last, which has it, least byte first."""
    return bytes.fromhex(manifest.splitlines()[-1][:8].decode())[::-1]


def _entry(path: str, content: bytes) -> bytes:
    return f"{zlib.crc32(content):08x} {len(content)} {path}\n".encode() + content
