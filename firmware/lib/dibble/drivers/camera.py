"""What both cameras have in common: a picture of a frame, the few numbers that tell it, and what they are asked."""

from dibble import ConfigError, SensorError
from dibble.inference.crc32 import crc32
from dibble.senses.heat import channels as channels_of_heat
from dibble.senses.picture import LEAST_SIDE, MOST_SIDE, Picture

UNIT = "counts"  # of brightness: 0 is black, 255 white
STUCK_CYCLES = 6  # pictures that are the same to the last bit
DARK = 8  # a picture none of whose codes is more: a night's are all alike, and no fault
GIVEN = channels_of_heat(UNIT, False, "bright")
PICTURE = (  # settings of each camera
    ("rows", int, LEAST_SIDE, 96, 32),  # of the picture: as the model sees it
    ("columns", int, LEAST_SIDE, 96, 32),
    ("colour", bool, 0, 1, False),  # red, green and blue of each pixel; else grey
    ("bright_counts", int, 2, 255, 24),  # above the background, from which on a part of the view stands out
    ("settle_frames", int, 0, 60, 8),  # thrown away once it has power: its exposure finds itself meanwhile
    ("blocks", bool, 0, 1, False),  # also the most of each of 4 x 4 parts of the view: for decisions by place
    ("frames", int, 0, 1000, 0),  # each so manyth is written to the console, for `collect --frames`; 0: none
)


def cameras_of(port):
    """Return the module of a port's cameras; raise ConfigError where there is none."""
    if not hasattr(port, "cameras"):
        raise ConfigError("config.sensors: expected CircuitPython for a camera: stock MicroPython has none")
    return port.cameras()


class Camera:
    """One camera.

    Args:
        eye: what takes frames: ports/circuitpython_cameras.py.
    Attributes:
        heat: senses.heat.Heat of its coarse picture.
        image, codes: of its picture, as senses.picture.Picture's.
        unit, step: of a pixel's code, for people.
        raw: what the last picture was, for who looks whether it changes.
    """

    unit = UNIT
    step = 1

    def __init__(self, eye, port, settings):
        self.frames = settings["frames"]
        self.picture = Picture(settings["rows"], settings["columns"], settings["colour"], settings["bright_counts"])
        self.heat = self.picture.heat
        self.image = self.picture.image
        self.codes = self.picture.codes
        self.raw = None
        self._eye = eye
        self._port = port
        self._settle = settings["settle_frames"]
        self._blocks = settings["blocks"]
        self._nights = 0

    def start(self):
        self._eye.start()
        for _ in range(self._settle):
            self._eye.take()
            self._port.sleep_ms(1)  # or a long start would end in the watchdog

    def read(self):
        """Return the readings of channels().

        Raises:
            SensorError: no camera, no frame in time, no room for one, or one that is smaller than the picture.
        """
        eye = self._eye
        source = eye.take()
        if not self.picture.take(source, eye.height, eye.width, eye.bits, eye.swapped):
            raise SensorError(
                "expected a camera's frame of %d x %d pixels or more, up to %d a side, got %d x %d: another "
                "frame_size, or fewer rows and columns" % (self.image[:2] + (MOST_SIDE, eye.height, eye.width))
            )
        heat = self.heat
        if heat.most < DARK:
            self._nights = self._nights + 1 & 255
            self.raw = self._nights
        else:
            self.raw = crc32(self.codes, len(self.codes), 0)
        readings = heat.tell(1)
        return readings + heat.blocks(1) if self._blocks else readings


def channels(settings):
    """Return the channels that a camera with these settings gives."""
    return channels_of_heat(UNIT, settings["blocks"], "bright")
