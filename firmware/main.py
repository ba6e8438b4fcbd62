"""MicroPython's entry."""

import gc
import os
import sys

TRIAL_MS = 8000  # that a start on trial may take until the node's own watchdog runs: an RP2040's takes 8388

gc.threshold(8192)  # collect before the heap is in pieces


def is_there(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def start_watchdog():
    """Start a trial's watchdog, unless the node is to have none; return whether one runs."""
    import json

    try:
        with open("config.json") as file:
            wanted = json.load(file).get("watchdog_ms", TRIAL_MS)
        if wanted:
            machine.WDT(timeout=TRIAL_MS)
        return wanted != 0
    except (OSError, ValueError, AttributeError, TypeError):  # no such file, or no such watchdog
        return False


on_trial = is_there("dibble_undo.txt")  # firmware that came by radio
if on_trial or is_there("dibble_update.txt"):  # the power failed while a deploy put its files into their places
    import dibble_update
    import machine

    if dibble_update.start():
        machine.reset()

on_watch = on_trial and start_watchdog()  # what comes now may never come back
try:
    from dibble import app
    from dibble.ports import micropython as port

    if on_watch:
        port.start_watchdog(TRIAL_MS)  # the port feeds it
except Exception as error:
    if not on_trial:
        raise
    sys.print_exception(error)
    machine.reset()

app.run(port)
