"""Which network to fit to frames: shapes compete, on frames that none of them learns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dibble_tools.families.maps.network import Shape, forward
from dibble_tools.families.maps.tables import batches
from dibble_tools.families.maps.training import BATCH, FrameLearner, frames_of

TRIED_LEAST = 3  # shapes, whatever the time
ROUNDS = 3  # after each a third of the shapes goes on
KEPT = 1 / 3
STEPS_LEAST = 40  # of a shape in a round, whatever the time
LOOK = 5  # steps between two looks at the clock
EPOCHS_MOST = 40  # in a round
JUDGED_MOST = 3000  # frames


@dataclass(eq=False)
class Contender:
    """A shape that competes, and how often it was right on the frames held out, when it was last judged."""

    shape: Shape
    bytes: int
    instructions: int
    learner: FrameLearner | None = None
    accuracy: float | None = None
    margins: np.ndarray | None = None  # nats
    correct: np.ndarray | None = None
    step_s: float = 0.0


def compete(
    candidates: Sequence[Contender],
    begin: Callable[[Shape], FrameLearner],
    held: tuple[np.ndarray, np.ndarray],
    left: Callable[[], float],
    now: Callable[[], float],
    tell: Callable[[Contender], None],
) -> Contender:
    """Return the candidate to go on with: each round has the same time, the better third of a round's goes on.

    Those as good as the best, within a standard error, are taken for equal: the one with the fewest instructions first.
    Where time is short, only the first of the candidates come to be tried: those without accuracy weren't.

    Args:
        begin: a shape's learner, of random weights.
        held: codes and class indexes of frames that learners don't learn.
        left: seconds that are left for all of this.
        now: seconds of a clock.
        tell: is told whose turn it is.
    """
    codes, y = (part[:: -(-len(held[1]) // JUDGED_MOST)] for part in held)
    alive = list(candidates)
    whole = left()
    for i in range(ROUNDS):
        each = left() / (ROUNDS - i) / len(alive)
        for k, candidate in enumerate(alive):
            if i == 0 and k >= TRIED_LEAST and left() < whole * (1 - 1 / ROUNDS):
                break
            tell(candidate)
            if candidate.learner is None:
                candidate.learner = begin(candidate.shape)
            _learn(candidate, candidate.learner, each, now)
            _judge(candidate, candidate.learner, codes, y)
        alive = _ranked([c for c in alive if c.learner is not None], len(y))
        if i + 1 < ROUNDS:
            for lost in alive[max(1, round(KEPT * len(alive))) :]:
                lost.learner = None
            alive = [candidate for candidate in alive if candidate.learner is not None]
    return alive[0]


def _ranked(judged: list[Contender], rows: int) -> list[Contender]:
    """Return contenders, first those as good as the best on so many rows, the cheapest first, then the others."""
    best = max(map(_accuracy, judged))
    likely = (best * rows + 2) / (rows + 4)  # as if two more had been right and two wrong: A. Agresti, B. Coull, 1998
    bar = best - float(np.sqrt(likely * (1 - likely) / rows))
    return sorted(judged, key=lambda c: (0, c.instructions) if _accuracy(c) >= bar else (1, -_accuracy(c)))


def _learn(candidate: Contender, learner: FrameLearner, seconds: float, now: Callable[[], float]) -> None:
    began, steps = now(), 0
    while steps < STEPS_LEAST or now() - began < seconds:
        learner.learn(LOOK)
        steps += LOOK
        if steps * BATCH > EPOCHS_MOST * max(len(learner.codes), BATCH):
            break
    candidate.step_s = (now() - began) / steps


def _judge(candidate: Contender, learner: FrameLearner, codes: np.ndarray, y: np.ndarray) -> None:
    learner.settle()
    logits = np.concatenate([forward(learner.layers, frames_of(part)) for part in batches(codes)])
    two = np.sort(logits, axis=1)[:, -2:]
    candidate.margins = two[:, -1] - two[:, 0]
    candidate.correct = logits.argmax(axis=1) == y
    candidate.accuracy = float(candidate.correct.mean())


def _accuracy(candidate: Contender) -> float:
    return candidate.accuracy or 0.0
