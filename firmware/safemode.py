"""CircuitPython runs this in its own safe mode, before USB comes up: out of there again, with a pause.

Nothing else does: a node whose battery dipped would wait for its reset button (circuitpython#2694).
- After a brown-out it always tries again, later each time: a flat battery recovers.
- After a watchdog's bite or a fault it tries GIVE_UP times without the node having counted a boot in
  between; then it leaves the board in safe mode, where the REPL and the drive are free.
- Who asked for safe mode, by button or by program, gets it.

The tries are in nvm, beside the node's boot state (dibble.storage.nvm), together with what that was
then: a node that came as far as changing it begins the count anew.
"""

import time

import microcontroller
import supervisor

CELL_BYTES = 15  # of the node's boot state
PLACE = 16
GIVE_UP = 5
PAUSE_S = 10
DOUBLINGS = 6  # of the pause after brown-outs: at most 640 s
MOST = 200

REASON = supervisor.SafeModeReason
FAULTS = (
    REASON.WATCHDOG,
    REASON.HARD_FAULT,
    REASON.STACK_OVERFLOW,
    REASON.NLR_JUMP_FAIL,
    REASON.INTERRUPT_ERROR,
    REASON.GC_ALLOC_OUTSIDE_VM,
    REASON.NO_HEAP,
    REASON.FLASH_WRITE_FAIL,
    REASON.SDK_FATAL_ERROR,
)


def count():
    """Return how often this has run since the node last changed its boot state; 1 where there is no nvm."""
    nvm = microcontroller.nvm
    if nvm is None:
        return 1
    state = bytes(nvm[0:CELL_BYTES])
    old = bytes(nvm[PLACE : PLACE + 1 + CELL_BYTES])
    tries = min(old[0] + 1, MOST) if old[0] <= MOST and old[1:] == state else 1
    new = bytes((tries,)) + state
    if new != old:
        nvm[PLACE : PLACE + 1 + CELL_BYTES] = new
    return tries


def rest(seconds):
    """Wait with little current, where the board can."""
    try:
        import alarm

        alarm.light_sleep_until_alarms(alarm.time.TimeAlarm(monotonic_time=time.monotonic() + seconds))
    except ImportError:
        time.sleep(seconds)


def recover(reason):
    """Pause and reset; return where the board is better left to people."""
    if reason == REASON.BROWNOUT:
        rest(PAUSE_S << min(count() - 1, DOUBLINGS))
    elif reason in FAULTS and count() <= GIVE_UP:
        rest(PAUSE_S)
    else:
        return
    microcontroller.reset()


recover(supervisor.runtime.safe_mode_reason)
