"""A camera of eight data pins, an OV2640 or OV7670 as their libraries set them: recorded frames, played by the clock.

Source: OV7670 and OV2640 data sheets (product numbers, RGB565 upper byte first); CircuitPython's espcamera and
imagecapture for how frames are waited for. Exposure finds itself within some frames of power-on.
Not modelled: a lens, noise, rolling shutter, JPEG.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dibble_tools.simulator.node.bus import Nack

FRAME_US = 66_667  # 15 a second
EXPOSED_AFTER = 6  # frames
PRODUCT_ID = {"ov7670": (0x0A, 0x76), "ov2640": (0x0A, 0x26)}  # register, number
ADDRESS = {"ov7670": 0x21, "ov2640": 0x30}
GREY, RGB565 = 8, 16  # bits of a pixel


@dataclass(frozen=True)
class Recorded:
    """A recorded frame: red, green and blue of each pixel, row by row."""

    height: int
    width: int
    rgb: bytes


class Camera:
    """One camera.

    Args:
        frames: recorded; each is shown for `shown_us`, the last one from then on.
        chip: "ov7670" or "ov2640".
    Attributes:
        absent: it answers nothing, and gives no frame.
        silent: it answers, but its pixel clock stands still.
        missed: numbers of frames since power-on that never come, as after a lost vertical sync.
    """

    def __init__(
        self,
        now_us: Callable[[], int],
        frames: Sequence[Recorded],
        *,
        chip: str = "ov2640",
        shown_us: int = 60_000_000,
    ) -> None:
        self._now_us = now_us
        self.frames = list(frames)
        self.chip = chip
        self.shown_us = shown_us
        self.absent = self.silent = False
        self.missed: set[int] = set()
        self._register = 0
        self._start_us = now_us()

    def power_cycle(self) -> None:
        """Begin as after power-on."""
        self._start_us = self._now_us()

    def write(self, data: bytes) -> None:
        if self.absent:
            raise Nack
        self._register = data[0]

    def read(self, size: int) -> bytes:
        if self.absent:
            raise Nack
        register, number = PRODUCT_ID[self.chip]
        return bytes([number if self._register == register else 0]) * size

    def next_frame(self, since_us: int) -> int | None:
        """Return when the first frame that begins after a moment is whole; None: never."""
        if self.absent or self.silent:
            return None
        number = max(0, -(-(since_us - self._start_us) // FRAME_US))
        while number in self.missed:
            number += 1
        return self._start_us + (number + 1) * FRAME_US

    def pixels(self, whole_us: int, height: int, width: int, bits: int) -> bytes:
        """Return the bytes that the chip sends of the frame which is whole at a moment."""
        begun_us = whole_us - FRAME_US
        frame = self.frames[min(len(self.frames) - 1, max(0, begun_us - self._start_us) // self.shown_us)]
        exposed = min(EXPOSED_AFTER, (begun_us - self._start_us) // FRAME_US + 1)
        out = bytearray()
        for r in range(height):
            row = r * frame.height // height * frame.width
            for c in range(width):
                at = 3 * (row + c * frame.width // width)
                red, green, blue = (frame.rgb[at + k] * exposed // EXPOSED_AFTER for k in range(3))
                if bits == GREY:
                    out.append((77 * red + 150 * green + 29 * blue) >> 8)
                else:
                    out += ((red >> 3) << 11 | (green >> 2) << 5 | blue >> 3).to_bytes(2, "big")
        return bytes(out)
