"""Heater profiles: AI-Studio's way to write them, and the node's."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dibble import ConfigError
from dibble.drivers import bme680_scan

from dibble_tools.common.errors import InputError

UNIT_MS = bme680_scan.UNIT_MS
HEATER_MA = 12  # of the part while it heats, by its data sheet; the same at each temperature


@dataclass(frozen=True)
class Profile:
    """One heater profile.

    Attributes:
        title: as the file names it.
        steps: (C, units of 140 ms) of each.
    """

    title: str
    steps: tuple[tuple[int, int], ...]

    @property
    def seconds(self) -> float:
        return sum(units for _, units in self.steps) * UNIT_MS / 1000

    @property
    def mah(self) -> float:
        """What the heater draws of one scan."""
        return self.seconds * HEATER_MA / 3600

    @property
    def text(self) -> str:
        """The node's word for it: a name, or its steps."""
        for name, text in bme680_scan.PROFILES.items():
            if tuple(bme680_scan.steps_of(text)) == self.steps:
                return name
        return " ".join(f"{celsius}:{units}" for celsius, units in self.steps)

    def refused(self) -> str:
        """Return why a node can't run it; "": it can."""
        try:
            bme680_scan.steps_of(self.text)
        except ConfigError as error:
            return str(error).removeprefix("config.sensors: ")
        return ""


UNKNOWN = Profile("unknown", tuple(bme680_scan.steps_of("hp354")))


def named_profile(text: str) -> Profile:
    """Return the profile of a name or of its steps, as --profile has it.

    Raises:
        InputError: it is neither.
    """
    try:
        return Profile(text, tuple(bme680_scan.steps_of(text)))
    except ConfigError as error:
        raise InputError(f"--{str(error).removeprefix('config.sensors: ')}") from None


def steps_of_vectors(vectors: Any, time_base: Any, where: str) -> tuple[tuple[int, int], ...]:
    """Return (C, units of 140 ms) of [[C, duration], ...], or of [{"temperature": C, "duration": n}, ...]; as text too.

    Args:
        time_base: ms of a duration's unit; None: 140.
    Raises:
        InputError: they are no steps.
    """
    if isinstance(vectors, str):
        try:
            vectors = json.loads(vectors)
        except ValueError:
            vectors = None
    if isinstance(vectors, list) and len(vectors) == 1 and vectors[0] and isinstance(vectors[0], list):
        vectors = vectors[0] if isinstance(vectors[0][0], list) else vectors  # some nest them once more
    try:
        pairs = [(v["temperature"], v["duration"]) if isinstance(v, dict) else (v[0], v[1]) for v in vectors]
        base = float(time_base or UNIT_MS)
        steps = tuple((round(float(celsius)), max(1, round(float(units) * base / UNIT_MS))) for celsius, units in pairs)
    except (TypeError, ValueError, LookupError, OverflowError):
        steps = ()
    if not steps:
        raise InputError(f"{where}: expected steps as [[320, 5], [100, 2]], got {str(vectors)[:60]}")
    return steps


def shared_course(profile: Profile, kept: Sequence[int]) -> Profile:
    """Return the shortest profile whose heater runs the same course up to each of the kept steps.

    Steps of one temperature in a row become one where none but the last is kept; what follows the last kept goes.
    """
    steps: list[tuple[int, int]] = []
    waiting = 0
    for i, (celsius, units) in enumerate(profile.steps[: max(kept) + 1]):
        waiting += units
        same = i + 1 < len(profile.steps) and profile.steps[i + 1][0] == celsius
        if i in kept or not same or i == max(kept):
            steps.append((celsius, waiting))
            waiting = 0
    return Profile("", tuple(steps))
