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
    def __init__(self, max_events):
        self._waiting = []
        self._max_events = max_events
        self.overflowed = False

    def get_into(self, event):
        if not self._waiting:
            return False
        event.pressed, event.timestamp = self._waiting.pop(0)
        return True

    def clear(self):
        self._waiting = []
        self.overflowed = False

    def _put(self, pressed):
        if len(self._waiting) == self._max_events:
            self.overflowed = True
        else:
            self._waiting.append((pressed, ticks_ms()))


class Keys:
    def __init__(self, pins, *, value_when_pressed, pull=True, interval=0.020, max_events=64, debounce_threshold=1):
        assert not value_when_pressed and int(interval * 1024) == 1
        self._pin = pins[0]
        self._number = self._pin.claim()
        self._looked = None
        self.events = EventQueue(max_events)
        handlers[self._number] = self._closed
        wire.ask(73, self._number, 1)  # I

    def deinit(self):
        wire.ask(73, self._number, 0)
        del handlers[self._number]
        self._pin.release()

    def _closed(self):
        if wire.ticks != self._looked:
            self._looked = wire.ticks
            self.events._put(True)
            self.events._put(False)
