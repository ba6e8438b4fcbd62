"""The module of a model: its CRC-32, and a generator for each of its kernels."""

import re
from collections.abc import Sequence

from dibble.inference.format import CRC_BYTES

from dibble_tools.common.errors import InputError
from dibble_tools.export.unrolled.block import Block
from dibble_tools.export.unrolled.forest import append_forest
from dibble_tools.export.unrolled.sums import Inputs, append_additive, append_mlp
from dibble_tools.export.unrolled.windows import append_windows, reading_names
from dibble_tools.model.content import WITHOUT_FILE, Additive, Content, Forest, Maps, Mlp, Stream
from dibble_tools.model.host_model import HostModel

HEAD = """\
# The model {name!r} as code, for its file of this CRC-32: made by dibble, and not to be edited.
CRC = {crc}
TABLES_END = {tables_end}
"""
IN_TRY = 3  # levels of what stands in a generator's loop, in try
HOT = 12
TABLES, DECISION = "tables", "decision"  # what the smallest board calls a model's
SHORT = 500  # characters of a text that the smallest board compiles beside the rest
# Characters of a function, whose bytecode takes at most half of that: a jump reaches 16 KB.
LONGEST, PART = 30_000, 24_000
WIDE = 1000  # characters of a line, whose names and numbers a board that compiles it holds at once
TREE = re.compile(r"v\d* \+?= \(")
PACKED = "found = w | m - s << 8"


def unrolled_source(model: HostModel, *, ranges: bool = True) -> str:
    """Return the source of the module that computes what the model file's tables do.

    Args:
        ranges: no readings beyond theirs are taken; without, as other people's code, it is only to be compared with.
    """
    content = model.content
    if isinstance(content.family, Stream):
        raise InputError(
            f"{content.name}: expected a model that decides on rows by themselves, got a network over a stream: as "
            "code it would be no faster, and runs from its file"
        )
    end = model.blob[-CRC_BYTES:]
    crc = (int.from_bytes(end[2:], "little"), int.from_bytes(end[:2], "little"))
    text = HEAD.format(name=content.name, crc=crc, tables_end=model.model.tables_end)
    decides = not content.novelty and not content.ratios and not content.stand_ins
    inside = decides and content.windowed  # what looks back does so in the code, too
    channels = content.channels if decides or not content.windowed else []
    lows = [channel.low for channel in channels]
    count = len(content.features)
    body, kept = Block(IN_TRY), list[str]()
    row = reading_names(content) if inside else [f"x{i}" for i in range(count)]
    if ranges and channels:
        append_ranges(body, lows, [channel.high for channel in channels], names=row)
    if inside:
        kept, lows = append_windows(body, content, row)
    inputs = Inputs(lows or [0] * count, content.limits)
    sums = Block()
    tables, first = _append_family(sums, content, inputs)
    chunks = _chunks(sums.lines, LONGEST, PART)
    if inside and (chunks or isinstance(content.family, Additive)):  # whose explanation asks for them
        for k in range(count):
            body.add(f"V[{k}] = x{k}")
    for n, chunk in enumerate(chunks):
        body.add(f"{_target(chunk)} f{n}({'V' if inside else 'x'})")
    for line in _joined(sums.lines[sum(map(len, chunks)) :]):
        body.add(line)
    if decides:
        append_decision(body, content.unsure_below, content.hysteresis, steady=True)
    else:
        body.add(PACKED)
    parameters = [*(["d"] if decides else []), *(["E", "V"] if inside else []), *_parameters(tables)]
    text += f"DECIDES = {decides}\n"
    text += "".join(_part(n, chunk, count) for n, chunk in enumerate(chunks))
    text += _generator(
        "judge",
        parameters,
        body,
        row,
        "False" if decides else "-1",
        first,
        kept,
        parts=len(chunks),
    )
    if content.novelty:
        body = Block(IN_TRY)
        parameters = _parameters(append_additive(body, content.novelty, inputs))
        body.add(PACKED)
        text += f"NOVEL_LEAD = {content.novel_below - content.novelty.base[0]}\n"
        text += _generator("novel", parameters, body, [f"x{i}" for i in range(count)], "-1", [])
    return text


def deciding(
    content: Content, low: Sequence[int], high: Sequence[int], most_entries: int
) -> tuple[list[str], list[list[int]]]:
    """Return the source of judge(x), of what it calls, and the tables it takes.

    judge tells whether a row of ints, a reading each, was one to decide on, and if so overwrites `decision`. It
    is a function, as the smallest board's stack has no room for a generator below a function below others.

    Args:
        low, high: range of each input.
        most_entries: of tables that hold several classes; of more, each class has its own.
    """
    inputs = Inputs(low, content.limits)
    body = Block(1)
    append_ranges(body, low, high, "return 0")
    sums = Block()
    tables, _ = _append_family(sums, content, inputs, merged=False)  # one by one a small heap compiles them
    if sum(map(len, tables)) > most_entries:
        sums = Block()
        tables, _ = _append_family(sums, content, inputs, apart=True)
    unpacked = "".join(f"x{i}," for i in range(len(low)))
    chunks = _chunks(sums.lines, SHORT, SHORT)
    texts: list[str] = []
    for chunk in chunks:
        total = "+".join(line.partition("= ")[2] for line in chunk)
        body.add(f"{_target(chunk)} f{len(texts)}(x)")
        texts.append(f"def f{len(texts)}(x):\n {unpacked}=x\n return {total}\n")
    for line in sums.lines[sum(map(len, chunks)) :]:
        body.add(line)
    body.add(f"d={DECISION}")
    append_decision(body, content.unsure_below, content.hysteresis, "return 1")
    names = "".join(f"t{i}," for i in range(len(tables)))
    lines = ["def judge(x):", f" {unpacked}=x", *([f" {names}={TABLES}"] if tables else [])]
    return ["\n".join([*lines, *body.lines, ""]), *texts], tables


def _chunks(lines: Sequence[str], longest: int, most: int) -> list[list[str]]:
    """Return the trees at the beginning of the lines, those of one sum and a text of `most` together.

    None, where all is short enough for one function.
    """
    if sum(map(len, lines)) <= longest:
        return []
    chunks: list[list[str]] = []
    for line in lines:
        if not TREE.match(line):
            break
        alike = chunks and chunks[-1][0].split(" ")[0] == line.split(" ")[0]
        if alike and sum(map(len, chunks[-1])) + len(line) <= most:
            chunks[-1].append(line)
        else:
            chunks.append([line])
    return chunks


def _joined(lines: Sequence[str]) -> list[str]:
    """Return the lines, of trees of one sum as many in one as are WIDE: so the sum is loaded and stored less often."""
    found: list[str] = []
    for line in lines:
        before = found[-1] if found else ""
        variable, _, tree = line.partition(" += ")
        if TREE.match(line) and before.startswith(f"{variable} ") and len(before) + len(tree) < WIDE:
            found[-1] = f"{before} + {tree}"
        else:
            found.append(line)
    return found


def _target(chunk: Sequence[str]) -> str:
    """Return what a chunk's sum is, or is added to: "v0 =", "v0 +="."""
    return chunk[0].partition(" (")[0]


def _part(n: int, chunk: Sequence[str], inputs: int) -> str:
    """Return a generator of a chunk's sum; a function of so many locals would look for room on the heap."""
    names = ", ".join(f"x{i}" for i in range(inputs))
    lines = [
        f"\n\ndef part{n}():",
        " v = 0",
        " while True:",
        f"  {names}{',' if inputs == 1 else ''} = yield v",
        "  v = 0",
        *(f"  {line}" for line in _joined([f"v += {line.partition('= ')[2]}" for line in chunk])),
        "",
    ]
    return "\n".join(lines)


def _append_family(
    body: Block, content: Content, inputs: Inputs, *, apart: bool = False, merged: bool = True
) -> tuple[list[list[int]], list[str]]:
    """Append what makes w, m and s; return its tables, and the variables to name first."""
    family = content.family
    if isinstance(family, Forest):
        return [], append_forest(body, family, inputs, merged=merged)
    if isinstance(family, Additive):
        return append_additive(body, family, inputs, apart=apart), []
    if isinstance(family, Maps):
        raise InputError(WITHOUT_FILE)
    assert isinstance(family, Mlp)
    append_mlp(body, family, inputs)
    return [], []


def _parameters(tables: Sequence[Sequence[int]]) -> list[str]:
    return [f"t{i}={bytes(t) if max(t) < 256 else tuple(t)!r}" for i, t in enumerate(tables)]


def _generator(
    name: str,
    parameters: Sequence[str],
    body: Block,
    inputs: Sequence[str],
    otherwise: str,
    first: Sequence[str],
    kept: Sequence[str] = (),
    parts: int = 0,
) -> str:
    """Return a generator that unpacks a row and runs the body, or yields something else where the row isn't one.

    Args:
        inputs: what it unpacks the row to.
        first: variables used most, which are named first: an interpreter's shortest instructions are for these.
        kept: statements that make what is kept from one row to the next.
        parts: how many generators it asks as f0(x), f1(x), ...
    """
    names = ", ".join(inputs)
    lines = [
        f"\n\ndef {name}({', '.join(parameters)}):",
        f" {' = '.join([*first[:HOT], 'found'])} = {otherwise}",
        *(f" {statement}" for statement in kept),
        *(f" f{n} = part{n}()\n next(f{n})\n f{n} = f{n}.send" for n in range(parts)),
        " while True:",
        "  x = yield found",
        f"  found = {otherwise}",
        "  try:",
        f"   {names}{',' if len(inputs) == 1 else ''} = x",
        *body.lines,
        "  except (TypeError, ValueError):",
        "   pass",
        "",
    ]
    return "\n".join(lines)


def append_ranges(
    out: Block, low: Sequence[int], high: Sequence[int], otherwise: str = "continue", names: Sequence[str] = ()
) -> None:
    """Append what ends a row one of whose inputs isn't within its range; x0, x1, ... or as told."""
    names = names or [f"x{i}" for i in range(len(low))]
    tests = []
    from_zero = [names[i] for i in range(len(low)) if low[i] == 0 < high[i]]
    if len(from_zero) > 1:  # of all of them only the sign is asked
        tests.append(f"{' | '.join(from_zero)} < 0")
    for i in range(len(low)):
        if low[i] == high[i]:
            tests.append(f"{names[i]} != {low[i]}")
            continue
        if len(from_zero) < 2 or low[i]:
            tests.append(f"{names[i]} < {low[i]}")
        tests.append(f"{names[i]} > {high[i]}")
    out.add(f"if {' or '.join(tests)}:")
    out.add(otherwise, 1)


def append_decision(
    out: Block, unsure_below: int, hysteresis: int, end: str = "found = True", *, steady: bool = False
) -> None:
    """Append what settles the Decision d, as decision.settle: at no hysteresis the class is the held one.

    Args:
        steady: of the held class once more, and to be trusted, only the margin is told: quicker, in more code.
    """
    unsure = f"m - s < {unsure_below}"
    if hysteresis > 1 and steady:
        out.add("m -= s")
        trusted = f" and m >= {unsure_below}" if unsure_below else ""
        out.add(f"if w == d.held_index and not d.agreed{trusted}:")
        out.add("d.margin = m", 1)
        out.add("else:")
        out.add(f"d.settle(w, m, {f'1 if m < {unsure_below} else 0' if unsure_below else 0}, -1)", 1)
    elif hysteresis > 1:
        out.add(f"d.settle(w, m - s, {f'1 if {unsure} else 0' if unsure_below else 0}, -1)")
    else:
        for line in ("d.class_index = w", "d.margin = m - s", "d.channel = -1"):
            out.add(line)
        if unsure_below:
            out.add(f"if {unsure}:")
            out.add("d.flags = 1", 1)
            out.add("else:")
        out.add("d.flags = 0", bool(unsure_below))
        out.add("d.held_index = w", bool(unsure_below))
    out.add(end)
