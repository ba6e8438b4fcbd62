"""Inside the VM: ticks, which wrap 65 s after power-on for the first time, and why it's safe mode."""

import wire
from time import up_ms

_PERIOD = 1 << 29
_CAUSES = {6: "BROWNOUT", 7: "WATCHDOG", 8: "HARD_FAULT", 9: "PROGRAMMATIC"}  # what the host gives power()


def ticks_ms():
    return (up_ms() - 65536) % _PERIOD


class SafeModeReason:
    NONE = "NONE"
    BROWNOUT = "BROWNOUT"
    FLASH_WRITE_FAIL = "FLASH_WRITE_FAIL"
    GC_ALLOC_OUTSIDE_VM = "GC_ALLOC_OUTSIDE_VM"
    HARD_FAULT = "HARD_FAULT"
    INTERRUPT_ERROR = "INTERRUPT_ERROR"
    NLR_JUMP_FAIL = "NLR_JUMP_FAIL"
    NO_HEAP = "NO_HEAP"
    PROGRAMMATIC = "PROGRAMMATIC"
    SDK_FATAL_ERROR = "SDK_FATAL_ERROR"
    STACK_OVERFLOW = "STACK_OVERFLOW"
    WATCHDOG = "WATCHDOG"


class runtime:
    autoreload = True
    safe_mode_reason = _CAUSES.get(wire.ask(67), "NONE")  # C
