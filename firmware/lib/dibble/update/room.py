"""The third part of an update's contact by MQTT: where there is room for what is offered, its pieces are wanted."""

import os

from dibble.update.opening import begin
from dibble.update.parcel import Parcel

SHARE = (4, 4, 4, 2)  # of a kind: the flash that a stream may take by the time it is installed; firmware is asked again
SPARE_BLOCKS = 8


def parcel_of(standing, port):
    """Return the Parcel of the pieces that a Standing wants, which gives up its offer; None: its `why` says why not."""
    offer = standing.offer
    standing.offer = None
    share = SHARE[offer.kind] * offer.size
    try:
        if hasattr(os, "statvfs"):  # room for all that becomes of a stream, the log's next segment besides
            block, _, _, free = os.statvfs("/")[:4]
            if free - SPARE_BLOCKS <= share // block:
                standing.why = "expected room for %d bytes: make some" % share
                return None
        parcel = Parcel()
        begin(parcel, offer, port.feed_watchdog)
    except OSError as error:
        standing.why = "expected to write pieces, got %r" % error
        return None
    return parcel
