"""A figure with its range and what it rests on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A value that lies between low and high, as far as its sources can tell.

    Attributes:
        rests_on: in words.
    """

    value: float
    low: float
    high: float
    rests_on: str

    @classmethod
    def within(cls, value: float, factor: float, rests_on: str) -> "Figure":
        """Return a figure that may be off by a factor, either way."""
        return cls(value, value / factor, value * factor, rests_on)

    @classmethod
    def exact(cls, value: float, rests_on: str) -> "Figure":
        return cls(value, value, value, rests_on)

    def plus(self, *others: "Figure", rests_on: str) -> "Figure":
        """Return the sum; its range is that of all being off the same way."""
        terms = (self, *others)
        low, high = sum(term.low for term in terms), sum(term.high for term in terms)
        return Figure(sum(term.value for term in terms), low, high, rests_on)

    def minus(self, other: "Figure") -> "Figure":
        """Return the difference; its range is that of both being off the worse, or the better, way."""
        return Figure(self.value - other.value, self.low - other.high, self.high - other.low, other.rests_on)

    def times(self, other: "Figure", rests_on: str) -> "Figure":
        """Return the product of two figures that aren't negative."""
        return Figure(self.value * other.value, self.low * other.low, self.high * other.high, rests_on)
