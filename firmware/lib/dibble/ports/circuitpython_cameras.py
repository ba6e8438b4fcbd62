"""Cameras as CircuitPython's boards have them: see dibble.drivers.camera. Never run on CircuitPython itself.

Each of them has start(); take() -> a buffer of the frame, good until the next one is taken; height, width; bits of a
pixel; swapped: 16 bits have their bytes exchanged. SensorError says what is wrong.
"""

import gc
from array import array

import board

from dibble import ConfigError, SensorError
from dibble.ports.circuitpython_pins import named
from dibble.ports.circuitpython_time import seconds

PINS = ("pixel_clock", "vsync", "href", "external_clock", "powerdown", "reset")
DATA_PINS = 8
PRODUCTS = {"ov7670": 0x76, "ov2640": 0x26}


def _data_pins(text):
    """Return the pins of a board's tuple, or those named with commas between."""
    found = getattr(board, text, None)
    pins = list(found) if isinstance(found, (tuple, list)) else [named(name.strip()) for name in text.split(",")]
    if len(pins) != DATA_PINS:
        raise ConfigError("config.sensors: expected %d data pins of a camera, got %d" % (DATA_PINS, len(pins)))
    return pins


def _pins(settings):
    """Return the pins of PINS; None where the configuration names none."""
    return [None if settings[name] == "" else named(settings[name]) for name in PINS]


class EspCamera:
    """espcamera.Camera: frames lie in the PSRAM, one at a time."""

    def __init__(self, settings, bus):
        try:
            import espcamera
        except ImportError:
            raise ConfigError("config.sensors: expected a CircuitPython with espcamera: an ESP32, S2 or S3 with PSRAM")
        self._module = espcamera
        self._bus = _present(bus)
        self._data = _data_pins(settings["data"])
        self._pins = _pins(settings)
        self._size = getattr(espcamera.FrameSize, settings["frame_size"], None)
        if self._size is None:
            names = [name for name in dir(espcamera.FrameSize) if name[0] != "_"]
            raise ConfigError(
                "config.sensors: expected a frame_size of espcamera (%s), got %r"
                % (", ".join(names), settings["frame_size"])
            )
        self._colour = settings["colour"]
        self._timeout_ms = settings["timeout_ms"]
        self._camera = None
        self.bits = 16 if self._colour else 8
        self.swapped = settings["swapped"]
        self.height = self.width = 0

    def start(self):
        if self._camera:
            self._camera.deinit()
            self._camera = None
        gc.collect()  # one that couldn't be made keeps its pins until then
        module = self._module
        clock, vsync, href, external, powerdown, reset = self._pins
        try:
            self._camera = module.Camera(
                data_pins=self._data,
                pixel_clock_pin=clock,
                vsync_pin=vsync,
                href_pin=href,
                i2c=self._bus.raw,
                external_clock_pin=external,
                powerdown_pin=powerdown,
                reset_pin=reset,
                pixel_format=module.PixelFormat.RGB565 if self._colour else module.PixelFormat.GRAYSCALE,
                frame_size=self._size,
                framebuffer_count=1,
                grab_mode=module.GrabMode.WHEN_EMPTY,
            )
        except MemoryError as error:
            raise SensorError("expected PSRAM for a frame of the camera, got none that is free: %s" % error)
        except (OSError, RuntimeError, ValueError) as error:
            raise SensorError("expected a camera that answers, and its pins free, got: %r" % error)

    def take(self):
        """Return a frame that began after this call: one that waited may be as old as the last reading."""
        camera = self._camera
        if camera is None:
            raise SensorError("expected a camera, got none started")
        longest = seconds(self._timeout_ms)
        try:
            camera.take(longest)
            bitmap = camera.take(longest)
        except (OSError, RuntimeError, MemoryError) as error:
            raise SensorError("expected a frame of the camera, got: %r" % error)
        if bitmap is None:
            raise SensorError("expected a frame of the camera within %d ms, got none" % self._timeout_ms)
        self.height, self.width = bitmap.height, bitmap.width
        return memoryview(bitmap)


class ParallelCamera:
    """imagecapture.ParallelImageCapture by Adafruit's library of the chip: RGB565 into a buffer of ours."""

    bits = 16

    def __init__(self, settings, bus):
        try:
            import imagecapture  # noqa: F401
        except ImportError:
            raise ConfigError("config.sensors: expected a CircuitPython with imagecapture: RP2040, RP2350 or SAMD51")
        self._chip = settings["chip"]
        self._size = settings["frame_size"]
        self._bus = _present(bus)
        self._data = _data_pins(settings["data"])
        self._pins = _pins(settings)
        self._camera = None
        self._buffer = array("H")
        self.swapped = settings["swapped"]
        self.height = self.width = 0

    def start(self):
        if self._camera:
            self._camera.deinit()
            self._camera = None
        gc.collect()
        library = "adafruit_" + self._chip
        try:
            module = __import__(library)
        except ImportError:
            raise SensorError("expected the library %s in /lib, got none" % library)
        name = self._chip.upper()
        size = getattr(module, "%s_SIZE_%s" % (name, self._size), None)
        if size is None:
            raise SensorError("expected a frame_size that %s has, got %r" % (library, self._size))
        clock, vsync, href, external, shutdown, reset = self._pins
        try:
            self._camera = getattr(module, name)(
                self._bus.raw,
                data_pins=self._data,
                clock=clock,
                vsync=vsync,
                href=href,
                shutdown=shutdown,
                reset=reset,
                mclk=external,
            )
            self._camera.size = size
            self.height, self.width = self._camera.height, self._camera.width
        except (OSError, RuntimeError, ValueError, TypeError) as error:
            raise SensorError("expected a camera %s that answers, and its pins free, got: %r" % (name, error))
        pixels = self.height * self.width
        if len(self._buffer) != pixels:
            self._buffer = array("H")  # the heap has it back first
            gc.collect()
            try:
                self._buffer = array("H", bytearray(2 * pixels))
            except MemoryError:
                raise SensorError("expected %d bytes of heap for a frame, in one piece, got less" % (2 * pixels))

    def take(self):
        """Return the next frame: the capture waits for its beginning. One that doesn't answer isn't waited for."""
        if self._camera is None:
            raise SensorError("expected a camera, got none started")
        try:
            product = self._camera.product_id
            if product != PRODUCTS[self._chip]:
                raise SensorError("expected chip id 0x%02x of the camera, got 0x%02x" % (PRODUCTS[self._chip], product))
            self._camera.capture(self._buffer)
        except (OSError, RuntimeError, ValueError) as error:
            raise SensorError("expected a frame of the camera, got: %r" % error)
        return self._buffer


def _present(bus):
    if bus is None:
        raise ConfigError("config.i2c: expected the pins of the camera's control bus, got none")
    return bus
