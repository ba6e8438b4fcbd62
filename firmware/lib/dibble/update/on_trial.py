"""Whether a node runs what is on trial since it came by radio, and how it ceases to."""

from dibble import RecordError
from dibble.update.kept import FIRMWARE, ROLLED_BACK, TRIED, Kept, identity_of


def is_on_trial(node):
    """Tell whether the node runs what came by radio last, and that is still to be tried."""
    kept = Kept()
    return kept.state == TRIED and identity_of(node, kept.kind) == kept.identity


def go_back(boot):
    """What is on trial doesn't report: the next start goes without it.

    Args:
        boot: storage.boot.BootState.
    """
    if Kept().kind == FIRMWARE:
        from dibble.update import firmware

        firmware.go_back()
    else:
        boot.reject_silent()


def undo():
    """Take back a file by which the node ended before it was installed."""
    kept = Kept()
    if kept.state == TRIED:
        from dibble.update.trial import NEVER, give_up

        if kept.kind != FIRMWARE:  # of which main.py has brought back what was before
            give_up(kept)
        try:
            kept.write(ROLLED_BACK, NEVER)
        except RecordError:
            pass  # it's gone all the same
