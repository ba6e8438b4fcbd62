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
