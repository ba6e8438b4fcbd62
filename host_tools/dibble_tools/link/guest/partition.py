"""Run on the board: its first ROMFS partition, which is memory or a block device, as `mpremote romfs` takes it."""

from binascii import hexlify
from hashlib import sha256

import vfs

PIECE = 4096


def partition_look(size):
    """Print the partition's bytes, and the SHA-256 of its first `size`; then each name in its root."""
    content = memoryview(_device())
    sums = sha256()
    for at in range(0, min(size, len(content)), PIECE):
        sums.update(content[at : min(at + PIECE, size)])
    print(len(content), hexlify(sums.digest()).decode())
    try:
        names = [entry[0] for entry in vfs.VfsRom(_device()).ilistdir("/")]
    except OSError:  # nothing was written there yet
        names = []
    for name in names:
        print(name)


def partition_erase(size):
    """Erase that many bytes from the beginning on; print how many are to be written at once, at least and at most."""
    try:  # noqa: SIM105
        vfs.umount("/rom")
    except OSError:  # it isn't mounted
        pass
    device = _device()
    least, most = 1, PIECE
    if hasattr(device, "ioctl"):
        most = block = device.ioctl(5, 0)
        for number in range((size + block - 1) // block):
            device.ioctl(6, number)
    else:
        block = vfs.rom_ioctl(6, 0)
        if 0 < block < len(device):
            for at in range(0, size, block):
                least = vfs.rom_ioctl(3, 0, at, block)
        else:
            least = vfs.rom_ioctl(3, 0, size)
    print(least, max(least, most))


def partition_write(at, content):
    device = _device()
    if hasattr(device, "ioctl"):
        block = device.ioctl(5, 0)
        device.writeblocks(at // block, content, at % block)
    else:
        vfs.rom_ioctl(4, 0, at, content)


def partition_end():
    """Bring to the flash what is still on its way there."""
    if not hasattr(_device(), "ioctl"):
        vfs.rom_ioctl(5, 0)


def _device():
    device = vfs.rom_ioctl(2, 0)
    if isinstance(device, int):
        raise OSError(-device)
    return device
