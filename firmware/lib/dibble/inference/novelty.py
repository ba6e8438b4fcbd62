"""Rows whose combination of values is unusual, though each lies within its range."""

from dibble.inference.additive import build
from dibble.inference.kernels.choice import KIND
from dibble.inference.ranges import NOVEL_ROW


def watch(model, cursor, low, limits, score):
    """Return `score`, watched by the tables of novelty that the model's file holds at the cursor.

    Where these lie is kept as model.novelty_at; as model.novel_below their class 1's least score that isn't novel.
    Machine code is watched by its Predictor: `score` is returned as it is, and model.novelty has what watches it.
    """
    model.novel_below = cursor.number()
    model.novelty_at = cursor.at
    novelty, scores = build(cursor, low, limits, 2)
    least_lead = model.novel_below - scores[0]
    if KIND != "bytecode":
        model.novelty = novelty, least_lead
        return score
    return watched(score, novelty, least_lead)


def watched(score, novelty, least_lead):
    """Return f(values): what score(values) returns, less NOVEL_ROW where the row is novel.

    Args:
        novelty: how usual a row's combination of values is: as score, of two classes.
        least_lead: a row where class 1 leads by less is novel.
    """

    def watch_row(values):
        found = score(values)
        if found >= 0:
            usual = novelty(values)
            if (usual >> 8 if usual & 255 else -(usual >> 8)) < least_lead:
                found -= NOVEL_ROW
        return found

    return watch_row
