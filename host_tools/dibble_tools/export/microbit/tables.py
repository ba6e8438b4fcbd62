"""A model's tables as a short program that the micro:bit runs in place of the model file's reader."""

import itertools
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from dibble.inference.features import ABOVE, LAST
from dibble.inference.fixed_point import MISSING

from dibble_tools.export.unrolled import TABLES, deciding
from dibble_tools.model.content import Additive, Content, Forest

TABLES_FILE = "tables"
SPACES = re.compile(r" (<=|[-=+*<>]|\+=|<<|>>|[|&]) ")
LEAVES = 128  # the first reference to a leaf


def has_room(content: Content) -> bool:
    """Return whether a model is of a kind that is laid out for the board: trees or tables, without what is rare."""
    plain = not content.novelty and not content.stand_ins and all(f.kind != ABOVE for f in content.features)
    return plain and isinstance(content.family, Forest | Additive)


def only_last(content: Content) -> bool:
    """Return whether the features are the channels' last readings, so that no windows have to be kept."""
    each = [(feature.channel, feature.kind) for feature in content.features]
    return each == [(i, LAST) for i in range(len(content.channels))]


def ranges(content: Content) -> tuple[list[int], list[int]]:
    """Return the range of each input of the board's predictor: a channel's, or with windows a feature's."""
    if only_last(content):
        return [channel.low for channel in content.channels], [channel.high for channel in content.channels]
    return [0] * len(content.limits), content.limits


@dataclass(frozen=True)
class Program:
    """What stands in the place of the model file's reader.

    Attributes:
        code: definitions of the model as code; none where its trees stay tables.
        making: short lines that make `node`, the Predictor.
        data: the file of tables that these read, then the golden vectors: of each the readings, class, margin, flags.
    """

    code: list[str]
    making: str
    data: bytes


def program_of(content: Content, most_splits: int, most_entries: int) -> Program:
    """Return the program of a model.

    Args:
        content: of a model that has_room().
        most_splits: trees of more stay tables.
        most_entries: of tables that hold several classes; of more, each class has its own.
    """
    low, high = ranges(content)
    data = bytearray(array("i", low + high).tobytes())
    code: list[str] = []
    if isinstance(content.family, Forest) and len(content.family.nodes) > most_splits:
        lines = _forest(content.family, data)
        made = "Predictor(low,high,None,score,{},{})"
    else:
        code, lines = _code(content, low, high, most_entries, data)
        made = "Unrolled(low,high,None,None,{},{},1);node.decide=judge;decision=node.decision"
    size = 4 * len(low)
    begin = [
        "from array import array",
        f"t=open({TABLES_FILE!r},'rb')",
        "r=t.read",
        f"low=array('i',r({size}))",
        f"high=array('i',r({size}))",
    ]
    # On one line: beside the Predictor there may be no heap to compile another.
    lines = [*begin, *lines, f"node={made.format(content.unsure_below, content.hysteresis)}"]
    for vector in content.golden if only_last(content) else ():  # else the board isn't given readings
        readings = [MISSING if reading is None else reading for reading in vector.readings]
        data += array("i", [*readings, vector.class_index, vector.margin, vector.flags]).tobytes()
    making = "".join(line + "\n" for line in lines).replace(", ", ",")
    return Program(code, making, bytes(data))


def _forest(forest: Forest, data: bytearray) -> list[str]:
    """Return the lines that make `score`, the kernel; append what they read."""
    features, _, lefts, rights = (bytes(part) for part in zip(*forest.nodes, strict=True))
    values = [forest.threshold(feature, code) for feature, code, _, _ in forest.nodes]
    starts = array("i", itertools.accumulate(forest.page_nodes[:-1], initial=0))
    parts: list[array | bytes] = [features, _narrowest(values), lefts, rights, starts]
    parts.append(array("i", forest.first_followers))
    lines = [f"{name}={_read(table, data)}" for name, table in zip("abcdeg", parts, strict=True)]
    leaves = forest.leaves or [(k, 1) for k in range(len(forest.base))]
    ends: list[array | bytes] = [bytes(part) for part in zip(*leaves, strict=True)]
    ends.append(array("H", forest.base))
    lines += [f"{name}={_read(table, data)}" for name, table in zip("yzw", ends, strict=True)]
    lines += ["s=array('H',w)", f"a=(a,b,c,d,e,g,{LEAVES + len(leaves)},{forest.trees},y,z,w)"]
    return [*lines, "score=started(_forest(b,a,s))"]


def _code(
    content: Content, low: Sequence[int], high: Sequence[int], most_entries: int, data: bytearray
) -> tuple[list[str], list[str]]:
    """Return (the code of the model, the lines that make its tables); append what they read."""
    texts, tables = deciding(content, low, high, most_entries)
    texts = [SPACES.sub(r"\1", text) for text in texts]
    lines = [f"{TABLES}=()"]
    for table in tables:
        lines.append(f"{TABLES}+=({_read(_narrowest(table), data)},)")
    return texts, lines


def _narrowest(values: Sequence[int]) -> array | bytes:
    """Return the values in the narrowest type that holds them."""
    return bytes(values) if max(values) < 256 else array("H" if max(values) < 65536 else "i", values)


def _read(table: array | bytes, data: bytearray) -> str:
    """Append a table to the file; return what reads it."""
    if isinstance(table, array):
        data += table.tobytes()
        return f"array({table.typecode!r},r({len(table) * table.itemsize}))"
    data += table
    return f"r({len(table)})"
