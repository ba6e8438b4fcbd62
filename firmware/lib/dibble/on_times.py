"""How long outputs were on, kept over resets: none is on for longer because the power failed.

What is kept is never less than what was: a stretch of time on is written down before it begins, a rest after it passed.
The time without power counts for nothing, as nobody knows how long it was. What can't be written down doesn't begin.
"""

from dibble import RecordError
from dibble.actions import Action
from dibble.inference.crc32 import crc32
from dibble.storage.words import crc_bytes, number_at, number_bytes

STRETCHES = 8  # of the longest time on: so many writes a run
RESTS = 16  # parts of a rest, each written when it has passed
LEAST_STRETCH_MS = 5000
LATE_MS = 2000  # an output goes off so much later than it should, at most
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
                on = number_at(state, at + 4)
                action.on_ms = (on >> 1) * 1000
                action.resting = bool(on & 1) or action.on_ms >= action.max_on_ms
                action.off_ms = number_at(state, at + 8) * 1000
            elif lost and state is None:
                action.rest()
        self.keep()

    def keep(self):
        """Write the times where they changed; return whether they are kept, or need not be."""
        state = b""
        for action in self._actions:
            on_s = (action.leased_ms if action.is_on or action.starts else action.on_ms) + 999
            state += action.key + number_bytes(on_s // 1000 << 1 | action.resting) + number_bytes(action.rested_s())
        if state == self._written:
            return True
        try:
            self._memory.write(state)
            self._written = state
            self.error = ""
            return True
        except (OSError, RecordError) as error:
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
        leased_ms: up to where on_ms is written down already.
        starts: it is about to go on.
    """

    def __init__(self, pin, *others):
        text = str(pin).encode()
        self.key = crc_bytes(crc32(text, len(text)))
        self.times = None
        self.leased_ms = 0
        self.starts = False
        Action.__init__(self, *others)

    def rest(self):
        """Rest in full before going on again."""
        self.on_ms = self.max_on_ms
        self.off_ms = 0
        self.resting = True

    def rested_s(self):
        """Return how much of the rest has passed, in whole parts of it."""
        part_s = self.rest_ms // (1000 * RESTS) + 1
        return 0 if self.is_on or self.starts or not self.on_ms else self.off_ms // 1000 // part_s * part_s

    def elapse(self, ms):
        """See Action; also before another stretch has to be written down."""
        before = self.is_on, self.rested_s(), self.on_ms > 0
        left = Action.elapse(self, ms)
        if left and self.leased_ms < self.max_on_ms:
            if self.on_ms + LATE_MS >= self.leased_ms and not self._lease():
                self._set(False)
                left = 0
            elif self.leased_ms < self.max_on_ms:
                left = max(self.leased_ms - LATE_MS - self.on_ms, 1)
        if (self.is_on, self.rested_s(), self.on_ms > 0) != before:
            self.times.keep()
        return left

    def want(self, held_index, faulty):
        """See Action."""
        before = self.is_on, self.resting
        Action.want(self, held_index, faulty)
        if not self.is_on and (self.is_on, self.resting) != before:
            self.times.keep()

    def _set(self, on):
        if on:
            self.starts = True
            kept = self._lease()
            self.starts = False
            if not kept:
                return
        Action._set(self, on)

    def _lease(self):
        """Write down one more stretch before it begins; return whether that worked."""
        stretch_ms = max(self.max_on_ms // STRETCHES, LEAST_STRETCH_MS)
        self.leased_ms = min(self.on_ms + stretch_ms + LATE_MS, self.max_on_ms)
        return self.times.keep()


def _place(state, key):
    """Return where the times of a pin are; -1: nowhere."""
    for at in range(0, len(state), _STATE_BYTES):
        if state[at : at + 4] == key:
            return at
    return -1
