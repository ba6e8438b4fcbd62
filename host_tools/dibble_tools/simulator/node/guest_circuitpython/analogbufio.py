"""Inside the VM: an analog input that fills a ring for ever; what else it can isn't simulated."""

import time
import wire
from array import array
from microcontroller import ANALOG_PINS
from uctypes import addressof, bytearray_at
from ustruct import pack

_answer = bytearray(4 + (1 << 17))
_view = memoryview(_answer)


class BufferedIn:
    def __init__(self, pin, *, sample_rate):
        if pin.number not in ANALOG_PINS:
            raise ValueError("Invalid pin")
        self._number = pin.claim()
        self._rate = sample_rate
        self._pin = pin
        self._size = self._at = 0

    def readinto(self, buffer, loop=False):
        if not loop:
            raise NotImplementedError
        if not isinstance(buffer, array):
            raise ValueError("buffer must be a bytearray or array of type 'H' or 'B'")
        self._buffer = buffer
        self._size = len(buffer)
        self._bytes = bytearray_at(addressof(buffer), 2 * self._size)
        wire.ask(77, 2, self._rate, pack("<II", self._number, 0))  # M
        time.streams.append(self._write)
        return 0

    def _write(self):
        """What the DMA has written by now."""
        wire.ask(68, 0, self._size, b"", _answer)  # D
        came = _answer[0] | _answer[1] << 8 | _answer[2] << 16 | _answer[3] << 24
        held = wire.size - 4 >> 1
        self._at = (self._at + came - held) % self._size
        at = 4
        while held:
            count = min(held, self._size - self._at)
            self._bytes[2 * self._at : 2 * (self._at + count)] = _view[at : at + 2 * count]
            at += 2 * count
            held -= count
            self._at = (self._at + count) % self._size

    def deinit(self):
        time.streams.remove(self._write)
        self._pin.release()
