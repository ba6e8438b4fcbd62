"""Inside the VM: an I2S microphone, 24 bits of which the upper 16 are told; what else it can isn't simulated."""

import time
import wire
from uctypes import addressof, bytearray_at
from ustruct import pack


class I2SIn:
    overflow = False

    def __init__(
        self, bit_clock, word_select, data, *, sample_rate=16000, bit_depth=16, output_bit_depth=None, mono=True
    ):
        if abs(bit_clock.number - word_select.number) != 1:
            raise ValueError("Bit clock and word select must be sequential GPIO pins")
        if bit_depth != 32 or output_bit_depth != 16 or not mono:
            raise NotImplementedError
        self._pins = (bit_clock, word_select, data)
        for pin in self._pins:
            pin.claim()
        half = max(sample_rate * 8 * 40 // 1000, 4096) >> 3
        wire.ask(77, 3, sample_rate, pack("<II", data.number, half))  # M

    def record(self, destination, destination_length):
        if len(destination) < destination_length:
            raise ValueError("Destination capacity is smaller than destination_length.")
        into = bytearray_at(addressof(destination), 2 * destination_length)
        self.overflow = bool(wire.ask(68, 0, destination_length, b"", into))  # D
        time.up_ms()
        return destination_length

    def deinit(self):
        for pin in self._pins:
            pin.release()
