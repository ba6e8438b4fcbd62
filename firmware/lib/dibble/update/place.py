"""A complete parcel becomes the file that the node takes at its next start, which tries it."""

import os

from dibble import ModelError, RecordError
from dibble.forgetting import forget
from dibble.inference.crc32 import crc32
from dibble.storage.key import signatures_of
from dibble.storage.words import crc_bytes
from dibble.update.kept import FIRMWARE, KINDS, RECEIVING, REFUSED, TRIED, Kept
from dibble.update.parcel import PART
from dibble.update.reading import ReadParcel, Stream

READY = "update.firmware"  # what PART is called until the next start
FOLDER = "update/"  # where a file waits, beside its signature
PACKED = b"DIBZ"
_BLOCK_BYTES = 256
SIGNED = b"DSG1"
_SUFFIX = ".sig"
_SIGNATURE_BYTES = 41


class Refusal(Exception):
    """Why the file isn't taken."""


class Damage(Refusal):
    """What was written reads otherwise."""


class Peeked:
    """A stream whose first bytes were read already."""

    def __init__(self, first, stream):
        self._first = first
        self._stream = stream

    def read(self, size):
        data = self._first[:size]
        self._first = self._first[size:]
        return data or self._stream.read(size)


def take(node):
    """Take what came for a node, complete: start it anew with that, or return why not."""
    try:
        why = place(node.port, node.boot)
    except (OSError, RecordError) as error:
        why = str(error)
    node.tell("update", "refused: " + why if why else "it has come whole: the node starts anew to try it")
    if not why:
        node.start_anew()
    return why


def place(port, boot, at_start=False):
    """Put what came where the node takes it at its next start; return why not, "" if it did.

    A cut at any moment leaves what was, or what came: the rest is done again then. `boot` is told before that what
    comes next came by radio.

    Args:
        port: has KIND, feed_watchdog(), memory(name).
        boot: storage.boot.BootState.
        at_start: the node isn't there yet: firmware needs the heap for itself, so it waits for that as READY.
    Raises:
        OSError, RecordError: the file system fails; it's tried again at the next contact.
    """
    kept = Kept()
    parcel = ReadParcel(None, port.feed_watchdog)
    again = kept.is_of(parcel.offer) and kept.why != ""
    kept.take(parcel.offer)
    try:
        path = KINDS[kept.kind]
        _check_sum(parcel, port.feed_watchdog)
        try:
            os.mkdir(FOLDER[:-1])
        except OSError:
            pass  # it's there
        if kept.kind == FIRMWARE:
            firmware = _firmware(port)
            if at_start:
                _stage(firmware, port, parcel)
            parcel.close()
        else:
            signed = _write(parcel, path, port.feed_watchdog)
            parcel.close()
            _check(path, kept.identity, signed, signatures_of(port, FOLDER))
    except (Refusal, ModelError, RecordError) as error:
        parcel.close()
        kept.write(RECEIVING if isinstance(error, Damage) and not again else REFUSED, str(error))
        _remove(PART)
        return kept.why
    if not at_start:
        boot.by_radio()
    if kept.kind == FIRMWARE and not at_start:
        os.rename(PART, READY)
        return ""
    if kept.kind == FIRMWARE:
        firmware.commit()
    else:
        if signed:
            _rename(FOLDER + path + _SUFFIX, path + _SUFFIX)
        _rename(FOLDER + path, path)
    kept.write(TRIED)
    _remove(PART)
    return ""


def _firmware(port):
    """Return the module that takes the firmware's own files; raise Refusal where this node can't."""
    try:
        if port.KIND == "micropython":
            from dibble.update import firmware

            return firmware
    except ImportError:  # it was deployed without a key, or MicroPython has no deflate
        pass
    raise Refusal("expected a node that takes firmware by radio: MicroPython with deflate, deployed with a key")


def _stage(firmware, port, parcel):
    """Stage firmware; raise Refusal where that fails: else it would be tried again at each contact."""
    try:
        firmware.stage(port, lambda: Stream(parcel, port.feed_watchdog), parcel.offer, FOLDER)
    except (OSError, MemoryError) as error:
        raise Refusal("expected to write the firmware, got %r" % error)


def _check_sum(parcel, feed):
    """Raise Damage where the pieces aren't the stream that was offered."""
    crc = (0, 0)
    stream = Stream(parcel, feed)
    piece = stream.read(_BLOCK_BYTES)
    while piece:
        crc = crc32(piece, len(piece), 0, crc)
        piece = stream.read(_BLOCK_BYTES)
    if crc_bytes(crc) != parcel.offer.crc:
        raise Damage("expected pieces that fit together, got another CRC-32 of all")


def _write(parcel, path, feed):
    """Write the file, and its signature if it has one, to FOLDER; return whether it has."""
    stream = Stream(parcel, feed)
    first = _exactly(stream, 4)
    signed = first == SIGNED
    if signed:
        with open(FOLDER + path + _SUFFIX, "wb") as file:
            file.write(first + _exactly(stream, _SIGNATURE_BYTES - 4))
        first = _exactly(stream, 4)
    with open(FOLDER + path, "wb") as file:
        if first == PACKED:
            from dibble.storage.unpack import unpack

            def write(data):
                feed()
                file.write(data)

            unpack(Peeked(first, stream), write)
            forget("dibble.storage.unpack", "dibble.storage.bits")
        else:
            while first:
                file.write(first)
                first = stream.read(_BLOCK_BYTES)
    return signed


def _exactly(stream, size):
    data = b""
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            break
        data += more
    return data


def _check(path, identity, signed, signatures):
    """Raise Refusal or RecordError unless this is the file that was offered, and signed where the node has a key."""
    with open(FOLDER + path, "rb") as file:
        if path.endswith(".dib"):
            file.seek(max(0, file.seek(0, 2) - 4))
            end = file.read(4)
        else:
            crc = (0, 0)
            piece = file.read(_BLOCK_BYTES)
            while piece:
                crc = crc32(piece, len(piece), 0, crc)
                piece = file.read(_BLOCK_BYTES)
            end = crc_bytes(crc)
        if end != identity:
            raise Refusal("expected the file that was offered, got another")
        if signatures:
            if not signed:
                raise Refusal("expected a signature, as this node has a key, got none")
            file.seek(0)
            signatures.check(path, file)


def _rename(source, target):
    try:
        os.rename(source, target)
    except OSError:  # a FAT that renames to new names only
        os.remove(target)
        os.rename(source, target)


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass
