"""Inside the VM: the `onewire` of MicroPython's firmware, byte by byte, and bit by bit in a search."""

import wire


class OneWire:
    def __init__(self, pin):
        self.pin = pin.id

    def reset(self, required=False):
        return bool(wire.ask(49, self.pin, 256))

    def writebyte(self, value):
        wire.ask(49, self.pin, value)

    def readbyte(self):
        return wire.number(50, self.pin) & 255

    def writebit(self, value):
        wire.ask(49, self.pin, 258 if value else 257)

    def readbit(self):
        return wire.number(50, self.pin, 1) & 1
