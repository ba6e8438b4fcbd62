"""A sound taken whole, and heard after it ended: where frames can't be made as fast as the samples come.

A gate over the samples finds it. What it keeps is heard hop by hop as if it came then; meanwhile nobody listens.
"""

from array import array

from dibble.senses.gate import Gate
from dibble.senses.listener import ALL

QUIET = 2  # hops kept of the quiet before a sound, beside those that fill a first frame: the last is its floor
AFTER = 2  # hops for which the gate stays open longer than the one of the rows


class Take:
    """Takes a Listener's hops, and its place: `into`, `hear`, `rows`, `skipped`, `rate_hz`.

    Args:
        ear: a Listener.
        permille: of Gate.
        most_ms: of a sound; less where the model's sounds are shorter.
        busy: called with nothing between two hops that are heard late: it may take a while.
    Attributes:
        hops: how many were heard late, in all.
        opened: whether the last hop was taken.
    """

    def __init__(self, ear, permille, most_ms, busy):
        self._ear = ear
        self._busy = busy
        self.rate_hz = ear.rate_hz
        hop = len(ear.into)
        tail, most = ear.gone_on
        most = max(2, min(most, most_ms * ear.rate_hz // (1000 * hop)))
        self._gate = Gate(permille, tail + AFTER, most)
        self._before = ear.keep // hop + QUIET + 1
        count = self._before + most
        self._samples = array("h", bytearray(2 * count * hop))
        whole = memoryview(self._samples)
        self._slots = [whole[i * hop : i * hop + hop] for i in range(count)]
        self.rows = self.hops = 0
        self.skipped = self.opened = False
        self.restart()

    def restart(self):
        """Forget what was heard, as after power-on."""
        self._ear.restart()
        self._quiet = 0  # of the slots before: where the next goes
        self._count = 0
        self.into = self._slots[0]

    def hear(self):
        """Return the Decision on the sound that ended with the samples in `into`; None where none did."""
        self.rows = 0
        self.skipped = False
        self.opened = self._gate.opens(self.into)
        if self.opened:
            self._count = self._count + 1 if self._count else self._before  # the first lies among the quiet ones
            if self._count < len(self._slots):
                self.into = self._slots[self._count]
                return None
        elif not self._count:
            self._quiet = (self._quiet + 1) % self._before
            self.into = self._slots[self._quiet]
            return None
        decision = self._listen()
        self._count = 0
        self.into = self._slots[self._quiet]
        return decision

    def _listen(self):
        """Return the decision on the first sound of those kept; a quiet hop once and again ends it."""
        ear = self._ear
        before = self._before
        end = self._count + ear.gone_on[0] + 1
        decision = None
        i = 0
        while i < end and not self.rows:
            if i == before - QUIET:
                if ear.each_hop:
                    ear.model.restart()
                else:
                    ear.push(None)  # the next row is the floor
            if i < before:
                slot = self._slots[(self._quiet + 1 + i) % before]
            else:
                slot = self._slots[i if i < self._count else (self._quiet + 1) % before]
            ear.into[ALL] = slot
            decision = ear.hear()
            if not ear.each_hop:
                self.rows = ear.rows
                self.skipped = ear.skipped
            elif decision and not decision.flags and decision.held_index == decision.class_index:
                self.rows = i + 1 - before + QUIET
            self.hops += 1
            self._busy()
            i += 1
        return decision if self.rows else None
