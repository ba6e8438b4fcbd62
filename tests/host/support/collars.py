"""Animals with a collar, made up: what an accelerometer at the neck feels, by what they do. Never those of a herd.

Rhythms and postures as the literature on collars tells them: chewing the cud about once a second, bites of grass that
are less even with the head down, strides, and rest. Each animal has its own pace, strength and way to wear it.
"""

import math
import random
from collections.abc import Callable

BEHAVIOURS = ("grazing", "resting", "ruminating", "walking")
# Hz, mg of the strongest axis, degrees that the head is down, how uneven.
_KINDS = {
    "grazing": (1.4, 180.0, 55.0, 0.5),
    "resting": (0.2, 8.0, 10.0, 0.3),
    "ruminating": (1.05, 70.0, 5.0, 0.08),
    "walking": (1.9, 260.0, 20.0, 0.15),
}

Moves = Callable[[float], tuple[float, float, float]]


def animal(number: int, behaviour: str) -> Moves:
    """Return what a collar feels of an animal that does one thing: seconds -> mg of each axis."""
    own = random.Random(f"animal {number}")
    pace, strength, roll = own.uniform(0.9, 1.1), own.uniform(0.7, 1.4), math.radians(own.uniform(-20, 20))
    droop = own.uniform(-8, 8)
    hz, mg, down, uneven = _KINDS[behaviour]
    pitch = math.radians(down + droop)
    gravity = (1000 * math.sin(pitch), 1000 * math.cos(pitch) * math.sin(roll), 1000 * math.cos(pitch) * math.cos(roll))

    def moves(at_s: float) -> tuple[float, float, float]:
        second = random.Random(f"{number} {behaviour} {int(at_s * 2)}")  # each half one a little otherwise
        force = mg * strength * (1 + uneven * second.uniform(-1, 1))
        turn = 2 * math.pi * hz * pace * at_s + uneven * second.uniform(-1, 1)
        wave = force * (math.sin(turn) + 0.3 * math.sin(2 * turn + 1))
        return gravity[0] + wave, gravity[1] + 0.4 * wave, gravity[2] + 0.6 * force * math.sin(turn + 0.7)

    return moves
