"""Slow streams: what an accelerometer, a vibration or a current did since the last reading, in a few numbers.

Of each axis the mean and how far it spanned; of all axes together how much they moved in each octave: the first is
what changes from one sample to the next (from half the rate to a quarter of it), each later one is of half as fast
changes. Octaves are those of a Haar transform: two neighbours become their mean, which goes on, and their difference,
whose size is counted. Nothing is kept of the samples themselves. The host's NumPy has the same: data/motion.py.

No number leaves 31 bits: an axis has 16 bits, so differences have 17, and at most MOST samples of three axes are
counted, half of them in the first octave: 3 * 2**12 * 2**16 < 2**30. A sum of samples stays below 2**13 * 2**16.
"""

from array import array

from dibble.inference.kernels.choice import KIND

if KIND == "bytecode":
    from dibble.senses.motion_bytecode import take
else:
    from dibble.senses.motion_viper import take

MIDDLE = 1 << 15  # is added to each sample: no word is negative, which a 64-bit VM's viper would read otherwise
OCTAVES = 6
LEAST = 1 << OCTAVES  # samples, without which the last octave has none
MOST = 1 << 13  # samples that are counted; more are passed over
AXES = 3  # at most
MEAN, LOW, HIGH, KEPT = range(4)  # words of an axis; KEPT: the first of those that wait for their neighbour
OF_AXIS = KEPT + OCTAVES
HEAD = 2 + OCTAVES  # samples, axes, and what the octaves moved; then the axes


class Motion:
    """What so many axes did.

    Args:
        axes: 1 to 3.
    Attributes:
        count: samples since the last tell().
    """

    def __init__(self, axes):
        self._state = array("i", [0] * (HEAD + axes * OF_AXIS))
        self._state[1] = axes
        self._axes = axes
        self.restart()

    @property
    def count(self):
        return self._state[0]

    def restart(self):
        """Forget all samples."""
        state = self._state
        for i in range(len(state)):
            if i != 1:
                state[i] = 0
        for at in range(HEAD, len(state), OF_AXIS):
            state[at + LOW] = 2 * MIDDLE - 1

    def take(self, samples, count):
        """Take samples.

        Args:
            samples: array("h"), the axes of the first sample, then those of the next ...
            count: of samples; beyond MOST since the last tell() they are passed over.
        """
        room = MOST - self._state[0]
        take(self._state, samples, room if count > room else count)

    def tell(self, values):
        """Overwrite `values`, a list, with means, spans and octaves, and begin anew.

        Each axis' mean, rounded down; each axis' largest less its smallest; then of each octave the mean of the axes'
        differences together, rounded down. At least LEAST samples are needed.
        """
        state = self._state
        axes = self._axes
        count = state[0]
        for i in range(axes):
            at = HEAD + i * OF_AXIS
            values[i] = state[at + MEAN] // count - MIDDLE
            values[axes + i] = state[at + HIGH] - state[at + LOW]
        for octave in range(OCTAVES):
            values[2 * axes + octave] = state[2 + octave] // (count >> octave + 1)
        self.restart()


def channels(names, unit):
    """Return (name, unit) of each number that tell() gives.

    Args:
        names: of the axes.
        unit: of a sample.
    """
    found = [("%s_mean_%s" % (name, unit), unit) for name in names]
    found += [("%s_span_%s" % (name, unit), unit) for name in names]
    found += [("octave_%d_%s" % (octave, unit), unit) for octave in range(OCTAVES)]
    return tuple(found)
