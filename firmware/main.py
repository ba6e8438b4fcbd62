"""MicroPython's entry."""

import gc
import os
import sys

gc.threshold(8192)  # collect before the heap is in pieces


def is_there(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True


on_trial = is_there("dibble_undo.txt")  # firmware that came by radio
if on_trial or is_there("dibble_update.txt"):  # the power failed while a deploy put its files into their places
    import dibble_update
    import machine

    if dibble_update.start():
        machine.reset()

try:
    from dibble import app
    from dibble.ports import micropython as port
except Exception as error:
    if not on_trial:
        raise
    sys.print_exception(error)
    machine.reset()

app.run(port)
