"""Inside the VM: a node's main.py after the hardware, whose heap isn't the node's."""

import gc
import os
import sys

import machine
import time

gc.threshold(8192)
if sys.platform == "wasi" or "wasi" in sys.implementation._build:
    os.chdir("/input")
sys.path[:] = ["lib"]
time.begin(8, 600000)
from dibble import app
from dibble.ports import micropython as port

app.run(port)
