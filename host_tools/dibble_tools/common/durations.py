"""Durations as people write them."""

import re

from dibble_tools.common.errors import InputError

SECONDS = {"s": 1, "m": 60, "h": 3600}


def parse_seconds(text: str, option: str) -> float:
    """Return the seconds of "90s", "1.5m", "2h" or plain "90"."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    seconds = float(match[1]) * SECONDS[match[2] or "s"] if match else 0.0
    if not 1 <= seconds <= 7 * 24 * 3600:
        raise InputError(f"{option}: expected a time from 1s to 168h, such as 60s or 10m; got {text!r}")
    return seconds
