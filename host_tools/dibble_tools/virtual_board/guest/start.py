"""Inside the VM: mounts the flash, runs boot.py and main.py, and leaves the modules of a board behind."""

import sys

import board_sys
import interrupts
import machine  # these come from beside this file, before the board's files take its place
import onewire
import time
import rom
import wire
from flash_device import FlashDevice
from os import getenv, stat

try:  # noqa: SIM105
    import network
except ImportError:  # the board has no radio
    pass

if getenv("DIBBLE_HEARS"):
    import microphones


def board(names):
    """Start the board; a SystemExit ends the VM, for a soft reset.

    names: the program's globals.
    """
    raw = sys.argv[1] == "raw"
    sys.argv.clear()
    sys.path[:] = ["", ".frozen", "/lib"]
    sys.modules["micropython"] = interrupts
    sys.modules["sys"] = board_sys
    time.ticks_ms, time.ticks_us = ticks_ms, ticks_us
    sys.modules["vfs"] = rom
    _mount(FlashDevice())
    sys.path.extend(rom.mount_rom())
    wire.ask(89, 0)  # Y: from here on a Ctrl-C interrupts
    _run("boot.py", names)
    if not raw:
        _run("main.py", names)
    wire.ask(89, 1)  # and from here on the REPL reads


def _mount(device):
    rom.umount("/")
    try:
        rom.mount(rom.VfsLfs2(device, progsize=256), "/")
        return
    except OSError:
        pass
    block = bytearray(4096)
    for number in (0, 1):
        device.readblocks(number, block)
        if block != b"\xff" * 4096:
            print("expected a LittleFS on the flash, found something else: erase the image to begin anew")
            return
    rom.VfsLfs2.mkfs(device, progsize=256)
    rom.mount(rom.VfsLfs2(device, progsize=256), "/")


def _run(path, names):
    try:
        stat(path)
    except OSError:
        return
    try:
        execfile(path, names)
    except SystemExit as error:
        raise error
    except BaseException as error:
        sys.print_exception(error)


def ticks_ms():
    wire.ask(84)  # T
    return wire.ticks


def ticks_us():
    return ticks_ms() * 1000 & 0x3FFFFFFF
