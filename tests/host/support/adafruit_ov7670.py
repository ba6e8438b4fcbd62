"""In place of Adafruit's library of the OV7670: its names, what it asks by I2C, and its captures; copied to /lib."""

import imagecapture

OV7670_SIZE_DIV4, OV7670_SIZE_DIV8, OV7670_SIZE_DIV16 = 2, 3, 4


class OV7670:
    def __init__(
        self, i2c_bus, data_pins, clock, vsync, href, shutdown=None, reset=None, mclk=None, mclk_frequency=16000000
    ):
        self._i2c = i2c_bus
        self._asked(0x12)  # resets it
        self._size = OV7670_SIZE_DIV8
        self._imagecapture = imagecapture.ParallelImageCapture(data_pins=data_pins, clock=clock, vsync=vsync, href=href)

    @property
    def width(self):
        return 640 >> self._size

    @property
    def height(self):
        return 480 >> self._size

    @property
    def size(self):
        return self._size

    @size.setter
    def size(self, size):
        self._asked(0x0C)
        self._size = size

    @property
    def product_id(self):
        return self._asked(0x0A)

    def capture(self, buf):
        self._imagecapture._shape = self.height, self.width
        self._imagecapture.capture(buf)

    def deinit(self):
        self._imagecapture.deinit()

    def _asked(self, register):
        while not self._i2c.try_lock():
            pass
        try:
            answer = bytearray(1)
            self._i2c.writeto(0x21, bytes((register,)))
            self._i2c.readfrom_into(0x21, answer)
        finally:
            self._i2c.unlock()
        return answer[0]
