"""Sound: a frame of samples in, the level of each band of frequencies out, in 1/16 octave and 8 bits.

A frame is freed of its mean, weighted by a Hann window, and transformed to a spectrum, in integers scaled by one
power of two for the whole frame; magnitudes are shared out among triangular bands that overlap by half; a band's
level is the logarithm of its sum, with that power of two put back. The same integers come of bytecode, viper and
assembler, and of the host's NumPy: host_tools/dibble_tools/data/sound/front_end.py.

In what follows, n is log2 of a frame's samples. A spectrum is real: that of a block of m values takes m words, the
real parts of bins 0, 1, ... m/2, then the imaginary parts, their sign changed, of bins m/2 - 1, ... 2, 1.

No number leaves 31 bits: see `windowed` and `transformed` of frames_bytecode.py.
"""

from array import array

from dibble.inference.kernels.choice import KIND

if KIND == "bytecode":
    from dibble.senses.frames_bytecode import frames
else:
    from dibble.senses.frames_plan import frames

NAME = b"frames"  # of the part of a model file that holds a FrameSpec
TURN = 4096  # a quarter turn, and the sine of it
LEAST_LOG2, MOST_LOG2 = 6, 10  # of a frame's samples
WIDEST = 64  # bins between two bands' centres


class FrameSpec:
    """What the part of a model file says.

    Attributes:
        rate_hz: samples a second.
        log2: of a frame's samples, 6 .. 10.
        hop: samples from one frame to the next, 1 .. a frame's.
        floor: the level of code 0, in 1/16 octave.
        first: the bin at which the lowest band begins, 1 or more.
        widths: bytes, bins from there to the lowest band's centre, from each centre to the next, and from the last
            one to the highest band's end: one more than there are bands.
    """

    def __init__(self, rate_hz, log2, hop, floor, first, widths):
        self.rate_hz = rate_hz
        self.log2 = log2
        self.hop = hop
        self.floor = floor
        self.first = first
        self.widths = widths


def read(cursor):
    """Return the FrameSpec that a model file holds at the cursor."""
    rate_hz = cursor.number()
    log2 = cursor.byte()
    hop = cursor.number()
    floor = cursor.number()
    first = cursor.byte()
    return FrameSpec(rate_hz, log2, hop, floor, first, cursor.take(cursor.byte()))


def holds(spec):
    """Tell whether a node can compute what a FrameSpec says: kernels follow it wherever it leads."""
    size = 1 << spec.log2
    return (
        LEAST_LOG2 <= spec.log2 <= MOST_LOG2
        and 0 < spec.hop <= size
        and spec.rate_hz > 0
        and spec.floor < 1 << 20
        and len(spec.widths) > 1
        and 0 < min(spec.widths)
        and max(spec.widths) <= WIDEST
        and 0 < spec.first
        and spec.first + sum(spec.widths) <= size >> 1
    )


def build(spec):
    """Return (f, row): f(samples) overwrites `row`, a code for each band.

    Args:
        spec: a FrameSpec.
    f takes:
        samples: array("h") or a memoryview of one, of a frame's samples.
    """
    return frames(spec, sines(spec.log2), reversed_bits(spec.log2 - 2))


def sines(log2):
    """Return array("H"), 4096 times the sine of the first quarter of a turn in 2**log2 steps, both ends included.

    Source: a polynomial of degree 7, nearest on 0..1: z (1.570791 - 0.645892 z^2 + 0.079434 z^4 - 0.004333 z^6).
    """
    found = array("H")
    quarter = 1 << log2 - 2
    for i in range(quarter + 1):
        z = i * TURN // quarter
        square = z * z >> 12
        part = 5206 - (284 * square >> 12)  # 2**16 times what the polynomial has
        part = 42329 - (part * square >> 12)
        part = 102943 - (part * square >> 12)
        found.append(part * z + (1 << 15) >> 16)
    return found


def reversed_bits(bits):
    """Return bytes: each number of so many bits, these in reverse order."""
    found = bytearray(1 << bits)
    for i in range(1, 1 << bits):
        found[i] = found[i >> 1] >> 1 | (i & 1) << bits - 1
    return found
