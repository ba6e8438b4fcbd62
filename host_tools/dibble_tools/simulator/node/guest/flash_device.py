"""Inside the VM: the simulated flash chip as a block device, for the VM's own LittleFS."""

from os import getenv

import wire

_image = open(getenv("DIBBLE_FLASH"), "rb")


def read(block, offset, buffer):
    """Fill the buffer from there on: nothing is taken from the heap, as for a request."""
    _image.seek(block * 4096 + offset)
    _image.readinto(buffer)


class FlashDevice:
    def readblocks(self, block, buffer, offset=0):
        read(block, offset, buffer)

    def writeblocks(self, block, buffer, offset=0):
        if wire.ask(71, block, offset, buffer):  # G
            return 5
        return 0

    def ioctl(self, operation, argument):
        if operation == 4:
            return wire.number(75)  # K: blocks
        if operation == 5:
            return 4096
        if operation == 6:
            wire.ask(69, argument)  # E
        return 0
