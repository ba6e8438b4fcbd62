"""Run on the board: what state is its program in, and what becomes of it when the host goes away?"""

import gc
import sys

timers = []


def watched():
    """Say whether a node's watchdog is running."""
    port = sys.modules.get("dibble.ports.micropython")
    print("yes" if getattr(port, "_watchdog", None) else "no")


def uptime():
    """Say how long ago the board began, in ms that wrap: only a real reset begins anew."""
    import time

    print(time.ticks_ms())


def up_s():
    """Print for how many seconds the node that was stopped has been running; nothing where none was."""
    for name in ("micropython", "circuitpython"):
        clock = getattr(sys.modules.get("dibble.ports." + name), "_clock", None)
        if clock:
            print(clock.up_s())


def collect_often():
    """Keep the heap from falling to pieces."""
    if hasattr(gc, "threshold"):  # not on CircuitPython
        gc.threshold(8192)


def begin_watch():
    """Say whether the board has a timer that can reset it."""
    try:
        from machine import Timer
    except ImportError:
        Timer = None
    for number in (-1, 0):  # by software; of an ESP32, which has none
        try:
            timers.append(Timer(number))
            break
        except (TypeError, ValueError, OSError):
            pass
    print("yes" if timers else "no")


def expect(ms):
    """Reset the board if nobody calls this for so long; 0: no longer."""
    for timer in timers:
        if ms:
            timer.init(mode=timer.ONE_SHOT, period=ms, callback=reset_board)
        else:
            timer.deinit()


def reset_board(timer):
    import machine

    machine.reset()


def reset_soon():
    """Reset the board when the host has had time to let go of its port."""
    import time

    time.sleep_ms(100)
    reset_board(None)
