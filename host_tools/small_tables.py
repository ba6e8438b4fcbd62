"""A model's tables as a short program that the micro:bit runs in place of the model file's reader."""

from array import array

from dibble.inference import additive, forest
from dibble.inference.cursor import Cursor
from dibble.inference.features import LAST, feature_limit
from dibble.inference.forest_bytecode import prepare_coders
from dibble.inference.kernels_bytecode import prepare_scalers
from dibble.inference.model import ADDITIVE, FOREST

from host_tools.host_model import HostModel

TABLES_FILE = "tables"


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


def tables_of(model: HostModel) -> tuple[str, bytes]:
    """Return (a program of short lines that makes `node`, the Predictor; the file of tables it reads).

    Args:
        model: of the family FOREST or ADDITIVE.
    """
    m = model.model
    low, high = ranges(model)
    cursor = Cursor(m.blob, m.family_at)
    data = bytearray(array("i", low + high).tobytes())
    if family_of(model) == FOREST:
        lines = _forest(model, forest.read(cursor, m.limits, len(m.classes)), data)
    else:
        assert family_of(model) == ADDITIVE
        lines = _additive(model, additive.read(cursor, m.limits, len(m.classes)), data)
    size = 4 * len(low)
    begin = [
        "from array import array",
        f"t=open({TABLES_FILE!r},'rb')",
        "r=t.read",
        f"low=array('i',r({size}))",
        f"high=array('i',r({size}))",
    ]
    end = [
        "t.close()",
        f"node=Predictor(low,high,None,family,{len(m.classes)},{m.unsure_below},{m.decision.hysteresis})",
    ]
    return "".join(line + "\n" for line in begin + lines + end).replace(", ", ","), bytes(data)


def _forest(model: HostModel, parts: tuple[list, tuple], data: bytearray) -> list[str]:
    """Return the lines that make `family`; append what they read."""
    layout, tables = parts
    nodes, numbers, leaves, base = tables[:4], tables[4:6], tables[8:10], tables[10]
    direct, ranked = prepare_coders(model.blob, layout)
    lines = ["x=()"]
    for feature, thresholds, first, jump, steps in ranked:
        lines += [f"a={_read(thresholds, data)}", f"x+=(({feature},a,{first},{jump},{steps!r}),)"]
    lines.append(f"x=({direct!r},x)")
    lines += [
        f"{name}={_read(table, data)}"
        for name, table in zip("abcdegyzw", (*nodes, *numbers, *leaves, base), strict=True)
    ]
    lines += [f"a=(a,b,c,d,e,g,{tables[6]},{tables[7]},y,z,w)", f"family=Forest({len(model.model.limits)},x,a)"]
    return lines


def _additive(model: HostModel, parts: tuple, data: bytearray) -> list[str]:
    """As _forest. Each class has its own sum: tables of bytes take less room than several entries in one int."""
    scalers, singles, pairs, tables, _, base = parts
    lines = ["family=Additive()", f"family.codes=bytearray({len(scalers)})", f"family.base={base[0]}"]
    kinds = prepare_scalers(scalers, model.model.limits)
    for name, kind in zip("abc", kinds, strict=True):
        lines += [f"{name}=()", *(f"{name}+=({scaler},)" for scaler in kind)]
    lines += ["family.scalers=(a,b,c)", "x=()"]
    for column in range(len(base) - 1):
        entries = [_read(table[column], data) for table in tables]
        own = [f"a+=(({code},{entry}),)" for code, entry in zip(singles, entries, strict=False)]
        crossed = [
            f"b+=(({','.join(map(str, pair))},{entry}),)"
            for pair, entry in zip(pairs, entries[len(singles) :], strict=True)
        ]
        lines += ["a=b=()", *own, *crossed, f"x+=(({column + 1},1,0,{base[column + 1]},a,b),)"]
    return [*lines, "family.groups=x"]


def _read(table: array | bytes | memoryview, data: bytearray) -> str:
    """Append a table to the file; return what reads it."""
    if isinstance(table, array):
        data += table.tobytes()
        return f"array({table.typecode!r},r({len(table) * table.itemsize}))"
    data += bytes(table)
    return f"r({len(table)})"
