"""A file as it goes to a node by radio: packed, signed where the node has a key, offered, and in numbered pieces.

models/UPDATES.md specifies the bytes; the firmware's dibble.update reads them.
"""

import secrets
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from dibble.storage.signatures import MAGIC
from dibble.update.kept import KINDS
from dibble.update.offer import FRAME_BYTES, MOST_PIECES, VERSION, WAITS
from dibble.update.telling import NAMES

from dibble_tools.common.errors import InputError
from dibble_tools.model.packing import crc16, pack
from dibble_tools.node.signatures import counter_after, sign
from dibble_tools.radio.firmware import identity_of_archive

PIECE_BYTES = 256
MOST_PIECE_BYTES = (1 << 12) - 1
TURNS = 16
MOST_STREAM_BYTES = (1 << 24) - 1


@dataclass(frozen=True)
class Parcel:
    """A file for a node.

    Attributes:
        kind: of dibble.update.kept.NAMES: model, gate, config, firmware.
        content: the file's bytes.
        stream: what is cut into pieces: the signature, if there is one, and the file, packed where that is shorter.
        piece_bytes: of the stream in a piece.
        waits: the node takes it only when somebody has pressed "install".
        turn: 0..15; a node that refused a stream, or went back from it, takes it in another turn.
    """

    kind: str
    content: bytes
    stream: bytes
    piece_bytes: int = PIECE_BYTES
    waits: bool = False
    turn: int = 0

    @property
    def identity(self) -> bytes:
        """The four bytes that tell the file from others, least first: a model's last ones, else a CRC-32."""
        if self.kind in ("model", "gate"):
            return self.content[-4:]
        if self.kind == "firmware":
            return identity_of_archive(self.content)
        return zlib.crc32(self.content).to_bytes(4, "little")

    @property
    def crc(self) -> bytes:
        """CRC-32 of the stream, least byte first."""
        return zlib.crc32(self.stream).to_bytes(4, "little")

    @property
    def version(self) -> str:
        """The identity as nodes tell it: 8 hexadecimal digits."""
        return self.identity[::-1].hex()

    @property
    def told_crc(self) -> str:
        """The stream's CRC-32 as nodes tell it."""
        return self.crc[::-1].hex()

    @property
    def summary(self) -> str:
        """One line for people."""
        size = f"{len(self.content):,} bytes as {len(self.stream):,} in {self.count} of at most {self.piece_bytes}"
        return f"{self.kind} {self.version}: {size}{', signed' if self.stream[:4] == MAGIC else ''}"

    @property
    def count(self) -> int:
        return -(-len(self.stream) // self.piece_bytes)

    def offer(self) -> bytes:
        """Return what the node is told of it first."""
        head = bytes([VERSION | NAMES.index(self.kind) | (WAITS if self.waits else 0)])
        head += (self.piece_bytes | self.turn << 12).to_bytes(2, "little") + len(self.stream).to_bytes(3, "little")
        head += self.crc + self.identity
        return head + crc16(head).to_bytes(2, "big")

    def message(self, number: int) -> bytes:
        """Return a piece's message: number, data, check."""
        data = self.stream[number * self.piece_bytes : (number + 1) * self.piece_bytes]
        return framed(number, data, self.crc)

    def messages(self) -> Iterator[bytes]:
        return map(self.message, range(self.count))


def framed(number: int, data: bytes, crc: bytes) -> bytes:
    """Return data with its number before it and its check behind, which holds for this stream only."""
    head = number.to_bytes(2, "little") + data
    return head + crc16(head, crc16(crc)).to_bytes(FRAME_BYTES - 2, "big")


def offer_turn(again: bool) -> int:
    """Return the turn of an offer: any other than the first where it is made again."""
    return 1 + secrets.randbelow(15) if again else 0


def parcel_of(
    kind: str,
    content: bytes,
    key: bytes | None = None,
    *,
    accepted: int = 0,
    piece_bytes: int = PIECE_BYTES,
    waits: bool = False,
    turn: int = 0,
) -> Parcel:
    """Return a file as it goes by radio.

    Args:
        kind: of NAMES.
        key: the node's, None where it has none; firmware goes to none without.
        accepted: the highest counter that the node is known to have accepted for this kind, 0: not known.
        piece_bytes: of the stream in a piece.
        waits: for somebody to press "install".
    Raises:
        InputError: there are too many pieces, or it is firmware without a key.
    """
    path = KINDS[NAMES.index(kind)]
    if kind == "firmware" and key is None:
        raise InputError("expected the node's key, node.key: no firmware goes by radio to a node without one")
    packed = content if kind == "firmware" else pack(content)  # an archive is deflated
    stream = packed if len(packed) < len(content) else content
    if key is not None:
        stream = sign(key, path, counter_after(accepted), content) + stream
    parcel = Parcel(kind, content, stream, piece_bytes, waits, turn)
    if len(stream) > MOST_STREAM_BYTES or parcel.count > MOST_PIECES:
        raise InputError(f"expected at most {MOST_PIECES:,} pieces of {piece_bytes} bytes, got {parcel.count:,}")
    return parcel
