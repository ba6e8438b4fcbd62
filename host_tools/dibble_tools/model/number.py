"""A number that a model tells, on the host: its part of the file, and what decisions stand for."""

from dataclasses import dataclass

import numpy as np
from dibble.inference.decision import NO_CLASS
from dibble.inference.fixed_point import MISSING
from dibble.inference.number import MOST_MULTIPLIER, MOST_SHIFT, MOST_STEPS, Number, reading_name

from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import Channel
from dibble_tools.model.decisions import Decisions
from dibble_tools.model.encoding import number, signed

EXPONENT_ZERO = 9


@dataclass(frozen=True)
class Quantity:
    """What a model's number is of, and how it follows from how far a class leads: see firmware's inference/number.py.

    Attributes:
        channel: its name, unit, steps, and the range that it stays within.
    """

    channel: Channel
    base: int
    multiplier: int
    shift: int
    spread: int
    coverage: int
    ahead_s: int

    @property
    def reading(self) -> str:
        """What a node calls it among its readings."""
        return str(reading_name(self.channel.name, self.ahead_s))

    @property
    def half(self) -> int:
        """What is added before the shift, so that it rounds."""
        return (1 << self.shift) >> 1

    def steps(self, decisions: Decisions) -> np.ndarray:
        """Return the number of each decision in steps, int64; MISSING where a reading is."""
        lead = np.where(decisions.class_index == 1, decisions.margin, -decisions.margin).astype(np.int64)
        steps = np.clip(
            self.base + ((lead * self.multiplier + self.half) >> self.shift), self.channel.low, self.channel.high
        )
        return np.where(decisions.class_index == NO_CLASS, MISSING, steps)


def quantity(channel: Channel, base: float, slope: float, spread: float, coverage: int, ahead_s: int) -> Quantity:
    """Return the number of a lead of 0 and what a lead of 1 adds, in steps of a channel, as integers.

    Raises:
        InputError: it doesn't fit.
    """
    shift = 0
    while shift < MOST_SHIFT and round(slope * (2 << shift)) <= MOST_MULTIPLIER:
        shift += 1
    multiplier = round(slope * (1 << shift))
    found = Quantity(channel, round(base), multiplier, shift, round(spread), coverage, ahead_s)
    if not 0 < multiplier <= MOST_MULTIPLIER or max(abs(found.base), abs(channel.low), abs(channel.high)) > MOST_STEPS:
        raise InputError(f"--target {channel.name}: expected numbers that fit 30 bits: give it a coarser resolution")
    return found


def quantity_of(told: Number) -> Quantity:
    """Return the same of what the firmware has read."""
    channel = Channel(told.name, told.unit, told.mantissa, told.exponent, told.low, told.high)
    return Quantity(channel, told.base, told.multiplier, told.shift, told.spread, told.coverage, told.ahead_s)


def number_part(q: Quantity) -> bytes:
    """Return the content of the part "number"."""
    c = q.channel
    out = bytes((c.exponent + EXPONENT_ZERO, c.mantissa)) + signed(q.base) + number(q.multiplier) + bytes((q.shift,))
    out += signed(c.low) + number(c.high - c.low) + number(q.spread) + bytes((q.coverage,)) + number(q.ahead_s)
    return out + b"".join(bytes((len(text.encode()),)) + text.encode() for text in (c.unit, c.name))
