"""A model file that isn't in memory: its bytes by their place, a page of them at a time."""

from array import array

from dibble.inference.kernels.choice import KIND

PAGE_BYTES = 256
KEPT_BYTES = 16384  # a larger one isn't kept in memory: dibble.inference asks then
MAPS = 5  # the one family that is read piece by piece


def contents(path, file, size):
    """Return the Pages of a network of maps, else all bytes of a model file.

    Args:
        file: it, open, at its beginning.
        size: of it.
    """
    if file.read(6)[5] == MAPS:
        return Pages(open(path, "rb"))
    file.seek(0)
    return file.read(size)


class Pages:
    """A file's bytes, a page of them in memory: bytes and slices of them by their place, as of a bytes object.

    Args:
        file: open, in binary.
    """

    def __init__(self, file):
        self.file = file
        self.size = file.seek(0, 2)
        self.at = -PAGE_BYTES
        self.page = b""

    def __len__(self):
        return self.size

    def __getitem__(self, place):
        if isinstance(place, slice):
            first = place.start or 0
            end = self.size if place.stop is None else place.stop
            first += self.size if first < 0 else 0
            self.file.seek(first)
            return self.file.read(end - first)
        if not self.at <= place < self.at + len(self.page):
            if not 0 <= place < self.size:
                raise IndexError
            self.at = place
            self.file.seek(place)
            self.page = self.file.read(PAGE_BYTES)
        return self.page[place - self.at]


def crc32(blob, size):
    """Return the CRC-32 of a file's bytes as (high 16 bits, low 16 bits), page by page."""
    if KIND == "bytecode":
        from dibble.inference.crc32 import crc32

        return crc32(blob, size)
    from dibble.inference.kernels.crc_viper import add_bytes

    total = array("H", [0, 0])
    at = 0
    while at < size:
        page = blob[at : min(at + PAGE_BYTES, size)]
        add_bytes(page, len(page), total)
        at += PAGE_BYTES
    return tuple(total)
