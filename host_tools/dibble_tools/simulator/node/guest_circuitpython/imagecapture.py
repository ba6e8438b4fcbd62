"""Inside the VM: a camera's pixels by an RP2's PIO: data pins that follow each other; a capture waits for ever.

It takes as many bytes as the buffer has, from the beginning of a frame on: ports/raspberrypi/common-hal/imagecapture.
"""

import time
import wire
from ustruct import pack


class ParallelImageCapture:
    def __init__(self, *, data_pins, clock, vsync, href):
        for i in range(1, len(data_pins)):
            if data_pins[i].number - data_pins[0].number != i:
                raise RuntimeError("Pins must be sequential")
        self._pins = []
        several = list(data_pins)
        several += [clock, vsync, href]
        for pin in several:
            pin.claim()
            self._pins.append(pin)

    def capture(self, buffer):
        """Capture into a buffer; _shape is the camera's, told by its library's stand-in."""
        height, width = self._shape
        own = 2 * height * width
        into = memoryview(buffer)
        size = len(into) * (2 if len(bytes(into[:1])) == 2 else 1)
        frame = bytearray(own)
        at = 0
        whole = bytearray(size)
        while at < size:  # a larger one goes on with the frames that follow
            if wire.ask(86, 2, 0, pack("<HHBH", height, width, 16, 0), frame):  # V
                while True:
                    time.sleep(1)  # until the watchdog ends it
            time.up_ms()
            part = min(own, size - at)
            whole[at : at + part] = frame[:part]
            at += part
        for i in range(len(into)):
            into[i] = whole[i] if size == len(into) else whole[2 * i] | whole[2 * i + 1] << 8
        return buffer

    def deinit(self):
        for pin in self._pins:
            pin.release()
        self._pins = []
