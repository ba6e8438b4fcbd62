"""How numbers and strings are written into a model file; firmware's inference/format.py reads them."""

from dibble.inference.parts import CELLS
from dibble.senses import frames, segment

from dibble_tools.data.sound.front_end import FrameSettings
from dibble_tools.data.sound.segments import SoundSettings
from dibble_tools.families.scaling import Scaler

LOG = 32  # flag of a scaler's shift


def number(value: int) -> bytes:
    """Return a non-negative int in 7-bit groups, least first, the high bit set on all but the last."""
    assert value >= 0, value
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> bytes:
    """Return an int, its sign in the lowest bit of a `number`."""
    return number(-2 * value - 1 if value < 0 else 2 * value)


def frames_part(settings: FrameSettings) -> bytes:
    """Return the content of the part "frames": the front end of sound."""
    head = number(settings.rate_hz) + bytes((settings.log2,)) + number(settings.hop) + number(settings.floor)
    return head + bytes((settings.first, len(settings.widths), *settings.widths))


def sound_parts(settings: SoundSettings) -> dict[bytes, bytes]:
    """Return the optional parts of a model that hears, by their names."""
    parts = {CELLS: number(settings.features), frames.NAME: frames_part(settings.front_end)}
    return parts if settings.gate is None else {**parts, segment.NAME: bytes(settings.gate)}


class Strings:
    """Writes strings in order; each may share up to 15 bytes with the beginning of the one before."""

    def __init__(self) -> None:
        self.before = b""

    def __call__(self, text: str) -> bytes:
        """Return the bytes of the next string."""
        raw = text.encode()
        shared = 0
        while shared < min(15, len(raw), len(self.before)) and raw[shared] == self.before[shared]:
            shared += 1
        self.before = raw
        rest = raw[shared:]
        head = bytes((shared << 4 | len(rest),)) if len(rest) < 15 else bytes((shared << 4 | 15,))
        return head + (number(len(rest) - 15) if len(rest) >= 15 else b"") + rest


def scaler(s: Scaler) -> bytes:
    """Return the bytes of a scaler; its drop follows from the feature's largest value, its top lies elsewhere."""
    head = bytes((s.shift | (LOG if s.log else 0), s.multiplier))
    return head + number(s.zero_point) + (number(s.bias) if s.log else b"")
