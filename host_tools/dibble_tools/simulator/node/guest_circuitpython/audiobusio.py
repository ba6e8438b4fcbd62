"""Inside the VM: a PDM microphone, 16 bits without a sign; what else it can isn't simulated."""

import time
import wire
from uctypes import addressof, bytearray_at
from ustruct import pack


class PDMIn:
    def __init__(self, clock_pin, data_pin, *, sample_rate=16000, bit_depth=8, mono=True):
        if sample_rate < 16000:
            raise ValueError("sample_rate must be >= 16000")
        if bit_depth != 16 or not mono:
            raise NotImplementedError
        self._pins = (clock_pin, data_pin)
        for pin in self._pins:
            pin.claim()
        wire.ask(77, 4, sample_rate, pack("<II", data_pin.number, 0))  # M

    def record(self, destination, destination_length):
        into = bytearray_at(addressof(destination), 2 * destination_length)
        wire.ask(68, 0, destination_length, b"", into)  # D
        for i in range(1, len(into), 2):
            into[i] ^= 128
        time.up_ms()
        return destination_length

    def deinit(self):
        for pin in self._pins:
            pin.release()
