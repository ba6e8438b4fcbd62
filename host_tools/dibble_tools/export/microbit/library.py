"""Code, tables and model for the micro:bit, whose 9 KB of heap don't hold the model file's reader.

The firmware's own predictor, kernels and decision run there; in the reader's place stands a short
generated program with what the reader would have found in the file. All share one namespace, as a
module takes some 150 bytes, and are compiled one definition at a time.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dibble_tools.common.shipped import LIBRARY
from dibble_tools.export.microbit.source import definitions, names_of
from dibble_tools.export.microbit.tables import TABLES_FILE, program_of
from dibble_tools.model.content import Content

LIBRARY_FILE = "library"
# Written without a function, as what a file's top level compiles to isn't kept.
LOAD = f"""\
import gc,micropython
micropython.opt_level(3)
f=open({LIBRARY_FILE!r})
n=f.read(4)
while n:
 exec(f.read(int(n)))
 gc.collect()
 n=f.read(4)
f.close()
"""
# Replays the golden vectors, which follow the tables. A function: once all is loaded no heap is left to compile it.
SELF_TEST = """\
def x():
 n=4*len(low)
 f=r(n)
 while f:
  node.readings=array('i',f)
  f=node.predict()
  if r(12)!=bytes(array('i',(f.class_index,f.margin,f.flags))):raise ValueError('self-test')
  f=r(n)
 t.close()
 node.decision.reset()
"""
TEST = """\
x()
x=t=r=f=0
gc.collect()
"""


@dataclass(frozen=True)
class Source:
    """What the board takes of a file: see small_source.definitions."""

    path: Path
    keep: tuple[str, ...]
    without: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def _of(name: str, *keep: str, without: tuple[str, ...] = (), left_out: tuple[str, ...] = ()) -> Source:
    return Source(LIBRARY / f"{name}.py", keep, without, left_out)


# What a node without windows and novelty, which fills `readings`, never comes to.
UNUSED = ("self.windows", "windows", "elapsed_ms", "found == -1", "found < 0", "self.low", "self.high")
EVERY = (
    _of("inference/fixed_point", "MISSING"),
    _of("inference/kernels/generator", "started"),
    _of("inference/decision", "Decision"),
)
# Up to so many trees' splits are laid out as code, with and without an app beside it: as code a split takes some
# 20 bytes of the board's heap, in tables 5.
FEW_SPLITS, MOST_SPLITS = 30, 100
FEW_ENTRIES, MOST_ENTRIES = 120, 150  # of tables that hold several classes: above, each class has its own, of bytes
# Trees in tables; or code made for the model, with or without tables.
IN_TABLES = (
    _of("inference/kernels/forest_bytecode", "_forest"),
    _of("inference/ranges", "check_and_score"),
    _of("inference/predictor", "Predictor", without=("restart", "last_row"), left_out=UNUSED),
)
AS_CODE = (
    _of("inference/ranges", "check_and_score"),
    _of(
        "inference/predictor",
        "Predictor",
        without=("restart", "predict", "last_row"),
        left_out=(*UNUSED, "self.score", "self.fast_path"),
    ),
    _of(
        "inference/unrolled",
        "Unrolled",
        without=("__init__", "_kernel", "_begin", "_windows", "restart", "finish", "last_row", "gap", "miss"),
        left_out=("not self.decide", "None in readings", "self.row", "self.windows", "elapsed_ms"),
    ),
)


def lay_out(
    content: Content, also: Sequence[Source] = (), functions: Sequence[str] = (), last: str = ""
) -> dict[str, bytes]:
    """Return the files for the board, by their names in its flat file system.

    LOAD runs them: then there is `node`, the Predictor. TEST replays the golden vectors, and raises ValueError where
    the board computes something else than the host did.

    Args:
        also, functions: what else is wanted beside it.
        last: a program of short lines.
    """
    program = program_of(content, *((FEW_SPLITS, FEW_ENTRIES) if also else (MOST_SPLITS, MOST_ENTRIES)))
    texts = [*functions, SELF_TEST, *program.code]
    for source in (*EVERY, *(AS_CODE if program.code else IN_TABLES), *also):
        texts += definitions(source.path, source.keep, source.without, source.left_out)
    texts = list(dict.fromkeys(texts))
    library = "".join(f"{len(text):04}{text}" for text in in_order(texts, last + program.making))
    return {LIBRARY_FILE: library.encode("ascii"), TABLES_FILE: program.data}


def in_order(texts: Sequence[str], making: str) -> list[str]:
    """Return the texts in an order in which the heap has room to compile each, which takes 8 bytes a character.

    All names go first: MicroPython 1.9 keeps them for ever, and would scatter them over the heap. Then imports and
    constants; definitions, the longest first, while there is room; at last what makes `node`, line by line.
    """
    longest_first = sorted((t for t in texts if t.startswith(("def ", "class "))), key=len, reverse=True)
    others = "".join(
        dict.fromkeys(line for t in texts if t not in longest_first for line in t.splitlines(keepends=True))
    )
    tree = ast.parse("".join(longest_first) + others + making)
    own = [n for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom) for n in names_of(node)]
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    named |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    names = [
        f"if 0:({','.join(sorted(named - set(own)))})\n",
        "".join(f"{name}=" for name in dict.fromkeys(own)) + "0\n",
    ]
    return [*names, others, *longest_first, *making.splitlines(keepends=True)]
