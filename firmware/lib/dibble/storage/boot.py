"""Counts the boots that never came to a good reading, and says which model to trust, if any.

A new model that doesn't run gives way to the one before; if that doesn't run either, the node rests in safe mode
and tries again later: a flat battery, which looks the same, ends no node for good.
"""

from dibble import RecordError
from dibble.storage.words import number_at, number_bytes

NORMAL = 0
PREVIOUS = 1  # the newest model is rejected
SAFE = 2
TRIES = 3
_REJECTED = 1
_PROVEN = 2


class BootState:
    """What outlives a boot: unconfirmed boots, and how the newest model fared.

    Waking from deep sleep is no boot: the app doesn't count it.

    Args:
        memory: has newest() -> bytes or None and write(bytes), as Slots and NvmCell have.
    Attributes:
        rejected: generation of the model not to run, 0: none.
        unconfirmed: boots since the last confirmed one, this one included.
        error: why the state couldn't be kept, "" if it was.
    """

    def __init__(self, memory):
        self.memory = memory
        self.error = ""
        state = memory.newest()
        if state is None or len(state) != 6:
            state = bytes(6)
        self.unconfirmed = state[0]
        self._flags = state[1]
        self._generation = number_at(state, 2)

    @property
    def rejected(self):
        return self._generation if self._flags & _REJECTED else 0

    def begin(self, newest=0, previous=0):
        """Count this boot; return NORMAL, PREVIOUS or SAFE. A generation not seen before begins anew.

        Args:
            newest, previous: the model slots' generations(); 0: there is none.
        """
        if newest != self._generation:
            self._generation = newest
            self._flags = 0
            self.unconfirmed = 0
        if not previous:
            self._flags &= ~_REJECTED
        if self.unconfirmed >= TRIES:
            if previous and not self._flags & _REJECTED:
                self._flags |= _REJECTED
                self.unconfirmed = 0
            else:
                return SAFE
        self._keep(self.unconfirmed + 1)
        return PREVIOUS if self._flags & _REJECTED else NORMAL

    def confirm(self):
        """The node runs: forget its failed boots. A model that was confirmed once isn't rejected for long."""
        if self.unconfirmed:
            if not self._flags & _REJECTED:
                self._flags |= _PROVEN
            self._lift()
            self._keep(0)

    def forgive(self):
        """Take this boot back: a person ended it."""
        if self.unconfirmed:
            self._keep(self.unconfirmed - 1)

    def reject(self, generation=0):
        """Reject a model that can't be loaded; 0: the newest that begin() was told."""
        self._generation = generation or self._generation
        self._flags = _REJECTED
        self._keep(self.unconfirmed)

    def retry(self):
        """Leave safe mode: the next boot tries once more, with a proven model if the newest is one."""
        self._lift()
        self._keep(TRIES - 1)

    def _lift(self):
        if self._flags & _PROVEN:
            self._flags &= ~_REJECTED

    def _keep(self, unconfirmed):
        """Write the state where it changed."""
        self.unconfirmed = unconfirmed
        state = bytes((unconfirmed, self._flags)) + number_bytes(self._generation)
        try:
            if state != self.memory.newest():
                self.memory.write(state)
            self.error = ""
        except (OSError, RecordError) as error:
            self.error = "boot state: %s" % error
