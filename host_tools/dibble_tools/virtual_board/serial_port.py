"""The port people open: a pseudo-terminal that behaves as a board's USB serial port.

What nobody reads isn't kept: a board drops it too, after a while. Line ends are CR LF, as a board prints them.
"""

import os
import pty
import termios
import time
import tty

from dibble_tools.virtual_board.vm_process import unread

PATIENCE_S = 0.5  # MicroPython's MICROPY_HW_USB_CDC_TX_TIMEOUT
KEPT = 4096  # bytes that Linux keeps for a reader of a terminal


class SerialPort:
    """Both ends of a pseudo-terminal; ours reads what people write.

    Attributes:
        name: of the end that people open.
        raw: what is written goes out as it is.
    """

    def __init__(self) -> None:
        self.ours, self._theirs = pty.openpty()  # theirs stays open: its settings last
        tty.setraw(self._theirs)
        os.set_blocking(self.ours, False)
        self.name = os.ttyname(self._theirs)
        self.raw = False
        self._last = b""
        self._waiting = b""
        self._unread = 0
        self._stuck_since: float | None = None
        self._deaf = False

    def close(self) -> None:
        """Hang up on whoever has it open; once is enough."""
        for end in (self._theirs, self.ours):
            if end >= 0:
                os.close(end)
        self.ours = self._theirs = -1

    def fileno(self) -> int:
        return self.ours

    def read(self) -> bytes:
        try:
            return os.read(self.ours, 4096)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        """Take output; flush() until it is gone."""
        self._waiting += data if self.raw else self._cooked(data)
        self.flush()

    def flush(self) -> bool:
        """Pass on what waits; tell whether all of it is gone."""
        while self._waiting:
            before = unread(self._theirs)
            if before < self._unread:
                self._deaf, self._stuck_since = False, None
            try:
                done = os.write(self.ours, self._waiting[: max(0, KEPT - 1 - before)])
            except BlockingIOError:
                done = 0
            self._waiting = self._waiting[done:]
            self._unread = unread(self._theirs)
            if not done and not self._drop_oldest():
                return False
        return True

    def _drop_oldest(self) -> bool:
        """Make room, where nobody has read for a while."""
        now = time.monotonic()
        self._stuck_since = self._stuck_since or now
        self._deaf |= now - self._stuck_since >= PATIENCE_S
        if self._deaf:
            termios.tcflush(self._theirs, termios.TCIFLUSH)
            self._unread = 0
        return self._deaf

    def _cooked(self, data: bytes) -> bytes:
        text = (self._last + data).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        shown = text[len(self._last) :]
        self._last = data[-1:] if data[-1:] == b"\r" else b""
        return shown
