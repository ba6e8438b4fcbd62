"""Inside the VM: one key, looked at each ms: a press and a release, and no bounce shorter than that."""

import wire
from supervisor import ticks_ms
from time import handlers


class Event:
    def __init__(self, key_number=0, pressed=True, timestamp=None):
        self.key_number = key_number
        self.pressed = pressed
        self.timestamp = ticks_ms() if timestamp is None else timestamp


class EventQueue:
    def __init__(self, max_events, look):
        self._look = look
        self._waiting = []
        self._max_events = max_events
        self.overflowed = False

    def get_into(self, event):
        self._look()
        if not self._waiting:
            return False
        event.pressed, event.timestamp = self._waiting.pop(0)
        return True

    def clear(self):
        self._waiting = []
        self.overflowed = False

    def _put(self, pressed, timestamp):
        if len(self._waiting) == self._max_events:
            self.overflowed = True
        else:
            self._waiting.append((pressed, timestamp))


class Keys:
    def __init__(self, pins, *, value_when_pressed, pull=True, interval=0.020, max_events=64, debounce_threshold=1):
        assert not value_when_pressed and int(interval * 1024) == 1
        self._pin = pins[0]
        self._number = self._pin.claim()
        self._level = self._shown = 0
        self._changed_at = ticks_ms()
        self.events = EventQueue(max_events, self._look)
        handlers[self._number] = self._changed
        wire.ask(73, self._number, 3)  # I: both edges

    def deinit(self):
        wire.ask(73, self._number, 0)
        del handlers[self._number]
        self._pin.release()

    def _changed(self, level):
        if ticks_ms() != self._changed_at:
            self._look()
        self._level = level
        self._changed_at = ticks_ms()

    def _look(self):
        """See at the end of a tick what the last change left."""
        if self._level != self._shown:
            self._shown = self._level
            self.events._put(bool(self._level), self._changed_at)
