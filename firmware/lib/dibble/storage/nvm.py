"""Where a few bytes outlive a reset on CircuitPython: the node may not write files there while a computer may."""

from dibble.inference.crc32 import crc32
from dibble.storage.words import crc_bytes


class NvmCell:
    """A few bytes with a CRC in non-volatile memory. A cut while writing loses them: the state begins anew then.

    Args:
        nvm: microcontroller.nvm, or any bytearray.
        start: of the cell in it.
    """

    def __init__(self, nvm, start=0):
        self.nvm = nvm
        self.start = start

    def newest(self):
        """Return the payload, None where there is none that is whole."""
        end = self.nvm[self.start] + 1
        cell = bytes(self.nvm[self.start : self.start + end + 4])
        if len(cell) < end + 4 or crc_bytes(crc32(cell, end)) != cell[end:]:
            return None
        return cell[1:end]

    def write(self, payload):
        cell = bytes((len(payload),)) + payload
        cell += crc_bytes(crc32(cell, len(cell)))
        self.nvm[self.start : self.start + len(cell)] = cell
