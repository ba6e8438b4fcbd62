"""CircuitPython's counter of a contact's closures.

There is no interrupt to hang a lockout on, and `countio` counts every bounce (on an RP2 also at every second pin
only). `keypad` looks at the pin in each tick of 1/1024 s and keeps the changes with their ms: so the lockout is
exact to a ms (contact.py), and only what is closed for less than a tick can be missed. Eleven of 644 boards have
countio but no keypad: there the node has no anemometer.
"""

import keypad

from dibble import SensorError
from dibble.ports.circuitpython_time import seconds, ticks_diff, ticks_ms
from dibble.ports.contact import Contact

_EVENTS = 128  # in a quarter of a second: 150 km/h are 16 turns, each with three bounces


class Pulses:
    """See port.pulses(). The port drains it while it sleeps.

    Args:
        pin: of `board`.
        lockout_ms: the contact's.
        pull_up: the pin's own.
    """

    def __init__(self, pin, lockout_ms, pull_up):
        self._pin = pin
        self._pull_up = pull_up
        self._contact = Contact(ticks_ms, ticks_diff, lockout_ms, False)
        self._lost = False
        self._event = keypad.Event()
        self.start()

    def start(self):
        """Look at the pin from now on."""
        self._keys = keypad.Keys(
            (self._pin,), value_when_pressed=False, pull=self._pull_up, interval=seconds(1), max_events=_EVENTS
        )

    def stop(self):
        """Look no more: a tick each ms is no light sleep."""
        self.drain()
        self._keys.deinit()

    def drain(self):
        """Count what came since the last call."""
        events = self._keys.events
        event = self._event
        while events.get_into(event):
            self._contact.changed(event.timestamp, event.pressed)
        if events.overflowed:
            events.clear()
            self._lost = True

    def take(self):
        """Return the closings since the last call; raise SensorError where some may be missing."""
        self.drain()
        count = self._contact.take()
        if self._lost:
            self._lost = False
            raise SensorError("expected fewer than %d changes of a contact in a quarter second, got more" % _EVENTS)
        return count
