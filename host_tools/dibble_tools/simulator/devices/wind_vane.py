"""A vane over eight reed contacts, a resistor each: a magnet halfway between two closes both."""

import random

EIGHTHS_OHM = (33_000, 8_200, 1_000, 2_200, 3_900, 16_000, 120_000, 64_900)  # clockwise from north: SEN-15901


class WindVane:
    """The vane with its pull-up resistor.

    Args:
        rng: the resistors' tolerance comes from it.
        tolerance: largest deviation of a resistor, as a share.
    Attributes:
        direction_deg: truth.
    """

    def __init__(
        self,
        rng: random.Random,
        pull_up_ohm: float = 10_000,
        supply_v: float = 3.3,
        tolerance: float = 0.01,
    ) -> None:
        self.eighths_ohm = [ohm * (1 + rng.uniform(-tolerance, tolerance)) for ohm in EIGHTHS_OHM]
        self.pull_up_ohm = pull_up_ohm
        self.supply_v = supply_v
        self.direction_deg = 0.0

    def volts(self) -> float:
        sixteenth = round(self.direction_deg / 22.5) % 16
        ohm = self.eighths_ohm[sixteenth // 2]
        if sixteenth % 2:
            neighbour = self.eighths_ohm[(sixteenth // 2 + 1) % 8]
            ohm = ohm * neighbour / (ohm + neighbour)
        return self.supply_v * ohm / (ohm + self.pull_up_ohm)
