"""A reed contact at a magnet that passes: it bounces as it closes, and as it opens.

Both are known from the field: OpenCircuits' and Tasmota's rain gauges counted each turn twice (OCS#26, Tasmota#516).
"""

import random
from collections.abc import Iterable, Iterator


class Reed:
    """A contact's changes.

    Args:
        rng: bounces come from it.
        most_bounces: closings that may follow one as the contact settles, and that may follow an opening.
        settle_us: how long that takes at most.
    Attributes:
        bounces_at_release: whether it does so when it opens, too.
    """

    def __init__(self, rng: random.Random, most_bounces: int = 4, settle_us: int = 1500) -> None:
        self.rng = rng
        self.most_bounces = most_bounces
        self.settle_us = settle_us
        self.bounces_at_release = True
        self._coming: list[tuple[int, bool]] = []

    def changes(self, passes: Iterable[tuple[float, float]], end_us: int) -> list[tuple[int, bool]]:
        """Return (us, closed) of the changes before end_us; later ones are kept for the next call.

        Args:
            passes: (when it closes, when it opens) for each pass of the magnet, in us.
        """
        for closes_us, opens_us in passes:
            self._coming += self._bounced(int(closes_us), True)
            opens_us = max(opens_us, self._coming[-1][0] + 1)
            self._coming += self._bounced(int(opens_us), False)
        self._coming.sort(key=lambda change: change[0])
        now = [change for change in self._coming if change[0] < end_us]
        self._coming = self._coming[len(now) :]
        return now

    def _bounced(self, us: int, closed: bool) -> Iterator[tuple[int, bool]]:
        """Yield the change, and pairs of changes back and to it."""
        yield us, closed
        if closed or self.bounces_at_release:
            bounces = self.rng.randint(0, self.most_bounces)
            moments = sorted(self.rng.uniform(20, self.settle_us) for _ in range(2 * bounces))
            for number, moment in enumerate(moments):
                yield us + int(moment), closed ^ (number % 2 == 0)
