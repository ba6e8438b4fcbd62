"""A microphone at I2S: INMP441, ICS-43434, SPH0645. Three pins, 3.3 V and GND, L/R to GND.

MicroPython's machine.I2S, on Pico, ESP32 (not C2, C5), mimxrt, pyboards; CircuitPython's audioi2sin, from 10.3 on, on
RP2 and Espressif. On an RP2 word select is the pin above the clock's; under CircuitPython it may be the one below.
"""

SETTINGS = (
    ("sck", (int, str), 0, 255, None),  # bit clock (BCLK)
    ("ws", (int, str), 0, 255, None),  # word select (LRCL); on an RP2 the pin after sck
    ("sd", (int, str), 0, 255, None),  # the microphone's data (DOUT)
    ("id", int, 0, 1, 0),  # which of the chip's I2S; MicroPython's
    ("ring_ms", int, 32, 1000, 150),  # what may wait while the node is busy; MicroPython's
)
BLOCKS = "circuitpython"


def build(settings, port, bus, rate_hz, hop):
    return port.microphones().I2sMic(settings, rate_hz, hop)
