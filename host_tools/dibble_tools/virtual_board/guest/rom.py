"""Inside the VM: `vfs` with the ROMFS partition that boards may have, for mpremote romfs query and deploy.

As on a board it lies in the memory's address space, and outside the heap.
"""

import uctypes
import vfs as _vfs
from os import getenv
from vfs import *

_BLOCK = 4096
_place = getenv("DIBBLE_ROM")
_content = uctypes.bytearray_at(*[int(number) for number in _place.split(":")]) if _place else b""


def rom_ioctl(operation, partition=0, offset=0, argument=None):
    if operation == 1:
        return 1 if _place else 0
    if partition or not _place:
        return -22
    if operation == 2:
        return memoryview(_content)
    if operation == 3:  # erase: from the offset so many bytes, or that many from the start
        start, size = (0, offset) if argument is None else (offset, argument)
        for block in range(start // _BLOCK, (start + size + _BLOCK - 1) // _BLOCK):
            _content[block * _BLOCK : block * _BLOCK + _BLOCK] = b"\xff" * _BLOCK
        return 4
    if operation == 4:
        _content[offset : offset + len(argument)] = argument
        return 0
    return _BLOCK if operation == 6 else 0


def mount_rom():
    """Mount what is in the partition; return the folders to import from."""
    try:
        _vfs.mount(_vfs.VfsRom(_content), "/rom")
    except OSError:
        return []
    return ["/rom", "/rom/lib"]
