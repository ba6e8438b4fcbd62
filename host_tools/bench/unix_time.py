"""Microseconds on the unix VM: the kernel by itself, and predict() as users call it."""

import shutil

from host_tools.bench.cases import Case
from host_tools.replay import laid_out
from host_tools.vms import run_unix

TIMES = 3000
GUEST = """\
import time
from array import array
from dibble.inference import model
try:
    import model_code
except ImportError:
    model_code = None
node = model.load("model.dib", model_code)
lists = {rows}
rows = [array("i", row) for row in lists]
own = node.readings
spans = node.limits
def kernel(run, rows, times):
    n = len(rows)
    start = time.time_ns()
    for i in range(times):
        run(rows[i % n])
    return time.time_ns() - start
def none(row):
    pass
low = node.low
values = rows if node.raw or node.code else [array("i", [row[i] - low[i] for i in range(len(row))]) for row in rows]
judge = node.code or node.score
def quickest(run, rows):
    return min([kernel(run, rows, {times}) for _ in range(9)])
empty = quickest(none, values)
best = 0 if node.windows else quickest(judge, values) - empty
whole = quickest(node.predict, lists) - empty
print(best // {times}, whole // {times})
"""


def nanoseconds(case: Case, *, viper: bool, code: bool = False) -> tuple[int, int]:
    """Return (kernel, its call included, and predict()) of a row, the quickest of some runs; behind windows 0."""
    with laid_out(case.model, case.many, None, viper=viper, code=code) as folder:
        (folder / "time_it.py").write_text(GUEST.format(rows=case.many.tolist(), times=TIMES))
        kernel, whole = run_unix(folder, "time_it.py", heap="4m", timeout_s=300).stdout.split()
        shutil.rmtree(folder / "lib")
    return int(kernel), int(whole)
