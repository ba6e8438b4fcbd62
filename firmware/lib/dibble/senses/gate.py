"""The first stage of a cascade: is there anything to hear? By how far samples span, over what they do when it's quiet.

It costs two passes over the samples in the interpreter's own C, some fiftieth of what a frame does in bytecode; or one
in machine code, a fifth of what a frame does there.
"""

from dibble.senses.span import span

MOST_PERMILLE = 16000  # so that a span times it stays within 31 bits
SHARE = 4  # bits of the floor behind its point
FLOOR_HOPS = 16  # of the hops for which it stays closed each such one is heard: it moves the floor of what follows
LEAST = 16 << SHARE  # of the floor: a step of an ADC of 12 bits


class Gate:
    """A gate over hops of samples.

    Args:
        permille: of the floor that a hop has to span to open it; 0: it's always open.
        hold: hops for which it stays open after the last that was loud.
        most: hops after which it closes whatever goes on: that is noise by now, and the floor.
    """

    def __init__(self, permille, hold, most):
        self._permille = permille
        self._hold = hold
        self._most = most
        self._floor = -1
        self._left = 0
        self._open = 0
        self._least = 0

    def opens(self, samples):
        """Tell whether a hop is worth a look; once for each.

        Args:
            samples: array("h") or a memoryview of one.
        """
        if not self._permille:
            return True
        level = span(samples)
        floor = self._floor
        if floor < 0:
            floor = max(level << SHARE, LEAST)
        if level * 1000 > (floor >> SHARE) * self._permille:
            if not self._left:
                self._open = 0
                self._least = level
            self._left = self._hold + 1
        if not self._left:
            level <<= SHARE
            if level < floor:
                floor -= (floor - level >> 2) + 1
            else:
                floor += level - floor >> 5
            self._floor = floor if floor > LEAST else LEAST
            return False
        self._left -= 1
        self._open += 1
        if level < self._least:
            self._least = level
        if self._open >= self._most:
            self._left = 0
            floor = max(self._least << SHARE, LEAST)
        self._floor = floor
        return True
