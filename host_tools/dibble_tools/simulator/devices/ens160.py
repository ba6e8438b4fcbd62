"""A model of the ENS160: a register map, a measurement each second, warm-up and first hour."""

from collections.abc import Callable

from dibble_tools.simulator.node.bus import Nack

STANDARD = 2
MODES = (0x00, 0x01, 0x02, 0xF0)
MODE_US = 10_000
PERIOD_US = 1_000_000
WARM_UP_US = 180_000_000
FIRST_HOUR_US = 3_600_000_000
AGEING_US = 24 * FIRST_HOUR_US
ASSUMED = b"\x8a\x4a\x00\x64"  # 25 C and 50 % in TEMP_IN and RH_IN: data sheet 16.2.5
HUMID_SHARE, WARM_SHARE = 0.005, 0.01  # for each % and each C that it wasn't told: chosen
STANDARD_MA = 29  # data sheet, electrical characteristics: average in standard mode


class Ens160:
    """Addresses advance with each byte; the checksum at 0x38 runs over all bytes sent but its own.

    Attributes:
        aged: it has had its first 24 hours of work on end, so that only the warm-up is left (esphome#5355).
        air_temperature_c, humidity_percent: of the air; None: as it assumes.
        absent: it answers nothing, as if its wires were loose.
        never_ready: it never has new data.
        failing: it reports an error.
        invalid: it reports that its output isn't valid.
        stuck: it measures what it measured last, whatever the truth is.
        damaged: a bit of each answer longer than 2 bytes is lost on the way.
        deaf: writing the mode changes nothing.
    """

    def __init__(self, now_us: Callable[[], int], part_id: int = 0x0160) -> None:
        self._now_us = now_us
        self.part_id = part_id
        self.tvoc_ppb = 0.0
        self.eco2_ppm = 400.0
        self.aged = False
        self.air_temperature_c: float | None = None
        self.humidity_percent = 50.0
        self.absent = self.never_ready = self.failing = self.invalid = False
        self.stuck = self.damaged = self.deaf = False
        self._spent_uc = 0.0
        self._begun_us: int | None = None
        self._measured = (0, 0)
        self.power_cycle()

    @property
    def charge_uc(self) -> float:
        """Microcoulombs used so far beyond the idle current."""
        running = 0.0 if self._begun_us is None else STANDARD_MA * max(self._now_us() - self._begun_us, 0) / 1000
        return self._spent_uc + running

    def power_cycle(self) -> None:
        """Forget what a part forgets without its supply."""
        self._age()
        self._set_mode(0)
        self._told = bytearray(ASSUMED)
        self._pointer = 0
        self._misr = 0

    def write(self, data: bytes) -> None:
        if self.absent or not data:
            raise Nack
        self._pointer = data[0]
        for value in data[1:]:
            if self._pointer == 0x10:
                if value not in MODES:
                    raise Nack
                if not self.deaf:
                    self._age()
                    self._set_mode(value)
            if 0x13 <= self._pointer <= 0x16:
                self._told[self._pointer - 0x13] = value
            self._pointer += 1

    def read(self, size: int) -> bytes:
        if self.absent:
            raise Nack
        at = self._pointer
        self._pointer += size
        measurements = self._measurements()
        # A read that touches the data clears the flag before the status, if that is part of it, goes out.
        if at < 0x26 and at + size > 0x22:
            self._fetched = measurements
        answer = bytes(self._register(address) for address in range(at, at + size))
        if at != 0x38:
            for byte in answer:
                self._misr = (self._misr << 1 & 0xFF) ^ byte ^ (0x1D if self._misr & 0x80 else 0)
        if self.damaged and size > 2:
            answer = answer[:-1] + bytes([answer[-1] ^ 1])
        return answer

    def _age(self) -> None:
        """Remember a day's work on end, whatever comes then."""
        self.aged |= self._begun_us is not None and self._now_us() - self._begun_us >= AGEING_US

    def _set_mode(self, mode: int) -> None:
        """Take a mode; it shows and works only after a while."""
        self._spent_uc = self.charge_uc
        self._mode = mode if mode != 0xF0 else 0
        self._mode_us = self._now_us() + MODE_US
        self._begun_us = self._mode_us if self._mode == STANDARD else None
        self._fetched = -1

    def _measurements(self) -> int:
        """Return how many measurements there have been since the mode was set."""
        if self._begun_us is None:
            return 0
        return max(self._now_us() - self._begun_us, 0) // PERIOD_US

    def _register(self, address: int) -> int:
        if address in (0x00, 0x01):
            return self.part_id >> 8 * address & 0xFF
        if address == 0x10:
            return self._mode if self._now_us() >= self._mode_us else 0
        if address == 0x20:
            return self._status()
        if 0x22 <= address <= 0x25:
            tvoc_ppb, eco2_ppm = self._values()
            return (eco2_ppm << 16 | tvoc_ppb) >> 8 * (address - 0x22) & 0xFF
        return self._misr if address == 0x38 else 0

    def _status(self) -> int:
        if self._begun_us is None or self._now_us() < self._begun_us:
            return 0
        validity = 0
        running_us = self._now_us() - self._begun_us
        if running_us < (WARM_UP_US if self.aged else FIRST_HOUR_US):
            validity = 1 if self.aged else 2
        if self.invalid:
            validity = 3
        measurements = self._measurements()
        # In its first second a part already claims new data, which are zeros, but not yet that it runs.
        running = 0x80 if measurements else 0
        new_data = 0x02 if measurements > self._fetched and not self.never_ready else 0
        return running | (0x40 if self.failing else 0) | validity << 2 | new_data

    def _values(self) -> tuple[int, int]:
        if not self._measurements():
            return 0, 0
        if not (self.stuck and self._measured[1]):
            wrong = 1.0
            if self.air_temperature_c is not None:
                told_c = int.from_bytes(self._told[:2], "little") / 64 - 273.15
                told_percent = int.from_bytes(self._told[2:], "little") / 512
                wrong += HUMID_SHARE * (self.humidity_percent - told_percent)
                wrong += WARM_SHARE * (self.air_temperature_c - told_c)
            tvoc_ppb = min(max(round(self.tvoc_ppb * wrong), 0), 65000)
            self._measured = tvoc_ppb, min(max(round(self.eco2_ppm), 400), 65000)
        return self._measured
