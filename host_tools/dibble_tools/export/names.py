"""Names and texts of a model that C, C++ and the file system can take."""

import keyword
import re
import unicodedata
from collections.abc import Sequence

MOST_LETTERS = 40
# A header of one of these names would hide the system's own.
TAKEN = (
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic "
    "stdbool stddef stdint stdio stdlib stdnoreturn string strings tgmath threads time uchar unistd wchar wctype "
    "arduino main features sys avr memory new"
)


def _plain(text: str) -> str:
    """Return the text in lower case: accents dropped, one "_" for each run of anything else; perhaps nothing."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")[:MOST_LETTERS].strip("_")


def prefix_of(text: str) -> str:
    """Return what all of a model's names in C and Python begin with, and its files are called."""
    name = _plain(text)
    if not name or name[0].isdigit():
        return f"model_{name}".rstrip("_")
    return f"{name}_model" if name in TAKEN.split() or keyword.iskeyword(name) else name


def endings(texts: Sequence[str], otherwise: str) -> list[str]:
    """Return for each text, all different, what names it in capitals behind a prefix.

    Args:
        otherwise: what stands where nothing of a text is left.
    """
    found: list[str] = []
    for text in texts:
        name = plain = _plain(text) or otherwise
        i = 2
        while name in found:
            name = f"{plain}_{i}"
            i += 1
        found.append(name)
    return [name.upper() for name in found]


def string(text: str) -> str:
    """Return a C string literal of the text's UTF-8: octal escapes, which end after three digits, and no trigraph."""
    safe = bytes(c for c in range(32, 127) if c not in b'"\\?')
    plain = "".join(chr(byte) if byte in safe else f"\\{byte:03o}" for byte in text.encode())
    return f'"{plain}"'


def comment(text: str) -> str:
    """Return the text as it may stand in a comment: on one line, without what ends, opens or continues one."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return shown.replace("*/", "* /").replace("/*", "/ *").replace("\\", "/").replace("??", "? ?")
