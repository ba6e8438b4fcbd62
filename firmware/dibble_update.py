"""Completes a deploy: moves staged files to their places, by a list that is there whole or not at all.

`dibble deploy` stages what changes, reads it back and tries it; then one rename makes the list, and from there on the
new files are the board's, whatever happens. This runs at once, and from main.py after a cut: again and again until it
came to its end. It imports nothing of dibble, which may be half old and half new then, and uses no more of the file
system than rename and remove.

dibble_update.txt: the line FIRST; `+ PATH` for PATH.staged to become PATH, `- PATH` for a file to remove, `/ PATH`
for a folder to remove, unless it holds somebody's files, in the order in which it's done; then `CRC COUNT .`: the
CRC-32 of all lines before in 8 hexadecimal digits, their number.
"""

import os
from binascii import crc32

LIST = "dibble_update.txt"
STAGED = ".staged"  # what a file is called after its name until it takes its place
FIRST = "dibble update 2\n"
NO_ENTRY = 2
NOT_EMPTY = (13, 17, 39, 66)  # as file systems say it


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
                _follow(line)
        finally:
            file.close()
    os.remove(LIST)
    return whole


def _follow(line):
    path = line[2:-1]
    try:
        if line[:2] == "+ ":
            os.rename(path + STAGED, path)
        elif line[:2] == "- ":
            os.remove(path)
        elif line[:2] == "/ ":
            os.rmdir(path)
    except OSError as error:
        done = error.args[0] == NO_ENTRY  # before the power failed
        if not done and not (line[:2] == "/ " and error.args[0] in NOT_EMPTY):
            raise


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
