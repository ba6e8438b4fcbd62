"""A DS18B20 at the level of bytes on its wire.

Source: Maxim's data sheet: memory map, configuration register, function commands, CRC generation.
"""

import functools
import math
import operator
from collections.abc import Callable, Sequence

CONVERSION_MA = 1.0  # active current, typical
SKIP_ROM, MATCH_ROM, READ_ROM, SEARCH_ROM = 0xCC, 0x55, 0x33, 0xF0
CONVERT_T, WRITE, READ, COPY, RECALL, POWER_SUPPLY = 0x44, 0x4E, 0xBE, 0x48, 0xB8, 0xB4
CRC_POLYNOMIAL = 0b1_0011_0001  # x**8 + x**5 + x**4 + 1


def maxim_crc(data: bytes) -> int:
    """Return the CRC by long division of the bits in the order they are sent."""
    bits = [byte >> i & 1 for byte in data for i in range(8)]
    rest = 0
    for bit in [*bits, *[0] * 8]:
        rest = rest << 1 | bit
        if rest & 0x100:
            rest ^= CRC_POLYNOMIAL
    return int(f"{rest:08b}"[::-1], 2)


class Ds18b20:
    """A device on a wire, with a supply of its own.

    A command that it doesn't know, or out of turn, leaves it silent (ones) until the next reset.

    Args:
        now_us: the time.
        eeprom: alarms and configuration, as they were last copied.
        serial: 6 bytes of its ROM.
    Attributes:
        temperature_c: truth.
        present: wired and powered.
        held_low: the wire is shorted to ground.
        damage: xor of the last byte of a scratchpad on its way.
        slowness: its conversion time as a share of the data sheet's maximum.
        charge_uc: of conversions.
    """

    def __init__(
        self, now_us: Callable[[], int], eeprom: bytes = b"\x4b\x46\x7f", serial: bytes = b"\x4a\x1c\xe8\x06\0\0"
    ) -> None:
        self.now_us = now_us
        self.rom = b"\x28" + serial
        self.rom += bytes([maxim_crc(self.rom)])
        self.eeprom = eeprom
        self.temperature_c = 20.0
        self.present = True
        self.held_low = False
        self.damage = 0
        self.slowness = 0.8
        self.charge_uc = 0.0
        self.power_cycle()

    def power_cycle(self) -> None:
        """Lose all but the EEPROM."""
        self._temperature = b"\x50\x05"  # 85 degrees
        self._settings = bytearray(self.eeprom)
        self._busy_until_us: int | None = None
        self._latched = b""
        self._state = "silent"
        self._out = b""
        self._bit = 0

    def reset(self) -> bool:
        """Return whether a presence pulse answered; a wire held low looks like one."""
        self._settle()
        self._out = b""
        self._state = "rom"
        return self.present or self.held_low

    def write(self, byte: int) -> None:
        if not self.present or self.held_low:
            return
        self._settle()
        if self._state == "rom":
            known = {SKIP_ROM: "function", MATCH_ROM: "match", READ_ROM: "read", SEARCH_ROM: "search"}
            self._state = known.get(byte, "silent")
            self._out = self.rom
            self._bit = 0
        elif self._state == "match":
            expected, self._out = self._out[0], self._out[1:]
            self._state = "silent" if byte != expected else "match" if self._out else "function"
        elif self._state == "function":
            self._command(byte)
        elif self._state.startswith("write"):
            index = int(self._state[-1])
            self._settings[index] = byte & 0x60 | 0x1F if index == 2 else byte
            self._state = f"write {index + 1}" if index < 2 else "silent"
        else:
            self._state = "silent"

    def read(self) -> int:
        if self.held_low:
            return 0x00
        if not self.present:
            return 0xFF
        self._settle()
        if self._state == "converting":
            return 0xFF if self._busy_until_us is None else 0x00
        if self._state == "read" and self._out:
            byte, self._out = self._out[0], self._out[1:]
            return byte
        return 0xFF

    def read_bit(self) -> int:
        """Return a bit of a search: first the ROM's, then its complement."""
        if self.held_low:
            return 0
        if self._state != "search" or self._bit >= 128 or not self.present:
            return 1
        bit = self._rom_bit() ^ self._bit & 1
        self._bit += 1
        return bit

    def write_bit(self, bit: int) -> None:
        """Leave the search where the bit isn't the ROM's."""
        if self._state == "search":
            self._bit -= 1
            if bit != self._rom_bit():
                self._state = "silent"
            self._bit += 1

    def _rom_bit(self) -> int:
        return self.rom[self._bit >> 4] >> (self._bit >> 1 & 7) & 1

    def _command(self, code: int) -> None:
        self._state = "silent"
        if self._busy_until_us is not None and code != READ:
            return
        if code == CONVERT_T:
            self._convert()
            self._state = "converting"
        elif code == READ:
            data = self._temperature + bytes(self._settings) + b"\xff\x0c\x10"
            self._out = data + bytes([maxim_crc(data) ^ self.damage])
            self._state = "read"
        elif code == WRITE:
            self._state = "write 0"
        elif code == COPY:
            self.eeprom = bytes(self._settings)
        elif code == RECALL:
            self._settings = bytearray(self.eeprom)
        elif code == POWER_SUPPLY:
            self._state = "read"  # ones: not parasitic

    def _convert(self) -> None:
        unused_bits = 3 - (self._settings[2] >> 5 & 3)
        duration_us = int(750_000 * self.slowness) >> unused_bits
        sixteenths = math.floor(min(max(self.temperature_c, -55), 125) * 16 + 0.5)
        sixteenths = sixteenths >> unused_bits << unused_bits
        self._latched = sixteenths.to_bytes(2, "little", signed=True)
        self._busy_until_us = self.now_us() + duration_us
        self.charge_uc += CONVERSION_MA * duration_us / 1000

    def _settle(self) -> None:
        if self._busy_until_us is not None and self.now_us() >= self._busy_until_us:
            self._temperature = self._latched
            self._busy_until_us = None


class OneWireBus:
    """Several devices on one wire: who sends a 0 pulls it down for all (esphome#2740, milesburton#54)."""

    def __init__(self, devices: Sequence[Ds18b20]) -> None:
        self.devices = devices

    def reset(self) -> bool:
        return sum(device.reset() for device in self.devices) > 0  # all of them

    def write(self, byte: int) -> None:
        for device in self.devices:
            device.write(byte)

    def read(self) -> int:
        return functools.reduce(operator.and_, [device.read() for device in self.devices], 0xFF)

    def write_bit(self, bit: int) -> None:
        for device in self.devices:
            device.write_bit(bit)

    def read_bit(self) -> int:
        return functools.reduce(operator.and_, [device.read_bit() for device in self.devices], 1)
