"""Run on the board: what state is its program in?"""

import gc
import sys


def watched():
    """Say whether a node's watchdog is running."""
    port = sys.modules.get("dibble.ports.micropython")
    print("yes" if getattr(port, "_watchdog", None) else "no")


def up_s():
    """Print for how many seconds the node that was stopped has been running; nothing where none was."""
    for name in ("micropython", "circuitpython"):
        clock = getattr(sys.modules.get("dibble.ports." + name), "_clock", None)
        if clock:
            print(clock.up_s())


def collect_often():
    """Keep the heap from falling to pieces."""
    gc.threshold(8192)
