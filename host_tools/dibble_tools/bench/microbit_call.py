"""What a call from Python costs around a kernel in assembler: MicroPython 1.9.2 on the micro:bit's Cortex-M0.

Its heap is too small to compile the kernels' source: the machine code that cortex_m0.py counts is handed to its
assembler word by word.
"""

import ast
import re
from array import array
from collections.abc import Iterator
from pathlib import Path

from dibble_tools.bench.cases import Case
from dibble_tools.bench.cortex_m0 import FIRMWARE_KERNELS, KERNELS, functions, plan_of
from dibble_tools.bench.machine_code import machine_code
from dibble_tools.export.microbit.source import strip
from dibble_tools.machines.microbit import INSTRUCTIONS_A_TICK, Microbit
from dibble_tools.machines.microbit_replay import out_of_room
from dibble_tools.machines.vms import VmError

JUDGE = "import micropython\n@micropython.asm_thumb\ndef classify(r0,r1):\n"
WORDS_A_LINE = 12
# TIMER2 as in microbit.py, in the shortest bursts.
TIMER = (
    "import gc;from machine import mem32 as M",
    "from machine import disable_irq as D,enable_irq as E",
    "M[0x4000A508]=3",
    "M[0x4000A510]=0",
    "M[0x4000A504]=0",
    "M[0x4000A000]=1",
)
TIMED = "def {}:\n q=D();M[0x4000A00C]=1;{}\n M[0x4000A040]=1;E(q)"
CALL, WHOLE = ("t(f,a,b)", "f(a,b)"), ("w(n)", "n.predict()")
SHORT = {"readings": "e", "elapsed_ms": "x", "decision": "d", "classify": "c", "score_at": "s", "node": "n", "row": "w"}
STEADY = functions([FIRMWARE_KERNELS / "plan.py"])["STEADY"]


def called(case: Case, rows: list[list[int]]) -> Iterator[tuple[int, int, int | None]]:
    """Yield the answer to each row, and the instructions of the call f(plan, row) and of predict().

    The call's arguments are local variables. predict() is the firmware's own, of readings that lie there, where the
    class is the held one once more: what a node runs as long as nothing changes. None where there is no room for it, or
    where a reading isn't within its range.

    Raises:
        VmError: the model doesn't fit 9 KB of heap beside its kernel.
    """
    name = case.model.content.family_name
    plan = plan_of(case)
    with Microbit() as board:
        board.put_file("classify.py", assembler(KERNELS[name]).encode())
        board.put_file("blob", case.model.blob)
        board.put_file("plan", plan.tobytes())
        board.put_file("predict.py", _function(FIRMWARE_KERNELS.parent / "machine_code.py", "_plain").encode())
        _start_timer(board, ("t(f,a,b)", "0"))
        around = _instructions(board, "t(0,0,0)")
        board.reset()
        for line in (
            f"b=bytearray({len(case.model.blob)})",
            "open('blob','rb').readinto(b)",
            "from classify import classify",
            "from array import array",
            f"p=array('i',bytes({len(plan) * 4}))",
            "open('plan','rb').readinto(p)",
            "import micropython\n@micropython.asm_thumb\ndef address(r0):\n pass",
            "p[0]=address(b)",
            f"r=array('i',bytes({4 * len(rows[0])}))",
        ):
            board.exec(line)
        _start_timer(board, CALL)
        fits = _load_predict(board)
        for row in rows:
            for i, reading in enumerate(row):
                board.exec(f"r[{i}]={reading}")
            answer = int(board.exec(f"p[{STEADY}]=-1;print(classify(address(p),address(r)))"))
            call = _instructions(board, "t(classify,address(p),address(r))") - around
            whole = None
            if fits and answer >= 0:
                board.exec(f"p[{STEADY}]={answer & 255};n.predict()")
                whole = _instructions(board, "w(n)") - around
                assert int(board.exec("print(n.d.margin)")) == answer >> 8
            yield answer, call, whole


def assembler(kernel: str) -> str:
    """Return MicroPython source whose function `classify` is a kernel's machine code, "forest" or "coded"."""
    words = array("H", machine_code(FIRMWARE_KERNELS / f"{kernel}_thumb.py", "thumb"))
    own = words[1 : words.index(0xBDF2)]  # what lies between saving and restoring the registers, which each has
    lines = [own[i : i + WORDS_A_LINE] for i in range(0, len(own), WORDS_A_LINE)]
    return JUDGE + "".join(f" data(2,{','.join(map(str, line))})\n" for line in lines)


def _load_predict(board: Microbit) -> bool:
    """Make `n`, which predicts by the kernel that is there already; tell whether there was room for that."""
    try:
        for line in (
            "class N:pass",
            "n=N();n.d=N();n.rows=N()",
            "n.e=n.rows.own=r",
            "n.c=classify;n.s=address(p)",
            "exec(open('predict.py').read())",
            "n.predict=_plain(n)",
            TIMED.format(*WHOLE),
        ):
            board.exec(line)
    except VmError as error:
        if out_of_room(error):
            return False
        raise
    return True


def _function(path: Path, name: str) -> str:
    """Return a function of the firmware in less room: its longest names are short, attributes' too, as in SHORT."""
    tree = ast.parse(path.read_text())
    text = ast.unparse(next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name))
    for word, short in SHORT.items():
        text = re.sub(rf"\b{word}\b", short, text)
    return strip(text)


def _start_timer(board: Microbit, *timed: tuple[str, str]) -> None:
    """Define functions, each told as its head and its statement, after which the timer has what that took and more."""
    for line in (*TIMER, *(TIMED.format(*one) for one in timed)):
        board.exec(line)


def _instructions(board: Microbit, call: str) -> int:
    board.exec(f"gc.collect();{call}")
    return round((int(board.exec("print(M[0x4000A540])")) & 0xFFFFFFFF) * INSTRUCTIONS_A_TICK)
