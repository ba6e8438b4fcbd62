"""Inside the VM: a node's main.py after the hardware, whose heap isn't the node's."""

import gc
import sys
import time

import machine  # noqa: F401


def main():
    gc.threshold(8192)  # as main.py does
    sys.path[:] = ["lib"]
    time.begin(8, 600000)
    from dibble import app
    from dibble.ports import micropython as port

    app.run(port)
