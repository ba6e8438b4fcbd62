"""Inside the VM: `micropython` whose kbd_intr() also tells the serial port whether line ends are to be CR LF.

A board's sys.stdout.buffer sends bytes as they are; this VM's has the same file as print(). Who sends bytes through it
switches the interrupt character off first, as mpremote's mount does.
"""

import wire
from micropython import *
from micropython import kbd_intr as _kbd_intr


def kbd_intr(character):
    if character < 0:
        _kbd_intr(character)
        wire.ask(86, 1)  # V
    else:
        wire.ask(86, 0)
        _kbd_intr(character)
