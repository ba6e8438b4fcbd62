"""A model's tables as a short program that the micro:bit runs in place of the model file's reader."""

import re
from array import array
from collections.abc import Sequence

from dibble.inference import forest
from dibble.inference.features import LAST, feature_limit
from dibble.inference.format import FOREST, Cursor

from dibble_tools.export.unrolled import TABLES, deciding
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.tree_file import thresholds_of

TABLES_FILE = "tables"
SPACES = re.compile(r" (<=|[-=+*<>]|\+=|<<|>>|[|&]) ")


def family_of(model: HostModel) -> int:
    """Return FOREST, ADDITIVE or another family's number, NOVELTY included."""
    return model.blob[5]


def only_last(model: HostModel) -> bool:
    """Tell whether the features are the channels' last readings, so that no windows have to be kept."""
    windows = model.model.windows
    return not windows or [(w.channel, w.kind) for w in windows.windows] == [
        (i, LAST) for i in range(len(model.channels))
    ]


def ranges(model: HostModel) -> tuple[list[int], list[int]]:
    """Return the range of each input of the board's predictor: a channel's, or with windows a feature's."""
    m = model.model
    if only_last(model):
        return list(m.low), list(m.high)
    limits = [feature_limit(w.kind, m.high[w.channel] - m.low[w.channel]) for w in m.windows.windows]
    return [0] * len(limits), limits


def tables_of(model: HostModel, most_splits: int) -> tuple[list[str], str, bytes]:
    """Return (definitions, a program of short lines that makes `node`, the Predictor; the file of tables it reads).

    Args:
        model: of the family FOREST or ADDITIVE.
        most_splits: trees of more stay tables.
    """
    m = model.model
    low, high = ranges(model)
    data = bytearray(array("i", low + high).tobytes())
    definitions: list[str] = []
    if family_of(model) == FOREST and splits_of(model) > most_splits:
        lines = _forest(model, data)
        made, end = "Predictor(low,high,None,score,{},{})", []
    else:
        definitions, lines = _code(model, low, high, data)
        made = "Unrolled(low,high,None,None,{},{},1)"
        end = ["node.decide=judge", "decision=node.decision"]
    size = 4 * len(low)
    begin = [
        "from array import array",
        f"t=open({TABLES_FILE!r},'rb')",
        "r=t.read",
        f"low=array('i',r({size}))",
        f"high=array('i',r({size}))",
    ]
    end = ["t.close()", f"node={made.format(m.unsure_below, m.decision.hysteresis)}", *end]
    return definitions, "".join(line + "\n" for line in begin + lines + end).replace(", ", ","), bytes(data)


def _forest(model: HostModel, data: bytearray) -> list[str]:
    """Return the lines that make `score`, the kernel; append what they read.

    A node's code is its threshold: so nothing is looked up, and no feature has a table of thresholds.
    """
    m = model.model
    layout, tables = forest.read(Cursor(m.blob, m.family_at), m.limits, len(m.classes))
    features, codes, lefts, rights, starts, children, leaves_end, trees, *leaves, base = tables
    cuts = thresholds_of(m.blob, layout)
    values = [cuts[feature][code] for feature, code in zip(features, codes, strict=True)]
    wide = bytes(values) if max(values) < 256 else array("H" if max(values) < 65536 else "i", values)
    parts = (features, wide, lefts, rights, starts, children)
    lines = [f"{name}={_read(table, data)}" for name, table in zip("abcdeg", parts, strict=True)]
    lines += [f"{name}={_read(table, data)}" for name, table in zip("yzw", (*leaves, array("H", base)), strict=True)]
    lines += ["s=array('H',w)", f"a=(a,b,c,d,e,g,{leaves_end},{trees},y,z,w)"]
    return [*lines, "score=started(_forest(None,a,s))"]


def splits_of(model: HostModel) -> int:
    """Return the number of splits of a model's trees, of a forest."""
    m = model.model
    return len(forest.read(Cursor(m.blob, m.family_at), m.limits, len(m.classes))[1][0])


def _code(model: HostModel, low: Sequence[int], high: Sequence[int], data: bytearray) -> tuple[list[str], list[str]]:
    """Return (the code of the model, the lines that make its tables); append what they read."""
    texts, tables = deciding(model, low, high)
    texts = [SPACES.sub(r"\1", text) for text in texts]
    lines = [f"{TABLES}=()"]
    for table in tables:
        packed = bytes(table) if max(table) < 256 else array("H" if max(table) < 65536 else "i", table)
        lines.append(f"{TABLES}+=({_read(packed, data)},)")
    return texts, lines


def _read(table: array | bytes | memoryview, data: bytearray) -> str:
    """Append a table to the file; return what reads it."""
    if isinstance(table, array):
        data += table.tobytes()
        return f"array({table.typecode!r},r({len(table) * table.itemsize}))"
    data += bytes(table)
    return f"r({len(table)})"
