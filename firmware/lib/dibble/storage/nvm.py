"""The boot state's place on CircuitPython, where the node may not write files while a computer may."""

from dibble.inference.crc32 import crc32
from dibble.storage.words import crc_bytes


class NvmCell:
    """A few bytes with a CRC in non-volatile memory. A cut while writing loses them: the state begins anew then.

    Args:
        nvm: microcontroller.nvm, or any bytearray.
    """

    def __init__(self, nvm):
        self.nvm = nvm

    def newest(self):
        """Return the payload, None where there is none that is whole."""
        end = self.nvm[0] + 1
        cell = bytes(self.nvm[0 : end + 4])
        if len(cell) < end + 4 or crc_bytes(crc32(cell, end)) != cell[end:]:
            return None
        return cell[1:end]

    def write(self, payload):
        cell = bytes((len(payload),)) + payload
        cell += crc_bytes(crc32(cell, len(cell)))
        self.nvm[0 : len(cell)] = cell
