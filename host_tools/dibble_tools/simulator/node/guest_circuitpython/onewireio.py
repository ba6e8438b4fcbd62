"""Inside the VM: 1-Wire, bit by bit; the field's devices get whole bytes, but in a search."""

import wire


class OneWire:
    def __init__(self, pin):
        self._number = pin.claim()
        self._begin()

    def _begin(self):
        self._out = self._in = self._sent = self._left = 0
        self._searching = False

    def reset(self):
        self._begin()
        return not wire.ask(49, self._number, 256)

    def write_bit(self, value):
        if self._searching:
            wire.ask(49, self._number, 258 if value else 257)
            return
        self._out |= bool(value) << self._sent
        self._sent += 1
        if self._sent == 8:
            wire.ask(49, self._number, self._out)
            self._searching = self._out == 0xF0
            self._out = self._sent = 0

    def read_bit(self):
        if self._searching:
            return bool(wire.number(50, self._number, 1) & 1)
        if not self._left:
            self._in = wire.number(50, self._number) & 255
            self._left = 8
        bit = bool(self._in & 1)
        self._in >>= 1
        self._left -= 1
        return bit
