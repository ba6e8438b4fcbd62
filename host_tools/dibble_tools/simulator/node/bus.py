"""What a driver is handed on a computer: an I2C bus over device models, and a clock that waits for nobody."""

from collections.abc import Mapping
from typing import Protocol

from dibble import SensorError

TICKS_PERIOD = 1 << 30  # MicroPython's ticks_ms() on 32-bit boards


class Nack(Exception):
    """A device model doesn't acknowledge."""


class I2cDevice(Protocol):
    """One device at the level of its bus transactions."""

    def write(self, data: bytes) -> None: ...

    def read(self, size: int) -> bytes: ...


class Analog(Protocol):
    def microvolts(self) -> float: ...


class Pulses(Protocol):
    def changes(self, start_us: int, end_us: int) -> list[tuple[int, bool]]: ...


class OneWireDevice(Protocol):
    def reset(self) -> bool: ...

    def write(self, byte: int) -> None: ...

    def read(self) -> int: ...

    def write_bit(self, bit: int) -> None: ...

    def read_bit(self) -> int: ...


class VirtualClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self, now_us: int = 0) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def sleep_ms(self, ms: int) -> None:
        self._now_us += ms * 1000

    def ticks_ms(self) -> int:
        return self._now_us // 1000 % TICKS_PERIOD

    def ticks_diff(self, newer: int, older: int) -> int:
        half = TICKS_PERIOD // 2
        return (newer - older + half) % TICKS_PERIOD - half


class SimBus:
    """The ports' I2C interface over device models.

    Args:
        devices: 7-bit address -> device.
    """

    def __init__(self, devices: Mapping[int, I2cDevice]) -> None:
        self.devices = devices

    def write(self, address: int, data: bytes) -> None:
        try:
            self._device(address).write(bytes(data))
        except Nack:
            raise self._silence(address) from None

    def read_into(self, address: int, buffer: bytearray) -> None:
        try:
            buffer[:] = self._device(address).read(len(buffer))
        except Nack:
            raise self._silence(address) from None

    def write_read_into(self, address: int, data: bytes, buffer: bytearray) -> None:
        self.write(address, data)
        self.read_into(address, buffer)

    def _device(self, address: int) -> I2cDevice:
        if address not in self.devices:
            raise Nack
        return self.devices[address]

    @staticmethod
    def _silence(address: int) -> SensorError:
        return SensorError(f"expected an answer at I2C 0x{address:02x}, got none: check wiring and power")
