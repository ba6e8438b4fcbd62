"""main.py while dibble takes over a board that runs something else: that goes on until all of dibble is there.

What was main.py is main_before.py.
"""

import os

try:
    os.stat("dibble_update.txt")
except OSError:
    execfile("main_before.py")  # noqa: F821
else:
    import dibble_update
    import machine

    dibble_update.complete()
    machine.reset()
