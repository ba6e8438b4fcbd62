"""What becomes of what is on trial since it came by radio: it is kept, or goes."""

import os

from dibble.forgetting import forget
from dibble.storage.slots import Slots
from dibble.update.kept import CONFIG, CONFIRMED, FIRMWARE, KINDS, REFUSED, ROLLED_BACK, TRIED, Kept, identity_of

SUFFIX = ".sig"  # of a signature's file
NEVER = "it never came to a good minute and a report"


def settle(node):
    """Bring the state of what was tried up to date: confirmed, refused or rolled back; what isn't used goes.

    Raises:
        RecordError: it can't be written.
    """
    kept = Kept()
    if kept.state != TRIED:
        return
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


def give_up(kept):
    """Remove the file of what was tried, and give up the slot that holds it: it is never tried again."""
    path = KINDS[kept.kind]
    for name in (path, path + SUFFIX):
        try:
            os.remove(name)
        except OSError:
            pass
    Slots(path[:-4]).drop(kept.identity)


def _put_back(node, kept):
    """Remove the file that isn't used; the configuration in use takes its place."""
    if kept.kind != CONFIG:
        give_up(kept)
        return
    path = KINDS[kept.kind]
    try:
        with open(path + ".old", "wb") as file:
            file.write(node.config_text)
        os.rename(path + ".old", path)
    except OSError:
        pass  # the last good one stands in
