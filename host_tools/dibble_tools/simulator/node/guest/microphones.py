"""Inside the VM: what `machine` has for microphones: I2S, and an RP2's ADC in free run.

Imported where something is heard: programs that don't listen keep the heap that it takes.
"""

import gc
import time

import machine
import wire
from board_sys import platform
from uctypes import addressof, bytearray_at
from ustruct import pack


class I2S:
    """Receives 16 bits mono; what else it can isn't simulated."""

    RX, TX = (0, 1) if platform == "rp2" else (9, 5)
    STEREO, MONO = 0, 1

    def __init__(self, id, *, sck, ws, sd, mode, bits, format, rate, ibuf):
        if not 0 <= id <= 1:
            raise ValueError("invalid id")
        if platform == "rp2" and ws.id != sck.id + 1:
            raise ValueError("invalid ws (must be sck+1)")
        if bits not in (16, 32):
            raise ValueError("invalid bits")
        if ibuf <= 0:
            raise ValueError("invalid ibuf")
        if mode != I2S.RX or bits != 16 or format != I2S.MONO:
            raise NotImplementedError
        if ibuf > gc.mem_free():  # it lies on the heap
            raise MemoryError("memory allocation failed")
        self._ring = bytearray(ibuf)
        self._into = self._handler = self._known = self._bytes = None
        wire.ask(77, 1, rate, pack("<II", sd.id, ibuf))  # M

    def irq(self, handler):
        self._handler = handler
        time.filled = self._filled

    def readinto(self, into):
        if into is not self._known:
            size = len(into) * (1 if isinstance(into, bytearray) else 2)
            self._known, self._bytes = into, bytearray_at(addressof(into), size)
        wire.ask(68, 1, len(self._bytes) >> 1)  # D
        self._into = into
        if not self._handler:  # it waits
            time.filled = self._filled
            while self._into is not None:
                time.sleep_ms(1)
        return len(self._bytes)

    def _filled(self):
        self._into = None
        wire.ask(68, 0, 0, b"", self._bytes)
        if self._handler:
            self._handler(self)

    def deinit(self):
        time.filled = None


if platform in ("rp2", "esp32", "mimxrt", "stm32"):
    machine.I2S = I2S
if platform == "rp2":
    from adc_registers import FreeAdc, Memory

    machine.mem32 = Memory()
    machine.ADC = FreeAdc
    import rp2  # now, while the heap still has a piece for what the ADC delivers
