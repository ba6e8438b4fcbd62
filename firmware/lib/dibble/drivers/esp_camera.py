"""A camera at an ESP32, S2 or S3 with PSRAM, by CircuitPython's espcamera: an OV2640, OV5640 and what else that knows.

A small picture of its frame, in grey or colour, is what a model sees; a coarse one tells what moved. Its control bus is
config.i2c: the board's CAMERA_SIOD and CAMERA_SIOC, whichever names it has. A frame of grey, R96X96, is the least work.
CircuitPython only; stock MicroPython has no camera. Seen on no hardware yet.
Source: CircuitPython, ports/espressif/bindings/espcamera and common-hal/espcamera; espressif/esp32-camera.
"""

from dibble.drivers.camera import GIVEN, PICTURE, STUCK_CYCLES, Camera, cameras_of, channels  # noqa: F401

CHANNELS = GIVEN
RUNTIME = "circuitpython"
PIN = (int, str)
SETTINGS = PICTURE + (
    ("data", str, 1, 120, "CAMERA_DATA"),  # eight pins, the lowest bit first: the board's name of all, or A,B,C…
    ("pixel_clock", PIN, 0, 255, "CAMERA_PCLK"),
    ("vsync", PIN, 0, 255, "CAMERA_VSYNC"),
    ("href", PIN, 0, 255, "CAMERA_HREF"),
    ("external_clock", PIN, 0, 255, "CAMERA_XCLK"),  # "": its board has a clock of its own
    ("powerdown", PIN, 0, 255, ""),
    ("reset", PIN, 0, 255, ""),
    ("frame_size", str, 2, 8, "R96X96"),  # of espcamera.FrameSize
    ("swapped", bool, 0, 1, True),  # RGB565 comes with its upper byte first, as of each OV
    ("timeout_ms", int, 50, 3000, 1000),  # for a frame
)


def build(settings, port, bus):
    return Camera(cameras_of(port).EspCamera(settings, bus), port, settings)
