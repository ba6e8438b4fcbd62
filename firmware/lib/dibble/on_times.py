"""How long outputs were on, kept over resets: none is on for longer because the power failed.

What is kept is never kinder than what was: time on is written down before it begins, a rest after it passed.
The time without power counts for nothing, as nobody knows how long it was. What can't be written down doesn't begin.
A supply that gives way as soon as an output is on would switch it at each boot: after TRIES of that in a row it rests.
"""

from dibble import RecordError
from dibble.actions import Action
from dibble.forgetting import start_only
from dibble.inference.crc32 import crc32
from dibble.storage.words import crc_bytes, number_at, number_bytes

STRETCHES = 8  # of the longest time on: so many writes a run
RESTS = 16  # parts of a rest, each written when it has passed
LEAST_STRETCH_MS = 5000
TRIES = 2  # times in a row that the power failed in the first stretch
RETRY_MS = 600000  # the shortest rest after that
LATE_MS = 2000  # the next stretch is written down so much before the last one ends
_STATE_BYTES = 12


class OnTimes:
    """The times of all actions of a node.

    Args:
        memory: has newest() -> bytes or None and write(bytes), as Slots and NvmCell have.
        actions: the KeptActions.
        lost: whether there has to be a state: where there is none, outputs rest first.
    Attributes:
        error: why the times couldn't be kept, "" if they were.
    """

    @start_only
    def __init__(self, memory, actions, lost):
        self.error = ""
        self._memory = memory
        self._actions = actions
        self._written = b""
        state = memory.newest()
        if state is not None and len(state) % _STATE_BYTES:
            state = None
            lost = True
        for action in actions:
            action.times = self
            at = _place(state or b"", action.key)
            if at >= 0:
                action.left_ms = max(0, action.max_on_ms - 1000 * number_at(state, at + 4))
                rest = number_at(state, at + 8)
                action.rest_left_ms = min(action.rest_ms, 1000 * (rest & 0xFFFFFF))
                action.tries = rest >> 24
                if action.tries >= TRIES:
                    action.left_ms = 0
                    action.rest_left_ms = max(action.rest_left_ms, RETRY_MS)
            elif lost and state is None:
                action.left_ms = 0
        self.keep()

    def keep(self):
        """Write the times where they changed; return whether they are kept."""
        try:
            state = b"".join([action.state() for action in self._actions])
            if state == self._written:
                return True
            self._memory.write(state)
            self._written = state
            self.error = ""
            return True
        except (OSError, RecordError, MemoryError) as error:
            self._written = b""
            self.error = "times of actions: %s" % error
            return False


class KeptAction(Action):
    """An Action whose times are kept.

    Args:
        pin: of the output, as in the configuration.
        others: Action's.
    Attributes:
        key: 4 bytes of the pin.
        written_ms: what left_ms will be at the end of the stretch that is written down.
        tries: how often in a row the power failed before the first of them was over.
    """

    @start_only
    def __init__(self, pin, *others):
        text = str(pin).encode()
        self.key = crc_bytes(crc32(text, len(text)))
        self.times = None
        self.written_ms = -1  # none is
        self.tries = 0
        self._is_first = False
        Action.__init__(self, *others)

    def state(self):
        """Return what is kept: key, seconds on since the last rest rounded up, seconds of rest left; tries above."""
        left_ms, rest_ms = self.left_ms, self.rest_left_ms
        if self.written_ms >= 0:  # it is on, or about to be
            left_ms, rest_ms = self.written_ms, self.rest_ms
        part_ms = self.rest_ms // RESTS + 1
        parts = (rest_ms + part_ms - 1) // part_ms if left_ms < self.max_on_ms else 0
        on_s = (self.max_on_ms - left_ms + 999) // 1000
        rest_s = (min(parts * part_ms, self.rest_ms) + 999) // 1000
        return self.key + number_bytes(on_s) + number_bytes(rest_s | min(self.tries + self._is_first, 63) << 24)

    def elapse(self, ms):
        """See Action; ends also where another stretch has to be written down."""
        left_ms = Action.elapse(self, ms)
        if self.written_ms > 0 and left_ms - self.written_ms <= LATE_MS:
            self._is_first = False
            self.tries = 0
            if not self._write_stretch():
                self._set(False)
        if not self.is_on:
            if self.tries >= TRIES and not self.rest_left_ms:
                self.tries = 0
            self.times.keep()
            return 0
        return max(1, left_ms - self.written_ms - LATE_MS) if self.written_ms else left_ms

    def want(self, held_index, faulty):
        """See Action."""
        Action.want(self, held_index, faulty)
        if not self.is_on:
            self.times.keep()

    def _set(self, on):
        if on:
            self._is_first = True
            on = self._write_stretch()
        if not on:
            if self.is_on:  # it ends by the node itself
                self.tries = 0
            self._is_first = False
            self.written_ms = -1
        Action._set(self, on)

    def _write_stretch(self):
        """Write down one more stretch before it begins; return whether that worked."""
        stretch_ms = max(self.max_on_ms // STRETCHES, LEAST_STRETCH_MS) + LATE_MS
        self.written_ms = max(0, self.left_ms - stretch_ms)
        return self.times.keep()


def _place(state, key):
    """Return where the times of a pin are; -1: nowhere."""
    for at in range(0, len(state), _STATE_BYTES):
        if state[at : at + 4] == key:
            return at
    return -1
