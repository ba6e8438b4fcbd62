"""Inside the VM: the registers of an RP2's ADC in `machine.mem32`, for programs that let it run freely."""

import machine
import wire
from board_sys import chip
from ustruct import pack


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
