"""Inside the VM: `sys` as the simulated board has it: the host says "PLATFORM,VERSION,CHIP" in DIBBLE_BOARD.

DIBBLE_PINS has its pins, its analog ones and those that are inputs only, "DIGITAL/ANALOG/INPUTS", a bit each.
"""

import sys as _sys
from os import getenv

platform, _version, chip = (getenv("DIBBLE_BOARD") or "rp2,1.28.0,RP2040").split(",")
NO_PULL_UP = chip == "ESP32"  # at pins 34 to 39
DIGITAL, ANALOG, INPUTS = [int(n) for n in (getenv("DIBBLE_PINS") or "1073741823/1006632960/0").split("/")]
version = "3.4.0; MicroPython v" + _version


def __getattr__(name):
    return getattr(_sys, name)


class implementation:
    name = "micropython"
    version = tuple([int(part) for part in _version.split("-")[0].split(".")] + ["preview"] * ("-" in _version))
    _machine = "simulated board with " + chip
    _mpy = _sys.implementation._mpy
