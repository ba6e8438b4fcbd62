"""What a training is asked for, what it came to, and how much of its time is used."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_together
from dibble_tools.common.formatting import percent, whole
from dibble_tools.data.prepare import DataOptions, Prepared
from dibble_tools.families.novelty import Novelty
from dibble_tools.model.host_model import CARD_FILE, MODEL_FILE, HostModel
from dibble_tools.model.limits import Limits
from dibble_tools.report.html import report_files
from dibble_tools.report.verdict import ModelVerdict, verdict_of
from dibble_tools.training.absences import Absence
from dibble_tools.training.cross_validation import Candidate, Task
from dibble_tools.training.naming import About
from dibble_tools.training.ratio_pools import Pools
from dibble_tools.training.recipes import FAMILIES
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
    balance: float | None = None
    optimize: str = "auto"
    refit: bool = True
    sure: float = 0.6
    novelty: float | None = None
    hysteresis: int | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        """Raise InputError where there is no such family."""
        if self.family != "auto" and self.family not in FAMILIES:
            raise InputError(f"--family: expected auto, {', '.join(FAMILIES)}; got {self.family!r}")


@dataclass(frozen=True)
class Training:
    """All that one training came to; the card is written from it.

    Attributes:
        teacher: the best float classifier, to compare with.
        training_set: the training rows, features in `order`; held_out: the others.
        candidates: every recipe tried, best first; chosen: the one whose student is the model.
        judged: the model of the training rows, which the held-out rows score.
        shipped: the model to ship: the same recipe's of all rows, or the judged one.
        margins: what calling decisions below a margin unsure is worth; see metrics.coverage.
        balance: see TrainOptions, or what the objective asks for.
        pools: what steps of a heater scan and their ratios reached; None where there are none.
        absences: what the chosen recipe decides without each channel, where something stands in for it.
    """

    path: Path
    options: TrainOptions
    data: Prepared
    teacher: Teacher
    training_set: TrainingSet
    order: list[int]
    held_out: HeldOut
    about: About
    task: Task
    candidates: list[Candidate]
    chosen: Candidate
    judged: "Fitted"
    shipped: "Fitted"
    margins: list[dict[str, float]]
    balance: float
    pools: Pools | None = None
    absences: Sequence[Absence] = ()


@dataclass(frozen=True)
class Fitted:
    """A recipe fitted on some rows: how many, what came of it, and its model file."""

    rows: int
    student: Student
    novelty: Novelty | None
    model: HostModel


@dataclass(frozen=True)
class Trained:
    """A model, its card (JSON-ready), what is worth telling about the data, and of frames a PNG of examples."""

    model: HostModel
    card: dict[str, Any]
    notes: list[str]
    examples: bytes = b""

    def __repr__(self) -> str:
        """Return what people want to know first: which model, and how good it is on rows it wasn't trained on."""
        recipe = self.card["model"].get("recipe", self.card["model"]["family"])
        if "number" in self.card or "usual" in self.card:
            return f"<Trained {recipe}: {self.verdict.words if self.verdict else ''} {self.model!r}>"
        held_out = self.card["held_out"]["integer_model"]
        right = f"{percent(held_out['accuracy'])} of {whole(held_out['rows'])} rows held out"
        return f"<Trained {recipe}: {right} right; {self.model!r}>"

    @property
    def verdict(self) -> ModelVerdict | None:
        """Whether to rely on it, and why; None where the card has no figures."""
        return verdict_of(self.card)

    def save(self, folder: str | Path) -> None:
        """Write card, report and model together: what lies beside a model is its own, on a full disk too."""
        place = Path(folder)
        card = json.dumps(self.card, indent=1, ensure_ascii=False) + "\n"
        files, gone = report_files(self.card, place, self.examples)
        write_together({**files, place / CARD_FILE: card.encode(), place / MODEL_FILE: self.model.blob}, gone)


OVERRUN = 1.25  # times the budget: so much is told
STARVED, STARVED_S = 0.35, 1.0  # share of a processor below which this process starves, once so many seconds tell it


class Clock:
    """How much of the budget is used."""

    def __init__(self, budget_s: float, now: Callable[[], float] = time.monotonic) -> None:
        """Start the clock; `now` may be `time.process_time`, so that other work on the machine takes nothing away."""
        self.budget_s, self.now = budget_s, now
        self.start, self.start_cpu = now(), time.process_time()
        self.left_out: list[str] = []

    def allows(self, what: str, share: float) -> bool:
        """Tell whether less than `share` of the budget is used; `told` names what wasn't allowed."""
        if self.used() < share:
            return True
        self.left_out.append(what)
        return False

    def starved(self) -> bool:
        """Tell whether others leave this process little of a processor; call it where it alone has worked so far."""
        took = self.now() - self.start
        return took >= STARVED_S and time.process_time() - self.start_cpu < STARVED * took

    def told(self) -> list[str]:
        """Return notes on what the budget had no room for, and on how far it was overrun."""
        notes = [f"left out, for the budget was used up: {'; '.join(self.left_out)}"] if self.left_out else []
        return notes + self.overrun()

    def overrun(self) -> list[str]:
        """Return a note where it took much longer than the budget, as what is never left out may, on a busy machine."""
        took = self.now() - self.start
        if took <= OVERRUN * self.budget_s:
            return []
        cpu = time.process_time() - self.start_cpu
        return [
            f"it took {took:.0f} s of a budget of {self.budget_s:.0f}, of which this process had a processor for "
            f"{cpu:.0f} s: a first teacher, folds, a few recipes, one fit and its tables are never left out; allow "
            "more, or a less busy computer"
        ]

    def used(self) -> float:
        """Return the share of the budget that is used, at most 1."""
        return min(1.0, (self.now() - self.start) / self.budget_s)

    def left(self, share: float) -> float:
        """Return the seconds until `share` of the budget is used."""
        return max(0.0, share * self.budget_s - (self.now() - self.start))
