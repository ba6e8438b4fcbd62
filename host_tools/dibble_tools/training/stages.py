"""The stage table: teacher, float student, pruned, int8, codebook, packed, each measured on held-out rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dibble_tools.machines.replay import cost
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.metrics import score as share_right
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.packing import pack
from dibble_tools.training.costs import Costs
from dibble_tools.training.naming import About
from dibble_tools.training.students import Student


@dataclass(frozen=True)
class HeldOut:
    """The rows a model is scored on: feature values, class indices, what an error costs, and which group each is of."""

    values: np.ndarray
    y_true: np.ndarray
    costs: Costs
    classes: list[str]
    units: np.ndarray

    def score(self, decided: np.ndarray) -> dict[str, Any]:
        """Return accuracy, macro-F1 and expected cost of decided class indices."""
        if not len(decided):
            return dict.fromkeys(("accuracy", "macro_f1", "expected_cost"))
        names = np.array(self.classes)
        figures = share_right(names[self.y_true], names[decided])
        mean = self.costs.expected_cost(self.y_true, decided)
        return {
            "accuracy": round(figures.accuracy, 4),
            "macro_f1": round(figures.macro_f1, 4),
            "expected_cost": round(mean, 4),
        }


def stage_table(
    student: Student,
    shipped: HostModel,
    teacher: tuple[str, Callable[[np.ndarray], np.ndarray]],
    about: About,
    held_out: HeldOut,
) -> list[dict[str, Any]]:
    """Return a row for each stage on the way to the shipped model.

    Args:
        teacher: what it is, and values -> decided class indices.
    """
    table = [{"stage": "teacher", "what": teacher[0], **held_out.score(teacher[1](held_out.values)), **_NO_COST}]
    for stage in student.stages:
        if stage.scores is not None:
            decided = stage.scores(held_out.values).argmax(axis=1)
            table.append({"stage": stage.stage, "what": stage.what, **held_out.score(decided), **_NO_COST})
        else:
            assert stage.tables is not None
            blob = about.blob(about.spec(stage.tables, stage.columns), stage.columns)
            table.append(_integer(stage.stage, stage.what, HostModel(blob), stage.columns, about, held_out))
    same = next(
        (row for row, stage in zip(table[1:], student.stages, strict=True) if stage.tables is student.tables), None
    )
    prices = None if same is None or shipped.content.novelty else (same["instructions"], same["heap"])
    table.append(_integer("shipped", _shipped(shipped), shipped, student.columns, about, held_out, prices))
    packed = pack(shipped.blob)
    last = {**table[-1], "stage": "packed", "what": "the same, Huffman-coded for a slow radio", "bytes": len(packed)}
    return [*table, last]


_NO_COST: dict[str, Any] = {"bytes": None, "instructions": None, "heap": None}


def _shipped(model: HostModel) -> str:
    return f"the model file, {len(model.content.golden)} golden vectors included"


def _integer(
    stage: str,
    what: str,
    model: HostModel,
    columns: Sequence[int],
    about: About,
    held_out: HeldOut,
    prices: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """Return a row of the table; instructions and heap are counted unless they are known."""
    decided = class_scores(model.content, held_out.values[:, list(columns)]).argmax(axis=1)
    if prices is None:
        price = cost(model, about.readings[:, about.kept(columns)])
        prices = price.instructions, price.model_bytes
    return {
        "stage": stage,
        "what": what,
        **held_out.score(decided),
        "bytes": len(model.blob),
        "instructions": prices[0],
        "heap": prices[1],
    }
