"""Closings of a contact that bounces as it closes and as it opens: a reed, a tipping bucket's switch."""


class Contact:
    """A count of closings. One counts where the contact has been open for lockout_ms before it.

    So what bounces when the contact opens doesn't count either (Tasmota#516: each turn twice).

    Args:
        ticks_ms, ticks_diff: the port's.
        lockout_ms: longer than the contact bounces, shorter than it is ever open.
        closed: as it is found.
    Attributes:
        count: closings so far.
    """

    def __init__(self, ticks_ms, ticks_diff, lockout_ms, closed):
        self.count = 0
        self._ticks_diff = ticks_diff
        self._lockout_ms = lockout_ms
        self._last = ticks_ms()  # of the last change
        self._closed = closed

    def changed(self, now, closed):
        """Take a change at a tick; `closed` is what the contact is by now: it may have changed more than once."""
        if not self._closed and not 0 <= self._ticks_diff(now, self._last) < self._lockout_ms:
            self.count += 1
        self._last = now
        self._closed = closed

    def take(self):
        """Return the closings since the last call."""
        count = self.count
        self.count -= count
        return count
