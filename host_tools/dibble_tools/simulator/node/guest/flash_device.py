"""Inside the VM: the simulated flash chip as a block device, for the VM's own LittleFS."""

import wire


class FlashDevice:
    def readblocks(self, block, buffer, offset=0):
        wire.ask(66, block, offset << 16 | len(buffer), b"", buffer)  # B

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
