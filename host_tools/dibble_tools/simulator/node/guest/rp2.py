"""Inside the VM: `rp2.DMA` from the ADC's FIFO to memory; what else it can isn't simulated.

Memory is written when a program asks a channel how far it is: whoever reads it then finds what is there by that time.
"""

import machine
import wire
from adc_registers import Memory
from uctypes import addressof, bytearray_at

_CHANNELS = 12
_FIELDS = {  # RP2040 data sheet 2.5.7, RP2350's 12.6.10: place and bits
    "enable": (0, 1),
    "high_pri": (1, 1),
    "size": (2, 2),
    "inc_read": (4, 1),
    "inc_write": (5, 1),
    "ring_size": (6, 4),
    "ring_sel": (10, 1),
    "chain_to": (11, 4),
    "treq_sel": (15, 6),
    "irq_quiet": (21, 1),
}
_FIELDS_2350 = {
    "inc_write": (6, 1),
    "ring_size": (8, 4),
    "ring_sel": (12, 1),
    "chain_to": (13, 4),
    "treq_sel": (17, 6),
    "irq_quiet": (23, 1),
}
_RP2350 = Memory.BASE == 0x400A0000
if _RP2350:
    _FIELDS.update(_FIELDS_2350)
_TREQ_ADC = 48 if _RP2350 else 36
_MOST = 1 << 16  # values of one answer
_answer = bytearray(4 + 2 * _MOST)
_view = memoryview(_answer)
_used = {}  # channel -> DMA


def _field(ctrl, name):
    place, bits = _FIELDS[name]
    return ctrl >> place & (1 << bits) - 1


def _run():
    """Let the channels move what came since the last time."""
    if not machine.mem32.running:
        return
    wire.ask(68, 0, _MOST, b"", _answer)  # D
    came = _answer[0] | _answer[1] << 8 | _answer[2] << 16 | _answer[3] << 24
    held = wire.size - 4 >> 1
    if not machine.mem32.to_dma:
        return
    at = 4
    came -= max(0, came - held)
    while came:
        busy = [dma for dma in _used.values() if dma._busy and dma._takes_adc()]
        if not busy:
            return  # the FIFO overflows
        moved = busy[0]._move(at, came)
        at += 2 * moved
        came -= moved


class DMA:
    def __init__(self):
        free = [number for number in range(_CHANNELS) if number not in _used]
        if not free:
            raise OSError(16)
        self.channel = free[0]
        _used[self.channel] = self
        self._busy = False
        self._read = self._write = self._count = self._reload = 0
        self._ctrl = self.pack_ctrl()

    def pack_ctrl(self, default=None, **fields):
        if default is None:
            default = 0
            start = {"irq_quiet": 1, "treq_sel": 63, "inc_write": 1, "inc_read": 1, "size": 2, "enable": 1}
            start["chain_to"] = self.channel
            fields = dict(start, **fields)
        for name, value in fields.items():
            if name not in _FIELDS:
                raise TypeError
            place, bits = _FIELDS[name]
            value = int(value)
            if value >> bits:
                raise ValueError("bad field value")
            default = default & ~((1 << bits) - 1 << place) | value << place
        return default

    def config(self, *, read=None, write=None, count=None, ctrl=None, trigger=False):
        if read is not None:
            self._read = read if isinstance(read, int) else addressof(read)
        if write is not None:
            self._write = write if isinstance(write, int) else addressof(write)
        if count is not None:
            self._count = self._reload = count
        if ctrl is not None:
            self._ctrl = ctrl
        if trigger:
            self.active(True)

    def active(self, value=None):
        _run()
        if value is not None:
            self._busy = bool(value)
            if value:
                self._count = self._reload
        return self._busy

    @property
    def count(self):
        _run()
        return self._count

    @property
    def write(self):
        _run()
        return self._write

    def close(self):
        self._busy = False
        _used.pop(self.channel, None)

    def _takes_adc(self):
        ctrl = self._ctrl
        source = Memory.BASE + Memory.FIFO
        return (
            _field(ctrl, "treq_sel") == _TREQ_ADC
            and _field(ctrl, "enable")
            and self._read == source
            and not _field(ctrl, "inc_read")
        )

    def _move(self, at, most):
        """Write up to `most` values from the answer's `at` on; return how many."""
        ctrl = self._ctrl
        if _field(ctrl, "size") != 1 or not _field(ctrl, "inc_write"):
            raise NotImplementedError
        log2 = _field(ctrl, "ring_size") if _field(ctrl, "ring_sel") else 0
        count = min(most, self._count)
        if log2:
            mask = (1 << log2) - 1
            count = min(count, (mask + 1 - (self._write & mask)) >> 1)
        bytearray_at(self._write, 2 * count)[:] = _view[at : at + 2 * count]
        self._write += 2 * count
        if log2 and not self._write & mask:
            self._write -= mask + 1
        self._count -= count
        if not self._count:
            self._busy = False
            other = _field(ctrl, "chain_to")
            if other != self.channel and other in _used:
                _used[other]._busy = True
                _used[other]._count = _used[other]._reload
        return count
