"""An analog microphone with its amplifier (MAX4466, MAX9814) at an ADC pin, on RP2040 and RP2350.

MicroPython: the ADC runs by itself and DMA fills a ring, without the processor. CircuitPython: analogbufio. Nothing
else may read the ADC meanwhile: no other sensor at an ADC pin, nor a battery.
"""

SETTINGS = (
    ("pin", (int, str), 0, 255, None),
    ("ring_ms", int, 32, 1000, 256),  # what may wait while the node is busy
)
BLOCKS = ""


def build(settings, port, bus, rate_hz, hop):
    return port.microphones().AdcMic(settings, rate_hz, hop)
