"""Whether a node has a key: then it takes signed files only, models/SIGNED.md."""

import os

KEY = "node.key"
_NO_ENTRY = 2


def signatures_of(port, folder=""):
    """Return what tells signed files in a folder from others; None where the node has no key.

    Args:
        port: has memory(name), feed_watchdog().
        folder: with its slash.
    """
    if not has_key():
        return None
    from dibble.storage.signatures import Signatures

    return Signatures(port.memory("signed"), port.feed_watchdog, folder, "")


def has_key():
    """Tell whether the node has a key.

    Raises:
        OSError: the file system fails, so it may have one.
    """
    try:
        os.stat(KEY)
    except OSError as error:
        if error.args[0] != _NO_ENTRY:
            raise
        return False
    return True
