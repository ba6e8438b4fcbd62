"""Inside the VM: what a board does after power-on: mount its flash, then run boot.py and main.py.

Arguments: "install" with a folder of the host copies it to a new file system and ends, "update" its files to
the one that is there; "fill" leaves so many blocks of it free; "extract" with a folder of the board, "" for all, and
one of the host copies the other way; "run" with a file of the board runs that in place of boot.py and main.py.
"""

import sys

import board_sys
import machine  # these come from beside this file, before the board's files take its place
import onewire
import time
import vfs
from board_files import copy, run
from flash_device import FlashDevice
from os import getenv, ilistdir, mkdir, remove

try:  # noqa: SIM105
    import network
except ImportError:  # the board has no radio
    pass

if getenv("DIBBLE_HEARS"):
    import microphones
if getenv("DIBBLE_WORK"):
    import work

arguments = sys.argv[1:]
device = FlashDevice()
if arguments[0] in ("install", "update"):
    if arguments[0] == "install":
        vfs.VfsLfs2.mkfs(device, progsize=256)
    vfs.mount(vfs.VfsPosix(arguments[1]), "/host")
    vfs.mount(vfs.VfsLfs2(device, progsize=256), "/flash")
    copy("/host", "/flash")
    vfs.umount("/flash")
elif arguments[0] == "fill":
    vfs.mount(vfs.VfsLfs2(device, progsize=256), "/flash")
    mkdir("/flash/filler")
    count = 0
    try:
        while True:  # until it is full: statvfs() is only an estimate
            with open("/flash/filler/%d" % count, "wb") as file:
                file.write(bytes(4000))
            count += 1
    except OSError:
        for number in range(max(0, count - int(arguments[1])), count + 1):
            if str(number) in [entry[0] for entry in ilistdir("/flash/filler")]:
                remove("/flash/filler/%d" % number)
    vfs.umount("/flash")
elif arguments[0] == "extract":
    vfs.mount(vfs.VfsLfs2(device, progsize=256), "/flash")
    vfs.mount(vfs.VfsPosix(arguments[2]), "/host")
    if not arguments[1] or arguments[1][1:] in [entry[0] for entry in ilistdir("/flash")]:
        copy("/flash" + arguments[1], "/host")
    vfs.umount("/flash")
else:
    vfs.umount("/")
    vfs.mount(vfs.VfsLfs2(device, progsize=256), "/")
    sys.path[:] = ["", "/lib", ".frozen"]
    sys.modules["sys"] = board_sys
    del copy
    if getenv("DIBBLE_WORK"):
        work.charge(getenv("DIBBLE_WORK"))
    if arguments[0] == "run":
        run(arguments[1])
    else:
        run("/boot.py")
        run("/main.py")
