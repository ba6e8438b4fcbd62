"""Completes a deploy: moves staged files to their places, by a list that is there whole or not at all.

`dibble deploy` stages what changes, reads it back and tries it; then one rename makes the list, and from there on the
new files are the board's, whatever happens. This runs at once, and from main.py after a cut: again and again until it
came to its end. It imports nothing of dibble, which may be half old and half new then, and uses no more of the file
system than rename and remove.

dibble_update.txt: the line FIRST; then, in the order in which it's done,

    + PATH  PATH.staged becomes PATH
    ~ PATH  PATH is kept as PATH.before, and PATH.staged becomes PATH: in between there is none, so never main.py
    > PATH  PATH is kept as PATH.before
    < PATH  PATH.before becomes PATH again
    - PATH  a file to remove
    / PATH  a folder to remove, unless it holds somebody's files

and `CRC COUNT .`: the CRC-32 of all lines before in 8 hexadecimal digits, their number. What follows isn't read.

Firmware that came by radio is on trial as long as dibble_undo.txt is there, such a list that brings back what was
before. Each start adds a line to it; the one after TRIES makes it dibble_update.txt.
"""

import os
from binascii import crc32

LIST = "dibble_update.txt"
UNDO = "dibble_undo.txt"
STAGED = ".staged"  # what a file is called after its name until it takes its place
BEFORE = ".before"  # and what the one is called whose place another took on trial
FIRST = "dibble update 2\n"
TRIES = 3
NO_ENTRY = 2
NOT_EMPTY = (13, 17, 39, 66)  # as file systems say it


def start():
    """Do what there is to do at power-on; return whether files changed, so that the board has to start anew."""
    if _is_there(UNDO) and not _is_there(LIST):
        with open(UNDO) as file:
            starts = file.read().split(" .\n", 1)[-1].count("\n")
        if starts < TRIES:
            with open(UNDO, "a") as file:
                file.write("start\n")
            return False
        os.rename(UNDO, LIST)
    return complete()


def complete():
    """Do what the list says; return whether there was a whole one. It's gone afterwards.

    Raises:
        OSError: the file system fails; the list stays.
    """
    whole = _is_whole()
    if whole:
        file = open(LIST)
        try:
            for line in file:
                _follow(line[:2], line[2:-1])
        finally:
            file.close()
    os.remove(LIST)
    return whole


def _follow(what, path):
    if what == "+ ":
        _do(os.rename, path + STAGED, path)
    elif what == "~ ":
        if _is_there(path + STAGED):  # else it was done before the power failed, and PATH is the new one
            _do(os.rename, path, path + BEFORE)
            os.rename(path + STAGED, path)
    elif what == "> ":
        _do(os.rename, path, path + BEFORE)
    elif what == "< ":
        _do(os.rename, path + BEFORE, path)
    elif what == "- ":
        _do(os.remove, path)
    elif what == "/ ":
        try:
            _do(os.rmdir, path)
        except OSError as error:
            if error.args[0] not in NOT_EMPTY:
                raise


def _do(action, *paths):
    """Act on files; the first may be gone: it was done before the power failed."""
    try:
        action(*paths)
    except OSError as error:
        if error.args[0] != NO_ENTRY:
            raise


def _is_there(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def _is_whole():
    """Tell whether the list is there as it was written."""
    crc = 0
    count = 0
    try:
        file = open(LIST)
    except OSError:
        return False
    try:
        for line in file:
            if count == 0 and line != FIRST:
                return False
            if line == "%08x %d .\n" % (crc, count):
                return True
            crc = crc32(line.encode(), crc)
            count += 1
    except ValueError:  # bytes that are no text
        pass
    finally:
        file.close()
    return False
