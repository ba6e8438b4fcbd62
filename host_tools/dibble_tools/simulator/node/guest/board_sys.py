"""Inside the VM: `sys` as the simulated board has it: the host says "PLATFORM,VERSION,CHIP" in DIBBLE_BOARD."""

import sys as _sys
from os import getenv

platform, _version, _chip = (getenv("DIBBLE_BOARD") or "rp2,1.28.0,RP2040").split(",")
NO_PULL_UP = _chip == "ESP32"  # at pins 34 to 39
version = "3.4.0; MicroPython v" + _version


def __getattr__(name):
    return getattr(_sys, name)


class implementation:
    name = "micropython"
    version = tuple([int(part) for part in _version.split("-")[0].split(".")] + ["preview"] * ("-" in _version))
    _machine = "simulated board with " + _chip
    _mpy = _sys.implementation._mpy
