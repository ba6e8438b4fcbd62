"""Run on the board: which segments its record log has."""

import os
from binascii import crc32, hexlify


def log_segments(folder):
    """Print a line for each file of the folder: name, size and CRC-32; nothing where there is no folder."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    buffer = bytearray(256)
    for name in sorted(names):
        total = crc = 0
        with open(folder + "/" + name, "rb") as file:
            size = file.readinto(buffer)
            while size:
                total += size
                crc = crc32(memoryview(buffer)[:size], crc)
                size = file.readinto(buffer)
        print(name, total, hexlify(crc.to_bytes(4, "big")).decode())
