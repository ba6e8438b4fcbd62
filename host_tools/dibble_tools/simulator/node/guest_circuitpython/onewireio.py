"""Inside the VM: 1-Wire, bit by bit; the field's devices get whole bytes."""

import wire


class OneWire:
    def __init__(self, pin):
        self._number = pin.claim()
        self._begin()

    def _begin(self):
        self._out = self._in = self._sent = self._left = 0

    def reset(self):
        self._begin()
        return not wire.ask(49, self._number, 256)

    def write_bit(self, value):
        self._out |= bool(value) << self._sent
        self._sent += 1
        if self._sent == 8:
            wire.ask(49, self._number, self._out)
            self._out = self._sent = 0

    def read_bit(self):
        if not self._left:
            self._in = wire.number(50, self._number) & 255
            self._left = 8
        bit = bool(self._in & 1)
        self._in >>= 1
        self._left -= 1
        return bit
