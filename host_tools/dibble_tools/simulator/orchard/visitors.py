"""Who comes by the orchard's gate: deer, dog, farmer; and a stone that the sun warms. Seen by a thermal array.

Chosen, not measured: bodies are soft ellipses, as warm above the air as fur, hair, a face and clothes are in thermal
pictures; a stone follows the sun. Arrays see each pixel as the temperature at its middle.
"""

import math
import random
from dataclasses import dataclass

NOBODY, DEER, DOG, FARMER = "nobody", "deer", "dog", "farmer"
KINDS = (NOBODY, DEER, DOG, FARMER)
PERIOD_S = 150  # in each of which one may come
COMES = 0.8
STONE_C = 12.0  # above the air at noon
GROUND_C = 3.0  # nearer ground is warmer than what is far, by day
_DAY_S = 86400


@dataclass(frozen=True)
class Body:
    """A soft ellipse: its middle and half axes in parts of the picture from a visitor's own place; C above the air."""

    down: float
    right: float
    high: float
    wide: float
    warm_c: float


BODIES = {
    DEER: (Body(0.0, 0.0, 0.14, 0.22, 5.0), Body(-0.16, 0.2, 0.09, 0.07, 8.0), Body(0.2, 0.0, 0.1, 0.16, 4.0)),
    DOG: (Body(0.14, 0.0, 0.08, 0.13, 7.0), Body(0.06, 0.12, 0.06, 0.06, 10.0)),
    FARMER: (Body(0.05, 0.0, 0.26, 0.09, 6.0), Body(-0.26, 0.0, 0.08, 0.06, 12.0), Body(0.3, 0.0, 0.12, 0.07, 4.0)),
}
SPEEDS = {DEER: (0.015, 0.05), DOG: (0.03, 0.09), FARMER: (0.02, 0.06)}  # pictures a second
STAYS = {DEER: (5, 60), DOG: (0, 25), FARMER: (10, 70)}  # seconds in the middle


@dataclass(frozen=True)
class Visit:
    """One that comes in at one side, stays a while, and goes on: seconds within its period."""

    kind: str
    begins_s: float
    speed: float
    stays_s: float
    stops_at: float
    from_left: bool
    size: float
    down: float

    def place(self, second: float) -> float | None:
        """Return where it is from left to right, 0 to 1 in the picture; None before it comes and after it went."""
        way = (second - self.begins_s) * self.speed - 0.15
        to_stop = self.stops_at + 0.15
        stayed = min(max(way + 0.15 - to_stop, 0.0), self.stays_s * self.speed)
        at = way - stayed
        if not -0.15 <= at <= 1.15:
            return None
        return at if self.from_left else 1 - at


class Visitors:
    """A gate's visitors, the same for the same seed at any time."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        rng = random.Random(f"gate {seed}")
        self._stone = Body(rng.uniform(0.7, 0.9), rng.uniform(0.1, 0.9), 0.08, 0.12, STONE_C)
        self._seen: tuple[float, tuple[tuple[Body, ...], float]] | None = None

    def kind(self, now_s: float) -> str:
        """Return who is in the picture: NOBODY where their middle isn't."""
        visit = self._visit(now_s)
        place = visit.place(now_s % PERIOD_S) if visit else None
        return visit.kind if visit and place is not None and 0 <= place <= 1 else NOBODY

    def celsius(self, now_s: float, air_c: float, row: float, column: float) -> float:
        """Return what is seen at a place from 0 to 1 down, and from 0 to 1 to the right."""
        if not self._seen or self._seen[0] != now_s:
            self._seen = now_s, self._look(now_s)
        bodies, sun = self._seen[1]
        warm = GROUND_C * row * sun
        for body in bodies:
            off = ((row - body.down) / body.high) ** 2 + ((column - body.right) / body.wide) ** 2
            if off < 4:
                warm = max(warm, body.warm_c * math.exp(-off * off / 2))
        return air_c + warm

    def _look(self, now_s: float) -> tuple[tuple[Body, ...], float]:
        """Return all that is warm, where it is in the picture, and the sun's share."""
        sun = max(0.0, math.sin(math.pi * (now_s % _DAY_S / 3600 - 6) / 12))
        stone = Body(self._stone.down, self._stone.right, self._stone.high, self._stone.wide, STONE_C * sun)
        visit = self._visit(now_s)
        place = visit.place(now_s % PERIOD_S) if visit else None
        if visit is None or place is None:
            return (stone,), sun
        turn = 1 if visit.from_left else -1
        found = [
            Body(
                visit.down + body.down * visit.size,
                place + turn * body.right * visit.size,
                body.high * visit.size,
                body.wide * visit.size,
                body.warm_c,
            )
            for body in BODIES[visit.kind]
        ]
        return (stone, *found), sun

    def _visit(self, now_s: float) -> Visit | None:
        rng = random.Random(f"visit {self._seed} {now_s // PERIOD_S:.0f}")
        if rng.random() > COMES:
            return None
        kind = rng.choice(KINDS[1:])
        return Visit(
            kind,
            rng.uniform(5, 60),
            rng.uniform(*SPEEDS[kind]),
            rng.uniform(*STAYS[kind]),
            rng.uniform(0.25, 0.75),
            rng.random() < 0.5,
            rng.uniform(0.7, 1.15),
            rng.uniform(0.42, 0.58),
        )
