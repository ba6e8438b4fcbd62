"""Inside the VM: the flash chip under a FAT, as CircuitPython has it: sectors of 512 bytes in a cache of one block.

A block is erased and programmed whole when another one is written to, or a file is closed. The
chip's last block isn't the file system's: it is nvm.
"""

import wire
from flash_device import read

_SECTOR = 512
_BLOCK = 4096
_SECTORS = _BLOCK // _SECTOR


class FatDevice:
    def __init__(self):
        self._cache = bytearray(_BLOCK)
        self._view = memoryview(self._cache)
        self._block = -1  # that is in the cache
        self._dirty = False

    def readblocks(self, sector, buffer):
        for at in range(0, len(buffer), _SECTOR):
            block, place = divmod(sector, _SECTORS)
            piece = memoryview(buffer)[at : at + _SECTOR]
            if block == self._block:
                piece[:] = self._view[place * _SECTOR : (place + 1) * _SECTOR]
            else:
                read(block, place * _SECTOR, piece)
            sector += 1

    def writeblocks(self, sector, buffer):
        for at in range(0, len(buffer), _SECTOR):
            block, place = divmod(sector, _SECTORS)
            if block != self._block:
                self._flush()
                read(block, 0, self._cache)
                self._block = block
            self._view[place * _SECTOR : (place + 1) * _SECTOR] = memoryview(buffer)[at : at + _SECTOR]
            self._dirty = True
            sector += 1

    def ioctl(self, operation, argument):
        if operation == 3:  # sync
            self._flush()
        if operation == 4:
            return (wire.number(75) - 1) * _SECTORS  # K
        if operation == 5:
            return _SECTOR
        return 0

    def _flush(self):
        if self._dirty:
            self._dirty = False
            wire.ask(69, self._block)  # E
            wire.ask(71, self._block, 0, self._cache)  # G
