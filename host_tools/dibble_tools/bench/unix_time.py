"""Nanoseconds on the unix VM: the kernel by itself, and predict() as users call it; and other people's Python."""

import tempfile
from pathlib import Path

import numpy as np

from dibble_tools.bench.cases import Case
from dibble_tools.machines.replay import laid_out
from dibble_tools.machines.vms import run_unix

TIMES = 3000
HEAP = "16m"
CLOCK = """\
import time
from array import array
def took(run, rows):
    n = len(rows)
    start = time.time_ns()
    for i in range({times}):
        run(rows[i % n])
    return time.time_ns() - start
def quickest(run, rows):
    return min([took(run, rows) for _ in range(9)])
def none(row):
    pass
lists = {rows}
"""
GUEST = """\
from dibble.inference import load
from dibble.inference.kernels import choice
try:
    import model_code
except ImportError:
    model_code = None
node = load("model.dib", model_code)
rows = [array("i", row) for row in lists]
low = node.low
steady = [array("i", lists[i]) for i in {order}]
def own(run):
    n = len(steady)
    start = time.time_ns()
    for i in range({times}):
        node.readings = steady[i % n]
        run()
    return time.time_ns() - start
def nothing():
    pass
if model_code:
    judge = model_code.judge(node.decision) if model_code.DECIDES else model_code.judge()
    next(judge)
    judge = judge.send
else:
    judge = node.score
    if choice.KIND == "bytecode":  # takes what lies above each channel's low
        rows = [array("i", [row[i] - low[i] for i in range(len(row))]) for row in lists]
empty = quickest(none, rows)
best = 0 if node.windows else quickest(judge, rows) - empty
whole = quickest(node.predict, lists) - empty
filled = min([own(node.predict) for _ in range(9)]) - min([own(nothing) for _ in range(9)])
print(best // {times}, whole // {times}, filled // {times})
"""


def nanoseconds(case: Case, *, viper: bool, code: bool = False) -> tuple[int | None, int, int]:
    """Return (kernel, its call included; predict(list); predict() of its own readings), the quickest of some runs.

    The kernel is None behind windows, where it has no readings of its own. Lists come in whatever order the case has
    them, own readings in that of their classes, as a node's seldom changes.
    """
    order = np.argsort(case.model.decide(case.many).class_index, kind="stable").tolist()
    text = (CLOCK + GUEST).format(rows=case.many.tolist(), order=order, times=TIMES)
    with laid_out(case.model, case.many, None, viper=viper, code=code) as folder:
        (folder / "time_it.py").write_text(text)
        kernel, whole, filled = map(int, run_unix(folder, "time_it.py", heap=HEAP, timeout_s=300).stdout.split())
    return kernel or None, whole, filled


def program_nanoseconds(program: str, call: str, rows: np.ndarray) -> int:
    """Return how long a call of a program takes, the quickest of some runs: `call` is a function of a row."""
    clock = CLOCK.format(rows=rows.tolist(), times=TIMES)
    text = f"{program}\n{clock}print((quickest({call}, lists) - quickest(none, lists)) // {TIMES})\n"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "main.py").write_text(text)
        return int(run_unix(Path(folder), "main.py", heap=HEAP, timeout_s=300).stdout)
