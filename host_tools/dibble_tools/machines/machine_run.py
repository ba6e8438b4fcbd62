"""What a machine computed, and what that took."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dibble_tools.machines.tools import ToolError
from dibble_tools.model.decisions import Decisions

NO_CHANNEL = 255


@dataclass(frozen=True)
class MachineRun:
    """What a machine computed on rows, and what that took, where it can be told.

    Attributes:
        decisions: of the rows, from the first, that it was given.
        failed: golden vectors: 0 all agree, else the first that doesn't, counted from 1.
        flash, ram: bytes of the smallest program with the model; ram is variables and the deepest stack.
        stack: of that, the stack.
        mean_cost, most_cost: of a prediction.
        unit: of the costs: cycles or instructions.
        note: what was left out.
    """

    decisions: Decisions
    failed: int
    flash: int | None = None
    ram: int | None = None
    stack: int | None = None
    mean_cost: int | None = None
    most_cost: int | None = None
    unit: str = ""
    note: str = ""


def decisions_of(words: Sequence[str], rows: int) -> Decisions:
    """Return the decisions that a program printed, five numbers each; its 255 for no channel is -1 there.

    Raises:
        ToolError: not as many as there were rows.
    """
    if len(words) != 5 * rows:
        raise ToolError(f"expected {rows} decisions, got {len(words) / 5:g}")
    table = np.array(words, dtype=np.int64).reshape(-1, 5)
    table[:, 3] = np.where(table[:, 3] == NO_CHANNEL, -1, table[:, 3])
    return Decisions(*table.T)
