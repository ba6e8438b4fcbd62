"""What a decision stands for where a model tells a number: the part "number" of its file.

Such a model has two classes, below and above a middle; how far the winner leads, with a sign, is the score of one
output. The number is that score times a multiplier, in steps of the number's own unit.
"""

from dibble.inference.decision import NO_CLASS
from dibble.inference.fixed_point import MISSING
from dibble.inference.format import Cursor
from dibble.inference.parts import NUMBER

MOST_STEPS = (1 << 29) - 1
MOST_MULTIPLIER = 1 << 13
MOST_SHIFT = 29


class Number:
    """A number in steps of mantissa * 10**exponent of a unit.

    Args:
        blob: bytes of the model file.
        at: where the part's content begins.
    Attributes:
        name, unit: of what it is a number.
        mantissa, exponent: of its steps.
        base: the number of a lead of 0.
        multiplier, shift: a lead of 1 is multiplier / 2**shift steps; 65535 * multiplier < 2**30.
        low, high: the range of what was trained on, which it stays within.
        spread: so many steps either way hold `coverage` percent of the true numbers.
        ahead_s: of what time to come it tells; 0: of now.
    """

    def __init__(self, blob, at):
        cursor = Cursor(blob, at)
        self.exponent = cursor.byte() - 9
        self.mantissa = cursor.byte()
        self.base = cursor.signed()
        self.multiplier = cursor.number()
        self.shift = cursor.byte()
        self.low = cursor.signed()
        self.high = self.low + cursor.number()
        self.spread = cursor.number()
        self.coverage = cursor.byte()
        self.ahead_s = cursor.number()
        self.unit = str(bytes(cursor.take(cursor.byte())), "utf-8")
        self.name = str(bytes(cursor.take(cursor.byte())), "utf-8")
        self._half = (1 << self.shift) >> 1

    @property
    def reading(self):
        """What a node calls it among its readings: soil_permille_in_6h, or predicted_soil_permille of now."""
        return reading_name(self.name, self.ahead_s)

    @property
    def told_unit(self):
        """Its unit, with how large a step is where that isn't 1: 0.1_pct."""
        digits = str(self.mantissa)
        if self.exponent < 0:
            digits = "0" * (1 - self.exponent - len(digits)) + digits
            digits = digits[: self.exponent] + "." + digits[self.exponent :]
        return self.unit if digits == "1" and not self.exponent else digits + "0" * self.exponent + "_" + self.unit

    def steps(self, decision):
        """Return the number of a decision, in steps; MISSING where a reading is."""
        if decision.class_index == NO_CLASS:
            return MISSING
        lead = decision.margin if decision.class_index else -decision.margin
        # |lead| < 2**16 and multiplier <= 2**13: the product is below 2**29, as half and |base| are.
        steps = self.base + ((lead * self.multiplier + self._half) >> self.shift)
        return min(max(steps, self.low), self.high)


def reading_name(name, ahead_s):
    """Return what a node calls a number among its readings."""
    if not ahead_s:
        return "predicted_" + name
    if ahead_s % 3600:
        return "%s_in_%dm" % (name, ahead_s // 60)
    return "%s_in_%dh" % (name, ahead_s // 3600)


def number_of(model):
    """Return the Number of a Model; None where it tells a class."""
    at = model.parts.get(NUMBER)
    return None if at is None else Number(model.blob, at)


def check(model, classes):
    """Raise ValueError unless the part "number" of a model of so many classes holds."""
    from dibble.inference.bounds import within

    number = Number(model.blob, model.parts[NUMBER])
    within("classes of a number", classes, 2, 2)
    within("mantissa", number.mantissa, 255, 1)
    within("exponent", number.exponent, 9, -9)
    within("base", number.base, MOST_STEPS, -MOST_STEPS)
    within("multiplier", number.multiplier, MOST_MULTIPLIER)
    within("shift", number.shift, MOST_SHIFT)
    within("low", number.low, number.high, -MOST_STEPS)
    within("high", number.high, MOST_STEPS, number.low)
    within("spread", number.spread, MOST_STEPS)
    within("coverage", number.coverage, 100)
