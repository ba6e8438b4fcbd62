"""Why a node decided so: the same model on the host, fed with the same readings, when it comes to the same decision."""

from dataclasses import dataclass

from dibble import ModelError
from dibble.inference.decision import NO_CLASS
from dibble.inference.units import converted, steps

from dibble_tools.data.channels import Channel
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.console_lines import Header, Row

MOST_ELAPSED_MS = 2**29


@dataclass(frozen=True)
class Reason:
    """The channel that moved the margin most, and by how much; below 0: it spoke for the runner-up."""

    channel: str
    push: int


class Reasons:
    """Follows a node's rows with its model.

    Attributes:
        last: of the last row; None where the host doesn't come to the same decision: another model, or a node
            that looks back further than what was heard.
        note: why there is none, for people.
    """

    def __init__(self, model: HostModel) -> None:
        self.last: Reason | None = None
        self.note = ""
        self._model = model
        self._names = [channel.name for channel in model.channels]
        self._before: Row | None = None
        self._tells = model.content.tells_why
        if not self._tells:
            self.note = "no reasons: only an additive model tells them"

    def follow(self, row: Row, header: Header) -> None:
        """Take the next row, of a header that tells its units."""
        self.last = None
        node = self._model.model
        if not self._tells:
            return
        if any(name not in row.readings for name in self._names):
            self.note = "no reasons: the node has other channels than the model"
            return
        units = dict(header.channels)
        elapsed = None if self._before is None else 1000 * (row.time_s - self._before.time_s)
        if elapsed is not None and not 0 <= elapsed <= MOST_ELAPSED_MS:
            elapsed = MOST_ELAPSED_MS
        self._before = row
        readings = [_in_steps(row.readings[c.name], units.get(c.name, ""), c) for c in self._model.channels]
        decision = node.predict(readings, elapsed)
        named = None if decision.class_index == NO_CLASS else self._model.classes[decision.class_index]
        if named != row.class_name or decision.margin != row.margin:
            self.note = "no reasons yet: the model needs more past readings, or the node has another model"
            return
        self.note = ""
        if named is None:
            return
        try:
            channel, push = node.explain()
        except ModelError:
            return
        self.last = Reason(self._model.content.titles[channel], push)


def _in_steps(reading: int | None, unit: str, channel: Channel) -> int | None:
    """Return a sensor's reading in the model's steps, as the node converts it."""
    factors = steps(unit, channel.unit, channel.mantissa, channel.exponent)
    return reading if reading is None or factors is None else converted(reading, *factors)
