"""Lines that nobody should send: damaged ones, and whole ones under a right checksum that say what they shouldn't."""

import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from dibble_tools.node.console_lines import FIXED
from live_bench import DAY_S, Node

MARK = "PWNED"
TEXTS = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(A1)",
    "-2+3",
    f"[bold red]{MARK}[/][link=file:///etc/passwd]x[/link]",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "../../etc/passwd",
    "C:\\autoexec.bat",
    "a\r\nb",
    "\x00",
    "\u202egnp.exe",
    '"; rm -rf ~ #',
    "$(reboot)",
    "`id`",
    "x" * 500,
    ":skull:",
    "time",
    "label",
    "",
    "\ufeffbom",
    "é\u0301" * 30,
)
NUMBERS = ("-1", "4294967295", "4294967296", "1073741824", "-1073741823", "99999999999", "0x10", "1e9", "NaN", "", "0")


def escaped(text: str) -> str:
    """Return a text as the firmware escapes it."""
    return "".join(chr(b) if 32 < b < 127 and chr(b) not in ",*%#!" else f"%{b:02X}" for b in text.encode())


def sealed(body: str, crc: int = 0) -> tuple[bytes, int]:
    data = body.encode("ascii", "replace")
    crc = zlib.crc32(data, crc)
    return data + b"*%08X\r\n" % crc, crc


@dataclass(frozen=True)
class Said:
    """What comes, and the row of a true node in it, damaged or not: (node, time_s, readings)."""

    data: bytes
    truth: tuple[str, int, tuple[int | None, ...]] | None = None


def hostile_lines(count: int, seed: int) -> Iterator[Said]:
    """Yield so many lines; among them a true node's, which goes on whatever comes between."""
    chance = random.Random(seed)
    node = Node("bed-1", every=5)
    forged_crc = 0
    made = 0
    while made < count:
        kind = chance.randrange(10)
        if kind < 3:
            readings = (chance.choice([None, chance.randrange(1001)]), chance.randrange(360))
            parts = node.say(*readings, class_index=chance.randrange(2), margin=chance.randrange(40)).splitlines(True)
            whole = b"".join(parts)
            truth = ("bed-1", 9824 * DAY_S + 60 * node.sequence, readings)
            yield Said(whole if chance.random() < 0.6 else damaged(whole, chance), truth)
            made += len(parts)
            continue
        made += 1
        if kind == 3:
            yield Said(chance.randbytes(chance.randrange(200)) + b"\n")
        elif kind == 4:
            yield Said(bytes(chance.choice(b"\x1b[0m#!,*%\r\t \0") for _ in range(chance.randrange(80))) + b"\n")
        elif kind == 5 and chance.random() < 0.02:
            yield Said(b"9" * chance.randrange(100_000) + b"\n")
        elif kind == 5:
            yield Said(sealed(f"!{escaped(chance.choice(TEXTS))},5,{escaped(chance.choice(TEXTS))}")[0])
        elif kind == 6:
            names = [chance.choice([*TEXTS, "soil_moisture_permille"]) for _ in range(chance.choice([0, 1, 2, 3, 600]))]
            fields = ["#dibble", "2", escaped(chance.choice(TEXTS)), *FIXED]
            fields += [f"{escaped(name)}:{escaped(chance.choice(['permille', *TEXTS]))}" for name in names]
            data, forged_crc = sealed(",".join(fields))
            yield Said(data)
        elif kind == 7:
            fields = [chance.choice(NUMBERS) for _ in range(chance.choice([len(FIXED), len(FIXED) + 1, 40]))]
            yield Said(sealed(",".join(fields), forged_crc)[0])
        elif kind == 8:
            yield Said(f"{chance.choice(TEXTS)}\r\n".encode())
        else:
            yield Said(b'Traceback (most recent call last):\r\n  File "main.py"\r\n')


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return lines with bytes changed, lost, doubled or inserted: at least one."""
    out = bytearray(data)
    while bytes(out) == data or not out:
        at = chance.randrange(len(data))
        kind = chance.randrange(4)
        if kind == 0:
            out[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            del out[at : at + chance.randint(1, 20)]
        elif kind == 2:
            out[at:at] = out[at : at + chance.randint(1, 20)]
        else:
            out[at:at] = chance.randbytes(chance.randint(1, 5))
    return bytes(out) + b"\n"
