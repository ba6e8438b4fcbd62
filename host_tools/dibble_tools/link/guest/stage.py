"""Run on the board: takes the files of a deploy beside those that are in use, and commits them by one rename."""

import os
from binascii import hexlify
from hashlib import sha256

PIECE_BYTES = 4096
open_file = []


def stage_clear(paths):
    """Remove what a deploy left that was cut short."""
    for path in paths:
        os.remove(path)


def stage_files(files):
    """Write whole files: [path, content] each."""
    for path, content in files:
        with open(path, "wb") as file:
            file.write(content)


def stage_begin(path, content):
    """Write a file's first part; stage_more() goes on, stage_end() ends it."""
    open_file.append(open(path, "wb"))
    open_file[0].write(content)


def stage_more(content):
    open_file[0].write(content)


def stage_end():
    open_file.pop().close()


def stage_sums(paths):
    """Print the SHA-256 of each file, as it reads back."""
    buffer = bytearray(PIECE_BYTES)
    for path in paths:
        sums = sha256()
        with open(path, "rb") as file:
            size = file.readinto(buffer)
            while size:
                sums.update(memoryview(buffer)[:size])
                size = file.readinto(buffer)
        print(hexlify(sums.digest()).decode())


def stage_folders(paths):
    """Make the folders that aren't there."""
    for path in paths:
        try:
            os.mkdir(path)
        except OSError:
            os.stat(path)


def stage_free():
    """Print the free blocks."""
    print(os.statvfs("/")[3])


def stage_rename(source, target):
    os.rename(source, target)


def stage_complete():
    """Move what is committed to its place."""
    import dibble_update

    dibble_update.complete()
