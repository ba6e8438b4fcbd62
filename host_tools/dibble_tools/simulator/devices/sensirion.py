"""What models of Sensirion's I2C parts share: commands that take their time, and words with their CRC-8."""

from collections.abc import Callable, Sequence

from dibble_tools.simulator.node.bus import Nack


def crc8(word: int) -> int:
    """Return the CRC-8 of a 16-bit word: the remainder of a division by x**8 + x**5 + x**4 + 1.

    The initial 0xFF of the register is the same as an inverted first byte.
    """
    value = (word ^ 0xFF00) << 8
    for shift in range(15, -1, -1):
        if value >> (shift + 8) & 1:
            value ^= 0x131 << shift
    return value


class SensirionDevice:
    """A part that doesn't acknowledge unknown commands, nor anything while it works on one.

    Attributes:
        absent: it answers nothing, as if its wires were loose.
        never_ready: it takes commands and never answers them.
        damaged: a bit of each answer's last word is lost on the way.
        stuck: it measures what it measured last, whatever the truth is.
    """

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._spent_uc = 0.0
        self.absent = False
        self.never_ready = False
        self.damaged = False
        self.stuck = False
        self._commands: dict[bytes, tuple[int, Callable[[], Sequence[int]]]] = {}
        self._measured: Sequence[int] = ()
        self.power_cycle()

    @property
    def charge_uc(self) -> float:
        """Microcoulombs used so far beyond the idle current."""
        return self._spent_uc

    def power_cycle(self) -> None:
        """Forget what a part forgets without its supply."""
        self._answer: bytes | None = None
        self._ready_us = 0

    def write(self, data: bytes) -> None:
        if self.absent or data not in self._commands or self._now_us() < self._ready_us:
            raise Nack
        duration_us, work = self._commands[data]
        words = work()
        self._answer = b"".join(word.to_bytes(2, "big") + bytes([crc8(word)]) for word in words) or None
        self._ready_us = self._now_us() + duration_us

    def read(self, size: int) -> bytes:
        answer = self._answer
        if self.absent or self.never_ready or answer is None or self._now_us() < self._ready_us or size > len(answer):
            raise Nack
        self._answer = None
        if self.damaged:
            answer = answer[:-2] + bytes([answer[-2] ^ 0x10]) + answer[-1:]
        return answer[:size]

    def _measure(self, words: Sequence[int]) -> Sequence[int]:
        """Return the result of a measurement, which is not the truth when the part is stuck."""
        if not (self.stuck and self._measured):
            self._measured = words
        return self._measured


def ticks(share: float) -> int:
    """Return the 16-bit word for a share of the full scale."""
    return min(max(round(share * 65535), 0), 65535)
