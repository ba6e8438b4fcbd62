"""A board that speaks the raw REPL and answers what a test says, whatever it is asked."""

import os
import re
import select
import zlib
from binascii import b2a_base64

BANNER = b"raw REPL; CTRL-B to exit\r\n>"


class HostileBoard:
    """Serves the near end of a pseudo-terminal.

    Args:
        near: its descriptor.
        answers: what is printed when a call contains a text; bytes are a file, sent in pieces as read() does.
    """

    def __init__(self, near: int, answers: dict[str, str | bytes]) -> None:
        self._near = near
        self._answers = answers
        self._running = True

    def stop(self) -> None:
        self._running = False

    def serve(self) -> None:
        """Answer until stop()."""
        code = b""
        while self._running:
            if not select.select([self._near], [], [], 0.05)[0]:
                continue
            try:
                arrived = os.read(self._near, 4096)
            except OSError:  # nobody has the other end open
                continue
            for byte in arrived:
                code = self._take(code, bytes([byte]))

    def _take(self, code: bytes, byte: bytes) -> bytes:
        """Take a byte; return the code that has come so far."""
        if code.endswith(b"\x05A") and byte == b"\x01":
            self._say(b"R\x00")  # no raw paste
        elif byte == b"\x01":
            self._say(BANNER)
        elif byte == b"\x02":
            self._say(b">>> ")
        elif byte == b"\x04":
            self._say(self._answer(code) if code else b"OK\r\nMPY: soft reboot\r\n" + BANNER)
        elif byte not in b"\x03\r":
            return code + byte
        return b""

    def _answer(self, code: bytes) -> bytes:
        call = code.decode().splitlines()[-1]
        printed = b""
        if word := re.fullmatch(r"print\('(here-[0-9a-f]+)'\)", call):
            return b"OK" + word[1].encode() + b"\r\n\x04\x04>"
        if not call.startswith((" ", "def", "from", "import")):
            for text, answer in self._answers.items():
                if text in call:
                    printed = answer.encode() if isinstance(answer, str) else piece(answer, call)
            if call.startswith("watched"):
                printed = b"no"
            if not printed and call.startswith("read("):
                return b"OK\x04OSError: [Errno 2] ENOENT\x04>"
        return b"OK" + printed + b"\x04\x04>"

    def _say(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._near, data) :]


def piece(content: bytes, call: str) -> bytes:
    """Return what the board's read() prints for a call such as read('log/000001.seg', 0, 3072)."""
    at, size = map(int, re.findall(r", (\d+)", call))
    data = content[at : at + size]
    return b"%08x " % zlib.crc32(data) + b2a_base64(data, newline=False)
