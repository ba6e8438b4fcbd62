"""A model file made anew for one node: its channels' ranges moved, and its classes' scores raised or lowered.

Tables stay as they are, byte for byte, and where they lie as aligned as before: numbers may be longer than they need.
So a file made so runs on each firmware that runs the one it came from.
"""

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from dibble import ModelError
from dibble.inference.fixed_point import MISSING
from dibble.inference.format import CRC_BYTES

from dibble_tools.common.errors import InputError
from dibble_tools.model.content import Additive, Content, Forest, Mlp
from dibble_tools.model.encoding import number, signed
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.reader import FilePlaces, places_of
from dibble_tools.model.writer import channels_bytes

LONGEST = 5  # bytes of a number
ALIGNED = 4


def check_adaptable(content: Content) -> None:
    """Raise InputError where a model is of a kind that can't be made anew for a node."""
    plain = isinstance(content.family, Forest | Additive | Mlp)
    if content.ratios or content.sound or content.number or not plain:
        raise InputError(
            f"{content.name}: expected a model that decides a class on readings as they are, got one of ratios, "
            "sounds, pictures or streams, or that tells a number"
        )


def takes_biases(content: Content) -> bool:
    """Tell whether a model's scores can be raised: those of a forest of votes have no base."""
    return not (isinstance(content.family, Forest) and content.family.leaves is None)


def moved(content: Content, shifts: Sequence[int]) -> Content:
    """Return the same model with each channel's range so many steps higher."""
    channels = [replace(c, low=c.low + s, high=c.high + s) for c, s in zip(content.channels, shifts, strict=True)]
    return replace(content, channels=channels)


def adapted(blob: bytes, shifts: Sequence[int], biases: Sequence[int]) -> bytes:
    """Return a model file whose channels lie `shifts` steps higher, and whose classes' scores are raised by `biases`.

    Raises:
        InputError: scores would leave their 16 bits, or readings theirs; or the model has no scores to raise.
    """
    model = HostModel(blob)
    content = model.content
    check_adaptable(content)
    if any(biases) and not takes_biases(content):
        raise InputError(f"{content.name}: expected a model whose scores can be raised, got a forest of votes")
    at = places_of(model.model, content)
    channels = channels_bytes(moved(content, shifts).channels)
    (first, end), begin = at.channels, at.hysteresis
    padding = -(len(channels) - (end - first)) % ALIGNED
    body = bytearray(blob[: begin[0]] + _padded(number(content.hysteresis), padding))
    body += blob[begin[1] : first] + channels + blob[end : at.scores[0][0]]
    body += _scores(content, at, biases) + blob[at.scores[-1][1] : at.tables_end]
    try:
        probe = HostModel(_closed(body + number(0))).model
    except ModelError as error:
        raise InputError(f"{content.name}: so far it can't be moved: {error}") from None
    golden = number(len(content.golden))
    for vector in content.golden:
        steps = [0 if r is None else r - c.low + 1 for r, c in zip(vector.readings, content.channels, strict=True)]
        decision = probe.predict([low + s - 1 if s else MISSING for low, s in zip(probe.low, steps, strict=True)])
        golden += b"".join(map(number, steps))
        golden += bytes((decision.class_index,)) + number(decision.margin) + bytes((decision.flags,))
    return _closed(body + golden)


def _scores(content: Content, at: FilePlaces, biases: Sequence[int]) -> bytes:
    """Return the numbers that scores begin with, raised; in as many bytes as before, or a multiple of ALIGNED more."""
    if not takes_biases(content):
        return b""
    family = content.family
    encode: Callable[[int], bytes] = number
    if isinstance(family, Mlp):
        encode, last = signed, family.layers[-1]
        values = [b + ((biases[k + 1] - biases[0]) << last.shifts[k]) for k, b in enumerate(last.biases)]
    else:
        assert isinstance(family, Forest | Additive)
        least = min(0, min(base + bias for base, bias in zip(family.base, biases, strict=True)))
        values = [base + bias - least for base, bias in zip(family.base, biases, strict=True)]
    texts = [encode(value) for value in values]
    missing = -(sum(map(len, texts)) - (at.scores[-1][1] - at.scores[0][0])) % ALIGNED
    for i, text in enumerate(texts):
        more = min(missing, LONGEST - len(text))
        texts[i] = _padded(text, more)
        missing -= more
    if missing:
        raise InputError(f"{content.name}: its scores can't be raised where they lie")
    return b"".join(texts)


def _padded(text: bytes, more: int) -> bytes:
    """Return the same number in so many more bytes."""
    return text if not more else text[:-1] + bytes((text[-1] | 128, *[128] * (more - 1), 0))


def _closed(body: bytearray) -> bytes:
    out = bytearray(body)
    out[6:10] = struct.pack("<I", len(out) + CRC_BYTES)
    return bytes(out + struct.pack("<I", zlib.crc32(out)))
