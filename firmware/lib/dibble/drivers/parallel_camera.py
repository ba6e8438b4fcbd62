"""A camera at an RP2040, RP2350 or SAMD51, by CircuitPython's imagecapture and Adafruit's library of its chip in /lib.

A small picture of its frame, in grey or colour, is what a model sees; a coarse one tells what moved. Its control bus is
config.i2c. A frame of DIV8, 80 x 60, is 9,600 bytes of heap in one piece. On an RP2 the data pins follow each other.
Where its pixel clock fails while it still answers by I2C, CircuitPython waits for ever: the watchdog ends that.
CircuitPython only; stock MicroPython has no camera. Seen on no hardware yet.
Source: CircuitPython, shared-bindings/imagecapture, ports/raspberrypi/common-hal/imagecapture;
adafruit/Adafruit_CircuitPython_OV7670, Adafruit_CircuitPython_OV2640.
"""

from dibble import ConfigError
from dibble.drivers.camera import GIVEN, PICTURE, STUCK_CYCLES, Camera, cameras_of, channels  # noqa: F401

CHANNELS = GIVEN
RUNTIME = "circuitpython"
PIN = (int, str)
CHIPS = ("ov7670", "ov2640")
SETTINGS = PICTURE + (
    ("chip", str, 6, 6, "ov7670"),  # or ov2640; by the library adafruit_ov7670, adafruit_ov2640
    ("data", str, 1, 120, "CAMERA_DATA"),  # eight pins, the lowest bit first: the board's name of all, or A,B,C…
    ("pixel_clock", PIN, 0, 255, "CAMERA_PCLK"),
    ("vsync", PIN, 0, 255, "CAMERA_VSYNC"),
    ("href", PIN, 0, 255, "CAMERA_HREF"),
    ("external_clock", PIN, 0, 255, "CAMERA_XCLK"),  # "": its board has a clock of its own
    ("powerdown", PIN, 0, 255, ""),
    ("reset", PIN, 0, 255, ""),
    ("frame_size", str, 3, 8, "DIV8"),  # as the library names it: DIV8 of OV7670_SIZE_DIV8; of an OV2640 QQVGA
    ("swapped", bool, 0, 1, True),  # RGB565 comes with its upper byte first
)


def build(settings, port, bus):
    if settings["chip"] not in CHIPS:
        raise ConfigError("config.sensors: expected chip %s, got %r" % (" or ".join(CHIPS), settings["chip"]))
    return Camera(cameras_of(port).ParallelCamera(settings, bus), port, settings)
