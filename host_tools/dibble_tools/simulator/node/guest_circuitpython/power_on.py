"""Inside the VM: what CircuitPython does after power-on: mount its drive, then run boot.py and code.py, or safemode.py.

Arguments: those of ../guest/power_on.py.
"""

import sys

import wire  # all of these come from beside this file, before the board's files take its place
import analogio
import board
import busio
import circuitpython_os
import digitalio
import keypad
import microcontroller
import onewireio
import rtc
import storage
import supervisor
import time
import traceback
import vfs
import watchdog
from board_files import copy, run
from fat_device import FatDevice
from uos import getenv

if "alarm" not in microcontroller.LACKS:
    import alarm

try:
    import wifi
except ImportError:  # the board has no radio
    pass
else:
    import socketpool
    import ssl

if getenv("DIBBLE_HEARS"):
    import analogbufio
    import audiobusio
    import audioi2sin
if getenv("DIBBLE_SEES"):
    import espcamera
    import imagecapture
if getenv("DIBBLE_WORK"):
    import work

arguments = sys.argv[1:]
device = FatDevice()
if arguments[0] == "install":
    vfs.VfsFat.mkfs(device)
    vfs.mount(vfs.VfsPosix(arguments[1]), "/host")
    vfs.mount(vfs.VfsFat(device), "/flash")
    copy("/host", "/flash")
    vfs.umount("/flash")
elif arguments[0] == "extract":
    vfs.mount(vfs.VfsFat(device), "/flash")
    vfs.mount(vfs.VfsPosix(arguments[2]), "/host")
    copy("/flash" + arguments[1], "/host")
    vfs.umount("/flash")
else:
    storage.device = device
    storage.remount("/", readonly=True)  # the computer's, until boot.py says otherwise
    sys.path[:] = ["", "/", "/lib", ".frozen"]
    sys.modules["os"] = circuitpython_os
    for name in microcontroller.LACKS:
        sys.modules.pop(name, None)
    del copy
    if getenv("DIBBLE_WORK"):
        work.charge(getenv("DIBBLE_WORK"))
    if arguments[0] == "run":
        run(arguments[1])
    elif supervisor.runtime.safe_mode_reason != supervisor.SafeModeReason.NONE:
        run("/safemode.py")
        print("safe mode: REPL")
    else:
        run("/boot.py")
        run("/code.py")
