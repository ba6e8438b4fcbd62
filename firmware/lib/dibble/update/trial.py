"""What is on trial since it came by radio: whether it runs, and what becomes of one that doesn't."""

import os

from dibble import RecordError
from dibble.forgetting import forget
from dibble.storage.slots import Slots
from dibble.update.kept import CONFIG, CONFIRMED, FIRMWARE, KINDS, REFUSED, ROLLED_BACK, TRIED, Kept, identity_of

SUFFIX = ".sig"  # of a signature's file
NEVER = "it never came to a good minute and a report"


def is_on_trial(node):
    """Tell whether the node runs what came by radio last, and that is still to be tried."""
    kept = Kept()
    return kept.state == TRIED and identity_of(node, kept.kind) == kept.identity


def settle(node, kept):
    """Bring the state of what was tried up to date: confirmed, refused or rolled back; what isn't used goes.

    Raises:
        RecordError: it can't be written.
    """
    path = KINDS[kept.kind]
    if identity_of(node, kept.kind) == kept.identity:
        if not node.boot.unconfirmed:
            if kept.kind == FIRMWARE:
                from dibble.update import firmware

                firmware.keep()
                forget("dibble.update.firmware", "dibble.storage.manifest")
            kept.write(CONFIRMED)
        return
    state, why = ROLLED_BACK, NEVER
    if not (node.boot.config_rejected if kept.kind == CONFIG else node.boot.rejected):
        for note in node.notes:
            if path in note and " isn't used: " in note or kept.kind == CONFIG and note.startswith("config"):
                state, why = REFUSED, note.split(" isn't used: ")[-1]
                break
    if kept.kind != FIRMWARE:
        _put_back(node, kept)
    kept.write(state, why)


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
        if kept.kind != FIRMWARE:  # of which main.py has brought back what was before
            _remove(KINDS[kept.kind])
            _drop(kept)
        try:
            kept.write(ROLLED_BACK, NEVER)
        except RecordError:
            pass  # it's gone all the same


def _put_back(node, kept):
    """Remove the file that isn't used; the configuration in use takes its place."""
    path = KINDS[kept.kind]
    if kept.kind != CONFIG:
        _remove(path)
        _drop(kept)
        return
    try:
        with open(path + ".old", "wb") as file:
            file.write(node.config_text)
        os.rename(path + ".old", path)
    except OSError:
        pass  # the last good one stands in


def _drop(kept):
    """Give up the slot that holds what was tried: it is never tried again."""
    Slots(KINDS[kept.kind][:-4]).drop(kept.identity)


def _remove(path):
    for name in (path, path + SUFFIX):
        try:
            os.remove(name)
        except OSError:
            pass
