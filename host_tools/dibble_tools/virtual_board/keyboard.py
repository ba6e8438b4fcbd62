"""What people type, on its way to the VM: bytes go into a pipe, a Ctrl-C may be an interrupt.

A Ctrl-C in its turn becomes an interrupt or a byte only when all before it is read and the VM either runs a program or
waits for a byte: otherwise one that follows a program closely would come too early for it.
"""

import os
import time

from dibble_tools.virtual_board.vm_process import VmProcess, unread

CTRL_A, CTRL_C = b"\x01", b"\x03"
UNDECIDED_S = 0.05  # the VM neither runs a program nor waits: it compiles, or the program has the interrupt off


class Keyboard:
    """Attributes:
    far_end: the VM's stdin.
    """

    def __init__(self) -> None:
        self.far_end, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        self._typed = bytearray()
        self._undecided_since: float | None = None

    def clear(self) -> None:
        """Forget what wasn't read: the board loses it at a reset."""
        self._typed.clear()
        if unread(self.far_end):
            os.read(self.far_end, 1 << 16)

    def busy(self, vm: VmProcess) -> bool:
        """Tell whether feed() has to try again soon."""
        return bool(self._typed) or vm.unseen()

    def type(self, data: bytes, vm: VmProcess) -> None:
        """Take what has arrived."""
        if CTRL_C in data and vm.interrupt():
            data = data.replace(CTRL_C, b"")
        self._typed += data

    def press(self, data: bytes) -> None:
        """Put bytes straight before the VM."""
        os.write(self._pipe, data)

    def feed(self, vm: VmProcess) -> None:
        """Pass on what can be passed on."""
        while self._typed:
            at = self._typed.find(CTRL_C)
            if at == 0:
                if not self._settle_ctrl_c(vm):
                    return
                continue
            try:
                done = os.write(self._pipe, self._typed[: at if at > 0 else None])
            except BlockingIOError:
                return
            del self._typed[:done]

    def _settle_ctrl_c(self, vm: VmProcess) -> bool:
        """Make the first byte, a Ctrl-C, an interrupt or a byte; tell whether that could be done."""
        if unread(self._pipe):
            return False
        state = vm.state()
        if state.interruptible:
            if not vm.interrupt():
                return False
        elif state.letter == "S" or self._long_undecided():
            self.press(CTRL_C)
        else:
            return False
        self._undecided_since = None
        del self._typed[:1]
        return True

    def _long_undecided(self) -> bool:
        now = time.monotonic()
        self._undecided_since = self._undecided_since or now
        return now - self._undecided_since > UNDECIDED_S
