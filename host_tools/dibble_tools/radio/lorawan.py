"""A parcel as downlinks of at most 51 bytes, for the queues of The Things Stack and of ChirpStack.

Any order will do, and any loss: beside the pieces there are sums of pieces (XOR), each of which stands for any one that
was lost. models/UPDATES.md specifies the bytes; the node's dibble.update.lorawan takes them.
"""

import base64
import functools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import xor

from dibble.update.lorawan import MOST_PIECES, OFFER_NUMBER, PORT, UNKNOWN, WANTED
from dibble.update.offer import FRAME_BYTES
from dibble.update.sums import chosen
from dibble.update.telling import STATES

from dibble_tools.common.errors import InputError
from dibble_tools.radio.parcel import Parcel, framed

DOWNLINK_BYTES = 51  # that every data rate of every region takes
PIECE_BYTES = DOWNLINK_BYTES - FRAME_BYTES
ANSWER_HEAD = 6


@dataclass(frozen=True)
class Answer:
    """What a node says in an uplink on PORT.

    Attributes:
        state: "unknown" (it has no offer), "receiving", or what became of one.
        crc: of the stream, as nodes tell it.
        needed: of pieces or sums, that don't say what it has already.
        missing: numbers of pieces.
    """

    state: str
    crc: str
    needed: int
    missing: tuple[int, ...]

    @classmethod
    def of(cls, payload: bytes) -> "Answer":
        """Return what an uplink says.

        Raises:
            InputError: it's none.
        """
        if len(payload) < ANSWER_HEAD or payload[0] > len(STATES):
            raise InputError(f"expected an uplink of port {PORT}, {ANSWER_HEAD} bytes or more, got {payload.hex()!r}")
        state = "unknown" if payload[0] == UNKNOWN else STATES[payload[0] - WANTED]
        bits = payload[ANSWER_HEAD:]
        missing = tuple(i for i in range(8 * len(bits)) if bits[i >> 3] & 128 >> (i & 7))
        return cls(state, payload[4:0:-1].hex(), payload[5], missing)


def downlinks(parcel: Parcel, sums: int = 0, answer: Answer | None = None, first_sum: int = 0) -> Iterator[bytes]:
    """Yield the payloads that a node needs: offer, pieces and some sums more, in an order that serves.

    Args:
        parcel: with pieces of at most PIECE_BYTES.
        sums: how many more than are needed, for those that get lost.
        answer: what the node said last: what it has is left out.
        first_sum: of sums, those from this one on: none is sent twice.
    Raises:
        InputError: the pieces are too large, or too many.
    """
    if parcel.piece_bytes > PIECE_BYTES or parcel.count > MOST_PIECES:
        raise InputError(
            f"expected at most {MOST_PIECES} pieces of at most {PIECE_BYTES} bytes for LoRaWAN, "
            f"got {parcel.count} of {parcel.piece_bytes}"
        )
    known = answer is not None and answer.crc == parcel.told_crc and answer.state != "unknown"
    if not known:
        yield OFFER_NUMBER.to_bytes(2, "little") + parcel.offer()
    if known and answer and answer.state != "receiving":
        return
    yield from map(parcel.message, answer.missing if known and answer else range(parcel.count))
    yield from (sum_of(parcel, first_sum + i) for i in range(sums))


def sum_of(parcel: Parcel, place: int) -> bytes:
    """Return the payload of the sum of this place, 0 and up."""
    number = parcel.count + place
    mask = chosen(number, parcel.count)
    pieces = [
        parcel.stream[i * parcel.piece_bytes : (i + 1) * parcel.piece_bytes].ljust(parcel.piece_bytes, b"\0")
        for i in range(parcel.count)
        if mask[i >> 3] & 128 >> (i & 7)
    ]
    return framed(number, bytes(functools.reduce(xor, column) for column in zip(*pieces, strict=True)), parcel.crc)


def things_stack(payloads: Iterable[bytes]) -> str:
    """Return what is published to v3/APPLICATION@TENANT/devices/DEVICE/down/push: all of them at once."""
    return json.dumps(
        {"downlinks": [{"f_port": PORT, "frm_payload": _text(each), "priority": "NORMAL"} for each in payloads]}
    )


def chirpstack(payloads: Iterable[bytes], dev_eui: str) -> list[str]:
    """Return what is published to application/ID/device/DEV_EUI/command/down, one after the other (ChirpStack 4)."""
    return [
        json.dumps({"devEui": dev_eui.lower(), "confirmed": False, "fPort": PORT, "data": _text(each)})
        for each in payloads
    ]


def _text(payload: bytes) -> str:
    return base64.b64encode(payload).decode()
