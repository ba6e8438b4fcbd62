"""A PDM microphone, as Feather Sense, CLUE and XIAO nRF52840 Sense have on board: CircuitPython's audiobusio.PDMIn.

At 16,000 samples a second or more. What comes while the node computes is lost: there is no ring.
"""

SETTINGS = (
    ("clock", (int, str), 0, 255, "MICROPHONE_CLOCK"),
    ("data", (int, str), 0, 255, "MICROPHONE_DATA"),
)
BLOCKS = "circuitpython"


def build(settings, port, bus, rate_hz, hop):
    return port.microphones().PdmMic(settings, rate_hz, hop)
