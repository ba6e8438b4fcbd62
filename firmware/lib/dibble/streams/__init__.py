"""Streams of samples that a node listens to: one driver each, imported when config.listen names it.

A driver has SETTINGS, as a sensor's has, and build(settings, port, bus, rate_hz, hop) -> an object with:

    start()         begin; samples wait in a ring from now on.
    readinto(into)  fill `into`, a memoryview of 16-bit samples, as many as a hop; return False where they aren't there
                    yet. What `BLOCKS` waits for them, a hop's time at most.
    lost()          return how many samples were lost since the last call: those which the ring had no room for.

None of them allocates once it has started.
"""


class Backlog:
    """How many samples wait in a ring which doesn't say so, by the clock.

    Args:
        ticks_ms, ticks_diff: the port's.
        rate_hz: samples a second.
        room: samples that the ring holds.
        drops_all: a ring that is full loses all that it holds, where others lose what comes next.
    Attributes:
        waiting: samples in the ring.
    """

    LONGEST_MS = 8000  # of one step: that times 96,000 a second stays within 31 bits

    def __init__(self, ticks_ms, ticks_diff, rate_hz, room, drops_all=False):
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._rate_hz = rate_hz
        self._room = room
        self._drops_all = drops_all
        self._seen = ticks_ms()
        self._rest = 0
        self._lost = 0
        self.waiting = 0

    def passed(self, taken=0):
        """Let the time pass that has passed: samples have come, and what was more than the ring holds is lost.

        Args:
            taken: samples that were taken out now; a ring whose own clock is faster may have had more.
        """
        now = self._ticks_ms()
        ms = self._ticks_diff(now, self._seen)
        self._seen = now
        while ms > 0:
            part = ms if ms < self.LONGEST_MS else self.LONGEST_MS
            ms -= part
            rest = self._rest + part * self._rate_hz
            self._rest = rest % 1000
            self.waiting = waiting = self.waiting + rest // 1000
            if waiting > self._room:
                self._lost += waiting - (0 if self._drops_all else self._room)
                self.waiting = 0 if self._drops_all else self._room
        if taken:
            self.waiting = self.waiting - taken if self.waiting > taken else 0

    def held_at_most(self, count):
        """The ring is known to hold no more than this: its own clock is slower, and nothing was lost."""
        if self.waiting > count:
            self.waiting = count

    def skip(self):
        """Let the time pass that has passed: somebody took all that came in it."""
        self._seen = self._ticks_ms()
        self.waiting = 0

    def lost(self):
        """Return the samples lost since the last call."""
        self.passed()
        lost = self._lost
        self._lost -= lost
        return lost
