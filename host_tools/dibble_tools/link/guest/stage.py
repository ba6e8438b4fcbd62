"""Run on the board: takes the files of a deploy beside those that are in use, and commits them by one rename."""

import os
from binascii import hexlify
from hashlib import sha256
from io import BytesIO

PIECE_BYTES = 4096
WRITE_BYTES = 512
open_file = []  # path, file


def stage_clear(paths):
    """Remove what a deploy left that was cut short."""
    for path in paths:
        os.remove(path)


def stage_parts(parts, data, packed):
    """Write parts of files, one after another; the last stays open, for more of it: stage_end() closes it.

    Args:
        parts: [path, bytes] each; one that isn't the open file's begins a file anew.
        data: what they hold together.
        packed: it is compressed, as zlib does it.
    """
    stream = BytesIO(data)
    if packed:
        from deflate import DeflateIO

        stream = DeflateIO(stream)
    for path, left in parts:
        if not open_file or open_file[0] != path:
            stage_end()
            open_file.extend((path, open(path, "wb")))
        try:
            while left:
                piece = stream.read(min(left, WRITE_BYTES))
                if not piece:
                    raise OSError("expected %d bytes more of %s" % (left, path))
                open_file[1].write(piece)
                left -= len(piece)
        except OSError:
            open_file.clear()  # nothing goes on where this ended
            raise


def stage_end():
    if open_file:
        open_file[1].close()
        open_file.clear()


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
