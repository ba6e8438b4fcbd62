"""What a call from Python costs around a kernel in assembler: MicroPython 1.9.2 on the micro:bit's Cortex-M0.

Its heap is too small to compile the kernels' source: the machine code that cortex_m0.py counts is handed to its
assembler word by word.
"""

from array import array
from collections.abc import Iterator

from dibble_tools.bench.cases import Case
from dibble_tools.bench.cortex_m0 import FIRMWARE_KERNELS, KERNELS, plan_of
from dibble_tools.bench.machine_code import machine_code
from dibble_tools.machines.microbit import INSTRUCTIONS_A_TICK, Microbit

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
TIMED = "def t(f,r):\n q=D();M[0x4000A00C]=1;{}\n M[0x4000A040]=1;E(q)"


def called(case: Case, rows: list[list[int]]) -> Iterator[tuple[int, int]]:
    """Yield the answer to each row, and the instructions of the call f(row), both in local variables.

    Raises:
        VmError: the model doesn't fit 9 KB of heap beside its kernel.
    """
    name = case.model.content.family_name
    plan = plan_of(case)
    with Microbit() as board:
        board.put_file("classify.py", assembler(KERNELS[name]).encode())
        board.put_file("blob", case.model.blob)
        board.put_file("plan", plan.tobytes())
        _start_timer(board, "0")
        around = _instructions(board, "t(0,0)")
        board.reset()
        for line in (
            f"b=bytearray({len(case.model.blob)})",
            "open('blob','rb').readinto(b)",
            "from classify import classify",
            "from array import array",
            "class P(array):\n classify=classify",
            f"p=P('i',bytes({len(plan) * 4}))",
            "open('plan','rb').readinto(p)",
            "import micropython\n@micropython.asm_thumb\ndef at(r0):\n pass",
            "p[0]=at(b)",
            f"r=array('i',bytes({4 * len(rows[0])}))",
            "f=p.classify",
        ):
            board.exec(line)
        _start_timer(board, "f(r)")
        for row in rows:
            for i, reading in enumerate(row):
                board.exec(f"r[{i}]={reading}")
            yield int(board.exec("print(f(r))")), _instructions(board, "t(f,r)") - around


def assembler(kernel: str) -> str:
    """Return MicroPython source whose function `classify` is a kernel's machine code, "forest" or "coded"."""
    words = array("H", machine_code(FIRMWARE_KERNELS / f"{kernel}_thumb.py", "thumb"))
    own = words[1 : words.index(0xBDF2)]  # what lies between saving and restoring the registers, which each has
    lines = [own[i : i + WORDS_A_LINE] for i in range(0, len(own), WORDS_A_LINE)]
    return JUDGE + "".join(f" data(2,{','.join(map(str, line))})\n" for line in lines)


def _start_timer(board: Microbit, statement: str) -> None:
    """Define t(f, r), after which the timer has what the statement took, and what was around it."""
    for line in (*TIMER, TIMED.format(statement)):
        board.exec(line)


def _instructions(board: Microbit, call: str) -> int:
    board.exec(f"gc.collect();{call}")
    return round((int(board.exec("print(M[0x4000A540])")) & 0xFFFFFFFF) * INSTRUCTIONS_A_TICK)
