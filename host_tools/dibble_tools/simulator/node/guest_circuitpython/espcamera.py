"""Inside the VM: a camera behind an ESP32's parallel interface, one frame buffer, filled when it is empty.

What raises what, and when: ports/espressif/common-hal/espcamera/Camera.c. A frame that waits is as old as the moment
its buffer became free. Not modelled: JPEG, two buffers, and that pins of a camera which couldn't be made are claimed
until it is collected.
"""

from array import array

import time
import wire
from microcontroller import LACKS
from ustruct import pack


class IDFError(OSError):
    pass


class IDFMemoryError(MemoryError):
    pass


class GrabMode:
    WHEN_EMPTY = "WHEN_EMPTY"
    LATEST = "LATEST"


class PixelFormat:
    RGB565 = 16
    GRAYSCALE = 8
    JPEG = 0


class FrameSize:
    R96X96 = (96, 96)
    QQVGA = (120, 160)
    QCIF = (144, 176)
    HQVGA = (176, 240)
    R240X240 = (240, 240)
    QVGA = (240, 320)


class _Bytes(bytearray):
    """displayio.Bitmap of 8 bits a value, read only."""


class _Words(array):
    """displayio.Bitmap of 16 bits a value, read only: in a pixel's word the byte sent first is the lower one."""


class Camera:
    def __init__(
        self,
        *,
        data_pins,
        pixel_clock_pin,
        vsync_pin,
        href_pin,
        i2c,
        external_clock_pin=None,
        external_clock_frequency=20000000,
        powerdown_pin=None,
        reset_pin=None,
        pixel_format=PixelFormat.RGB565,
        frame_size=FrameSize.QQVGA,
        jpeg_quality=15,
        framebuffer_count=1,
        grab_mode=GrabMode.WHEN_EMPTY,
    ):
        if len(data_pins) != 8:
            raise ValueError("data_pins length must be 8")
        if framebuffer_count != 1 or grab_mode != GrabMode.WHEN_EMPTY or pixel_format == PixelFormat.JPEG:
            raise NotImplementedError
        several = list(data_pins)
        several += [pixel_clock_pin, vsync_pin, href_pin]
        several += [pin for pin in (external_clock_pin, powerdown_pin, reset_pin) if pin]
        self._pins = []
        try:
            for pin in several:
                pin.claim()
                self._pins.append(pin)
            self._begin(i2c)
        except Exception:
            self.deinit()
            raise
        self.height, self.width = frame_size
        self._bits = pixel_format
        size = self.height * self.width * pixel_format >> 3
        self._frame = bytearray(size)
        self._bitmap = None
        self._held = False

    def _begin(self, i2c):
        if not i2c.try_lock():
            raise OSError(11)
        try:
            if "psram" in LACKS:
                raise IDFMemoryError("Out of memory")
            if wire.ask(86, 0):  # V: is it there?
                raise IDFError("ESP_ERR_NOT_FOUND")
        finally:
            i2c.unlock()

    def take(self, timeout=0.25):
        if self._pins is None:
            raise ValueError("Object has been deinitialized and can no longer be used. Create a new object.")
        request = pack("<HHBH", self.height, self.width, self._bits, int(timeout * 1000 + 0.5))
        missing = wire.ask(86, 1, int(self._held), request, self._frame)
        self._held = not missing
        time.up_ms()
        if missing:
            return None
        bitmap = _Bytes(self._frame) if self._bits == 8 else _Words("H", self._frame)
        bitmap.height, bitmap.width = self.height, self.width
        return bitmap

    def deinit(self):
        for pin in self._pins or ():
            pin.release()
        self._pins = None
