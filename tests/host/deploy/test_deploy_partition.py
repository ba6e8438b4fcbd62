"""link/guest/partition.py on a block device, as some ports have it; the virtual board's partition is memory."""

import hashlib
import shutil

from dibble_tools.deploy.partition import romfs_image
from dibble_tools.link.session import REMOTE
from dibble_tools.machines.vms import run_unix

IMAGE = romfs_image("model.dib", {"model.dib": bytes(range(256)) * 3, "model_code.mpy": b"code" * 999})
# A device as rp2.Flash and esp32.Partition are: blocks that are erased before they are written, and a buffer.
GUEST = """\
import sys
import vfs
class Device(bytearray):
    def ioctl(self, operation, argument):
        if operation == 5:
            return 512
        if operation == 6:
            self[argument * 512 : argument * 512 + 512] = b"\\xff" * 512
        return 0
    def writeblocks(self, block, content, offset):
        at = block * 512 + offset
        assert set(self[at : at + len(content)]) == {255}
        self[at : at + len(content)] = content
class Vfs:
    VfsRom = vfs.VfsRom
    umount = vfs.umount
    device = Device(b"?" * 16384)
    def rom_ioctl(operation, partition):
        assert operation == 2 and partition == 0
        return Vfs.device
sys.modules["vfs"] = Vfs
from partition import partition_end, partition_erase, partition_look, partition_write
with open("image.romfs", "rb") as file:
    image = file.read()
partition_look(len(image))
partition_erase(len(image))
for at in reversed(range(0, len(image), 512)):
    partition_write(at, image[at : at + 512])
partition_end()
partition_look(len(image))
Vfs.device = -19
try:
    partition_look(4)
except OSError as error:
    print(error.errno)
"""


def test_a_block_device_is_erased_written_and_read_back(tmp_path):
    shutil.copy(REMOTE / "partition.py", tmp_path)
    (tmp_path / "image.romfs").write_bytes(IMAGE)
    (tmp_path / "guest.py").write_text(GUEST)
    before = hashlib.sha256(b"?" * len(IMAGE)).hexdigest()
    after = hashlib.sha256(IMAGE).hexdigest()
    lines = [f"16384 {before}", "1 512", f"16384 {after}", "model.dib", "model_code.mpy", "19"]
    assert run_unix(tmp_path, "guest.py").stdout.splitlines() == lines
