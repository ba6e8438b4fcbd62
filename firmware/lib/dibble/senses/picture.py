"""A camera's frame made small, in integers: means of its pixels as grey, or as red, green and blue, of 8 bits.

What is seen is the largest part in its middle that has the shape of what is wanted. A coarse grey one of it has a
background as a thermal array's has: senses.heat tells how much of the view is brighter than it was, and what moved.
"""

from dibble.inference.kernels.generator import started
from dibble.senses.heat import Heat

MOTION_PIXELS = 256  # of the coarse one, at most
LEAST_SIDE = 8  # of a picture: so a mean is of few enough pixels for 31 bits
MOST_SIDE = 1200  # of a camera's frame
RED, GREEN, BLUE = 77, 150, 29  # of 256: how bright each looks (ITU-R BT.601)


class Picture:
    """What a camera sees.

    Args:
        rows, columns: of the picture, LEAST_SIDE or more.
        colour: red, green and blue of each pixel; else grey.
        bright: codes above the background from which on a pixel of the coarse picture stands out.
    Attributes:
        image: (rows, columns, codes of a pixel).
        codes: bytearray, row by row, the codes of a pixel together.
        heat: senses.heat.Heat of the coarse picture.
    """

    def __init__(self, rows, columns, colour, bright):
        depth = 3 if colour else 1
        self.image = (rows, columns, depth)
        self.codes = bytearray(rows * columns * depth)
        self._side = side = _coarse_side(rows, columns)
        self.heat = Heat(rows // side, columns // side, bright)
        self._down = _edges(rows)
        self._right = _edges(columns)
        self._size = None
        self._kernels = None

    def take(self, source, height, width, bits, swapped):
        """Take a frame: make the picture of it, and tell the background.

        Args:
            source: buffer of height * width pixels, row by row: bytes of grey, or 16 bits each.
            bits: of a pixel: 8 or 16, which are RGB565.
            swapped: 16 bits have their bytes exchanged: cameras send the upper one first, chips read it last.
        Returns:
            False where the frame is smaller than the picture, or larger than any.
        """
        if self._size != (height, width, bits, swapped):
            if not self._fit(height, width):
                return False
            grey_wanted = self.image[2] == 1
            kernel = _grey if bits == 8 else _colours
            self._kernels = started(kernel(self, width, swapped, grey_wanted)), started(_coarse(self))
            self._size = (height, width, bits, swapped)
        found, coarse = self._kernels
        found(source)
        coarse(None)
        return self.heat.update()

    def _fit(self, height, width):
        """Find the edges of what each pixel is the mean of; False: there are none."""
        rows, columns, _ = self.image
        wide = min(width, height * columns // rows)
        high = min(height, width * rows // columns)
        if wide < columns or high < rows or max(height, width) > MOST_SIDE:
            return False
        _spread(self._down, (height - high) // 2, high)
        _spread(self._right, (width - wide) // 2, wide)
        return True


def _edges(count):
    from array import array

    return array("H", [0] * (count + 1))


def _spread(edges, first, length):
    count = len(edges) - 1
    for i in range(count + 1):
        edges[i] = first + i * length // count


def _coarse_side(rows, columns):
    """Return how many pixels to a side one of the coarse picture has."""
    side = 1
    while (rows // side) * (columns // side) > MOTION_PIXELS:
        side += 1
    return side


def _grey(picture, width, swapped, grey_wanted):
    """Give means of bytes; of a grey camera all three colours are its grey."""
    codes, down, right = picture.codes, picture._down, picture._right
    repeated = 1 if grey_wanted else 3
    while True:
        source = yield
        at = 0
        for r in range(len(down) - 1):
            top, below = down[r], down[r + 1]
            for c in range(len(right) - 1):
                left, end = right[c], right[c + 1]
                total = 0
                row = top * width
                for _ in range(top, below):
                    for i in range(row + left, row + end):
                        total += source[i]
                    row += width
                count = (below - top) * (end - left)
                total = (total + (count >> 1)) // count
                for _ in range(repeated):
                    codes[at] = total
                    at += 1


def _colours(picture, width, swapped, grey_wanted):
    """Give means of RGB565, each colour of 0..255, or of what they look like together."""
    codes, down, right = picture.codes, picture._down, picture._right
    weights = RED, GREEN, BLUE
    while True:
        source = yield
        at = 0
        for r in range(len(down) - 1):
            top, below = down[r], down[r + 1]
            for c in range(len(right) - 1):
                left, end = right[c], right[c + 1]
                red = green = blue = 0
                row = top * width
                for _ in range(top, below):
                    for i in range(row + left, row + end):
                        pixel = source[i]
                        if swapped:
                            red += pixel >> 3 & 31
                            green += (pixel & 7) << 3 | pixel >> 13
                            blue += pixel >> 8 & 31
                        else:
                            red += pixel >> 11
                            green += pixel >> 5 & 63
                            blue += pixel & 31
                    row += width
                count = (below - top) * (end - left)
                most = 31 * count
                half = most >> 1
                red = (red * 255 + half) // most
                blue = (blue * 255 + half) // most
                most = 63 * count
                green = (green * 255 + (most >> 1)) // most
                if grey_wanted:
                    codes[at] = (weights[0] * red + weights[1] * green + weights[2] * blue + 128) >> 8
                    at += 1
                else:
                    codes[at] = red
                    codes[at + 1] = green
                    codes[at + 2] = blue
                    at += 3


def _coarse(picture):
    """Put the grey means of side x side pixels into the background's frame; what is left at the ends isn't."""
    codes, frame, side = picture.codes, picture.heat.frame, picture._side
    _, columns, depth = picture.image
    high, wide = picture.heat.rows, picture.heat.columns
    count = side * side * depth
    while True:
        yield
        at = 0
        for r in range(high):
            for c in range(wide):
                total = 0
                row = (r * side * columns + c * side) * depth
                for _ in range(side):
                    for i in range(row, row + side * depth):
                        total += codes[i]
                    row += columns * depth
                frame[at] = (total + (count >> 1)) // count
                at += 1
