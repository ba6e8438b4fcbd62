"""How far samples span, in machine code: see span.py."""

import micropython


@micropython.viper
def span_of(samples: ptr16, count: int) -> int:  # noqa: F821
    """Return the largest of 16-bit samples less the smallest."""
    least = 65535
    most = 0
    i = 0
    while i < count:
        value = samples[i] ^ 32768  # so that they are in order without their sign
        if value < least:
            least = value
        if value > most:
            most = value
        i += 1
    return most - least
