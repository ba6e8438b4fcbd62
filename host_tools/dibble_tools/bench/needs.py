"""What a whole benchmark needs beyond dibble itself: found, or told what is missing without it, and what gets it."""

import importlib.util
import shutil
import sys

from dibble_tools.common.extras import install_command
from dibble_tools.machines.microbit import FIRMWARE
from dibble_tools.machines.tools import PACKAGES
from dibble_tools.machines.vms import unix_can_exist

CORTEX_M0 = ("arm-none-eabi-gcc", "qemu-system-arm")
ATMEGA328P = ("avr-gcc", "simavr")
PC = ("gcc",)


def has(*commands: str) -> bool:
    """Tell whether commands are on the PATH."""
    return all(shutil.which(command) for command in commands)


def has_microbit() -> bool:
    """Tell whether the micro:bit's emulator and firmware are there."""
    return has("qemu-system-arm") and FIRMWARE.is_file()


def has_peers() -> bool:
    """Tell whether other people's exporters are there."""
    return all(importlib.util.find_spec(name) for name in ("emlearn", "m2cgen"))


def missing() -> list[str]:
    """Return a sentence for all that has to be left out, with the command that gets it."""
    found = []
    for what, commands in (
        ("Cortex-M0 instructions of machine code and C", CORTEX_M0),
        ("what C takes on an ATmega328P", ATMEGA328P),
        ("nanoseconds of C on this computer", PC),
    ):
        lacking = [PACKAGES[command] for command in commands if not has(command)]
        if lacking:
            found.append(f"{what}: apt-get install {' '.join(lacking)}")
    if not has_microbit():
        found.append(
            "Cortex-M0 instructions of predict() on the micro:bit: "
            "apt-get install qemu-system-arm firmware-microbit-micropython"
        )
    if not has_peers():
        found.append(f"other people's exporters: {install_command('bench')}")
    if not unix_can_exist():
        found.append(f"microseconds on the unix VM: it has no build for {sys.platform} on this machine")
    return found
