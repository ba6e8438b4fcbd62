"""Counts the boots that never came to a good reading, and says which configuration and which model to trust, if any.

The two are judged apart. Until a configuration has run for a good minute, whatever fails counts against it alone: the
last good one takes its place. Then a new model that doesn't run gives way to the one before; if that doesn't run
either, the node rests in safe mode and tries again later: a flat battery, which looks the same, ends no node for good.

What came by radio has to report by radio, too, before it is good; and where it ends the node before it is installed, it
is taken back before anything else is rejected.
"""

from dibble import RecordError
from dibble.forgetting import start_only
from dibble.storage.words import number_at, number_bytes

NORMAL = 0
PREVIOUS = 1  # the newest model is rejected
SAFE = 2
TRIES = 3
STATE_BYTES = 10
PROVEN = bytes(4)  # a configuration under which the node has run
_REJECTED = 1
_PROVEN = 2
_CONFIG_REJECTED = 4
_BY_RADIO = 8  # something came by radio, and no report has arrived since
_INSTALLED = 16  # it's the newest model by now


class BootState:
    """What outlives a boot: unconfirmed boots, and how the newest model fared.

    Waking from deep sleep is no boot: the app doesn't count it.

    Args:
        memory: has newest() -> bytes or None and write(bytes), as Slots and NvmCell have.
    Attributes:
        rejected: generation of the model not to run, 0: none.
        config_rejected: config.json isn't to be used, the last good one is.
        unconfirmed: boots since the last confirmed one, this one included.
        undone: what came by radio is to be taken back.
        error: why the state couldn't be kept, "" if it was.
    """

    @start_only
    def __init__(self, memory):
        self.memory = memory
        self.error = ""
        self.undone = False
        state = memory.newest()
        if state is None or len(state) != STATE_BYTES:
            state = bytes(STATE_BYTES)
        self.unconfirmed = state[0]
        self._flags = state[1]
        self._generation = number_at(state, 2)
        self._config = state[6:]

    @property
    def rejected(self):
        return self._generation if self._flags & _REJECTED else 0

    @property
    def config_rejected(self):
        return self._flags & _CONFIG_REJECTED != 0

    @property
    def awaits_report(self):
        """Whether what came by radio hasn't reported since."""
        return self._flags & _BY_RADIO != 0

    @property
    def config_on_trial(self):
        """Whether the node hasn't run under the configuration that it uses."""
        return self._config != PROVEN and not self.config_rejected

    @start_only
    def begin(self, newest=0, previous=0, config=PROVEN, kept=False):
        """Count this boot; return NORMAL, PREVIOUS or SAFE. What wasn't seen before begins anew.

        Args:
            newest, previous: the model slots' generations(); 0: there is none.
            config: 4 bytes that tell config.json from others, PROVEN once the node has run under it.
            kept: whether there is a last good configuration to take its place.
        """
        if config != self._config:
            self._config = config
            self._flags &= ~_CONFIG_REJECTED
            self.unconfirmed = 0
        if newest != self._generation:
            self._generation = newest
            self._flags &= _CONFIG_REJECTED | _BY_RADIO
            if self._flags & _BY_RADIO:
                self._flags |= _INSTALLED
            self.unconfirmed = 0
        if not previous and not self._flags & _INSTALLED:
            self._flags &= ~_REJECTED
        if self.unconfirmed >= TRIES:
            if config != PROVEN and not self._flags & _CONFIG_REJECTED:
                if not kept:
                    return SAFE
                self._flags |= _CONFIG_REJECTED
                self.unconfirmed = 0
            elif self._flags & _BY_RADIO and not self._flags & _INSTALLED:
                self.undone = True
                self._flags &= ~_BY_RADIO
                self.unconfirmed = 0
            elif (previous or self._flags & _INSTALLED) and not self._flags & _REJECTED:
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
            self._flags &= ~(_BY_RADIO | _INSTALLED)
            self._keep(0)

    def by_radio(self):
        """What the next boot finds came by radio: its boots are counted anew, and it isn't good before a report."""
        self._flags = self._flags & ~_INSTALLED | _BY_RADIO
        self._keep(0)

    def report_arrived(self):
        """What came by radio has reported, or is no more."""
        self._flags &= ~_BY_RADIO
        self._keep(self.unconfirmed)

    def reject_silent(self):
        """What came by radio doesn't report: the next boot goes without it."""
        if self.config_on_trial:
            self._flags = self._flags & ~_BY_RADIO | _CONFIG_REJECTED
            self._keep(0)
        else:
            self.reject()

    def forgive(self):
        """Take this boot back: a person ended it."""
        if self.unconfirmed:
            self._keep(self.unconfirmed - 1)

    def reject(self, generation=0):
        """Reject a model that can't be loaded; 0: the newest that begin() was told."""
        self._generation = generation or self._generation
        self._flags = self._flags & (_CONFIG_REJECTED | _INSTALLED) | _REJECTED
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
        state = bytes((unconfirmed, self._flags)) + number_bytes(self._generation) + self._config
        try:
            if state != self.memory.newest():
                self.memory.write(state)
            self.error = ""
        except (OSError, RecordError) as error:
            self.error = "boot state: %s" % error
