"""The watchdog lives on credit that only a completed cycle grants."""

from dibble.forgetting import start_only

FEED_MS = 1000  # shorter waits feed together


class Watchdog:
    """Feeds the port's watchdog while waiting, until the credit is spent.

    Args:
        port: has start_watchdog() and feed_watchdog().
        timeout_ms: of the hardware; 0: no watchdog.
        cycle_ms: the longest a cycle may take, its sleep included.
    """

    @start_only
    def __init__(self, port, timeout_ms, cycle_ms):
        self._port = port
        self._cycle_ms = cycle_ms
        self._credit_ms = cycle_ms
        self._unfed_ms = 0
        if timeout_ms:
            port.start_watchdog(timeout_ms)

    def waited(self, ms):
        """Spend credit for a wait; feed while there is some."""
        if self._credit_ms > 0:
            self._credit_ms -= ms
            self._unfed_ms += ms
            if self._unfed_ms >= FEED_MS:
                self._unfed_ms = 0
                self._port.feed_watchdog()

    def completed(self):
        """A cycle is complete: grant the next."""
        self._credit_ms = self._cycle_ms
        self._port.feed_watchdog()
