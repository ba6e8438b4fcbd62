"""Run on the board: reads files in pieces."""

from binascii import b2a_base64, crc32


def read(path, at, size):
    """Print a piece of a file: its CRC-32 in hexadecimal digits, and itself in base64."""
    file = open(path, "rb")
    try:
        file.seek(at)
        data = file.read(size)
    finally:
        file.close()
    print("%08x %s" % (crc32(data), b2a_base64(data).decode().strip()))
