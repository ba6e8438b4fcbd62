"""What a training is asked for, what it came to, and how much of its time is used."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dibble_tools.data.prepare import DataOptions, Prepared
from dibble_tools.families.novelty import Novelty
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.limits import Limits
from dibble_tools.training.cross_validation import Task, Tried
from dibble_tools.training.naming import About
from dibble_tools.training.stages import HeldOut
from dibble_tools.training.students import Student
from dibble_tools.training.teacher import Teacher
from dibble_tools.training.training_set import TrainingSet

DEFAULT_BYTES = 2048

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class TrainOptions:
    """What `dibble train` is asked for; its help text has the meaning of each."""

    data: DataOptions
    family: str = "auto"
    recipe: str | None = None
    limits: Limits = field(default_factory=lambda: Limits(max_bytes=DEFAULT_BYTES))
    budget_s: float = 60.0
    jobs: int = 2
    costs: Sequence[str] = ()
    balance: float = 0.0
    sure: float = 0.6
    novelty: float | None = None
    hysteresis: int | None = None
    name: str | None = None


@dataclass(frozen=True)
class Training:
    """All that one training came to; the card is written from it.

    Attributes:
        lesson: the training rows; held_out: the others.
        tried: every recipe, best first; chosen: the one whose student is the model.
        margins: what calling decisions below a margin unsure is worth; see metrics.coverage.
    """

    path: Path
    options: TrainOptions
    data: Prepared
    teacher: Teacher
    lesson: TrainingSet
    held_out: HeldOut
    about: About
    task: Task
    tried: list[Tried]
    chosen: Tried
    student: Student
    novelty: Novelty | None
    model: HostModel
    margins: list[dict[str, float]]


@dataclass(frozen=True)
class Trained:
    """A model, its card (JSON-ready), and what is worth telling about the data."""

    model: HostModel
    card: dict[str, Any]
    notes: list[str]


@dataclass
class Clock:
    """How much of the budget is used."""

    budget_s: float
    start: float = field(default_factory=time.monotonic)

    def used(self) -> float:
        """Return the share of the budget that is used, at most 1."""
        return min(1.0, (time.monotonic() - self.start) / self.budget_s)

    def left(self, share: float) -> float:
        """Return the seconds until `share` of the budget is used."""
        return max(0.0, share * self.budget_s - (time.monotonic() - self.start))
