"""Models of a DS3231 and a PCF8563: registers that count, a pointer, and a flag of a supply that failed."""

from collections.abc import Callable
from datetime import datetime, timedelta

from dibble_tools.simulator.node.bus import Nack


def bcd(number: int) -> int:
    return int(str(number), 16)


class ClockChip:
    """What both do alike: time that goes on from what was written, whatever the board does.

    Attributes:
        absent: it answers nothing, as if its wires were loose.
        ppm: how much too fast its crystal is.
    """

    FIRST = 0  # register of the seconds
    ORDER: tuple[str, ...] = ()  # of the registers from there on
    FAILED = (0, 0)  # register and bit that tell of a supply that failed
    SIZE = 0

    def __init__(self, now_us: Callable[[], int], ppm: float = 0.0) -> None:
        self._now_us = now_us
        self.absent = False
        self.ppm = ppm
        self._pointer = 0
        self.lose_power()

    def lose_power(self) -> None:
        """Forget all, as without supply and battery."""
        self.registers = bytearray(self.SIZE)
        self._hold(datetime(2000, 1, 1))
        register, bit = self.FAILED
        self.registers[register] |= bit

    def set(self, moment: datetime) -> None:
        """Set it as its own tool would, valid."""
        self._hold(moment)
        register, bit = self.FAILED
        self.registers[register] &= ~bit

    def shows(self) -> datetime:
        passed_us = (self._now_us() - self._set_us) * (1 + self.ppm / 1e6)
        return self._moment + timedelta(microseconds=int(passed_us))

    def write(self, data: bytes) -> None:
        if self.absent:
            raise Nack
        self._count()
        self._pointer = data[0] % self.SIZE
        for byte in data[1:]:
            self.registers[self._pointer] = self._kept(self._pointer, byte)
            self._pointer = (self._pointer + 1) % self.SIZE
        if any(self.FIRST <= (data[0] + i) % self.SIZE < self.FIRST + 7 for i in range(len(data) - 1)):
            self._take()

    def read(self, size: int) -> bytes:
        if self.absent:
            raise Nack
        self._count()
        answer = bytes(self.registers[(self._pointer + i) % self.SIZE] for i in range(size))
        self._pointer = (self._pointer + size) % self.SIZE
        return answer

    def _kept(self, register: int, byte: int) -> int:
        """Return what a register holds of a byte written to it."""
        return byte

    def _hold(self, moment: datetime) -> None:
        self._moment, self._set_us = moment, self._now_us()
        self._count()

    def _count(self) -> None:
        now = self.shows()
        flag = self.registers[self.FIRST] & 0x80
        fields = {
            "second": bcd(now.second),
            "minute": bcd(now.minute),
            "hour": bcd(now.hour),
            "weekday": now.isoweekday() % 7 + (1 if self.FIRST == 0 else 0),
            "day": bcd(now.day),
            "month": bcd(now.month),
            "year": bcd(now.year % 100),
        }
        for i, name in enumerate(self.ORDER):
            self.registers[self.FIRST + i] = fields[name]
        self.registers[self.FIRST] |= flag

    def _take(self) -> None:
        """Go on from what the registers say now."""
        masks = {"second": 0x7F, "minute": 0x7F, "hour": 0x3F, "day": 0x3F, "month": 0x1F, "year": 0xFF}
        year, month, day, hour, minute, second = (
            int(f"{self.registers[self.FIRST + self.ORDER.index(name)] & masks[name]:x}")
            for name in ("year", "month", "day", "hour", "minute", "second")
        )
        self._moment = datetime(2000 + year, month, day, hour, minute, second)
        self._set_us = self._now_us()


class Ds3231Chip(ClockChip):
    """Data sheet revision 10, figure 1: 19 registers; OSF is bit 7 of 0x0F, which can only be cleared."""

    ORDER = ("second", "minute", "hour", "weekday", "day", "month", "year")
    FAILED = (0x0F, 0x80)
    SIZE = 0x13

    def lose_power(self) -> None:
        super().lose_power()
        self.registers[0x0E] = 0x1C
        self.registers[0x0F] = 0x88

    def _kept(self, register: int, byte: int) -> int:
        if register == 0x0F:
            return self.registers[register] & 0x83 & byte | byte & 0x08
        return byte


class Pcf8563Chip(ClockChip):
    """Data sheet revision 11, 8.2: 16 registers; VL is bit 7 of the seconds, 0x02; the weekday follows the day."""

    FIRST = 2
    ORDER = ("second", "minute", "hour", "day", "weekday", "month", "year")
    FAILED = (0x02, 0x80)
    SIZE = 0x10
