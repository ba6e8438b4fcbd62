"""CircuitPython's clock: ticks that wrap, and seconds in floats."""

import supervisor

_HALF_PERIOD = 1 << 28  # supervisor.ticks_ms() wraps at 2**29
ticks_ms = supervisor.ticks_ms


def ticks_diff(newer, older):
    """Return the ms between two ticks less than three days apart; no step leaves 31 bits."""
    return ((newer - older + _HALF_PERIOD) & (2 * _HALF_PERIOD - 1)) - _HALF_PERIOD


def seconds(ms):
    return ms / 1000
