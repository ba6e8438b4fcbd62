"""Which REPL the VM is in, from what it prints: a soft reset comes back to the same."""

RAW, FRIENDLY = b"raw REPL; CTRL-B to exit\r\n", b'Type "help()" for more information.\r\n'
KEPT = 400


class ReplMode:
    """Attributes:
    mode: "raw" or "friendly".
    """

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self._tail = b""
        self._hidden: bytes | None = None

    def enter_raw(self) -> None:
        """From here on nothing is shown until the raw REPL greets: a board doesn't pass through the other."""
        self._hidden = b""

    def shown(self, printed: bytes) -> bytes:
        """Take what the VM prints; return what people see of it."""
        self._tail = (self._tail + printed)[-KEPT:]
        raw, friendly = self._tail.rfind(RAW), self._tail.rfind(FRIENDLY)
        if raw != friendly:
            self.mode = "raw" if raw > friendly else "friendly"
        if self._hidden is None:
            return printed
        self._hidden += printed
        at = self._hidden.find(RAW)
        if at < 0:
            return b""
        printed, self._hidden = self._hidden[at:], None
        return printed

    def greeted(self) -> bool:
        """Tell whether the friendly REPL has greeted of late."""
        return FRIENDLY.replace(b"\r", b"") in self._tail.replace(b"\r", b"")

    def tail(self) -> str:
        """Return the last that the VM printed."""
        return self._tail.decode("utf-8", "replace").strip()
