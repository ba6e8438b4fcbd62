"""Inside the VM: what `machine` has for microphones: I2S, and the registers of an RP2's ADC.

Imported where something is heard: programs that don't listen keep the heap that it takes.
"""

import gc
import time

import machine
import wire
from board_sys import chip, platform
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


class Memory:
    """mem32 of an RP2's ADC, the one part of it that programs here have a use for.

    With the ADC in free run its values go to DMA, if that is there: rp2.py. A reading in between selects another input.
    """

    CS, FCS, FIFO, DIV = 0, 8, 12, 16
    BASE = 0x400A0000 if chip == "RP2350" else 0x4004C000

    def __init__(self):
        self._words = {}
        self.running = False

    def __getitem__(self, address):
        return self._words.get(self._checked(address), 0)

    def __setitem__(self, address, word):
        offset = self._checked(address)
        self._words[offset] = word
        if offset == self.CS:
            self.running = word & 9 == 9
            if self.running:
                self._start()

    def _checked(self, address):
        offset = address - self.BASE
        if offset not in (self.CS, self.FCS, self.FIFO, self.DIV):
            raise NotImplementedError("mem32[0x%08x]" % address)
        return offset

    def _start(self):
        rate = 48000000 // ((self._words[self.DIV] >> 8) + 1)
        self.to_dma = self._words[self.FCS] & 9 == 9
        wire.ask(77, 2, rate, pack("<II", 26 + (self._words[self.CS] >> 12 & 15), 0))

    def select(self, pin):
        """As adc_read() does, whatever runs."""
        if self.running:
            self._words[self.CS] = self._words[self.CS] & ~(15 << 12) | pin - 26 << 12
            self._start()


_Adc = machine.ADC


class FreeAdc(_Adc):
    """An ADC whose reading puts one that runs by itself to another input."""

    def read_u16(self):
        machine.mem32.select(self.pin)
        return _Adc.read_u16(self)


if platform in ("rp2", "esp32", "mimxrt", "stm32"):
    machine.I2S = I2S
if platform == "rp2":
    machine.mem32 = Memory()
    machine.ADC = FreeAdc
    import rp2
