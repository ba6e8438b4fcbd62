"""Keys that switch the label while readings come in."""

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import is_fit_name

SKIP = "skip"  # the label under which nothing is written
QUIT = "q"
GRAMMAR = "LABEL=KEY,LABEL=KEY such as dry=d,wet=w,skip=s"


def check_label(label: str) -> str:
    """Return a class's name.

    Raises:
        InputError: it can't be one.
    """
    if not is_fit_name(label):
        raise InputError(f"--label: expected letters, digits and _.-, such as dry, got {label!r}")
    return label


def parse_keys(text: str, label: str) -> dict[str, str]:
    """Return key -> label; without a text the label's first letter, and s for skip.

    Raises:
        InputError: it isn't of that form, or a key is given twice.
    """
    if not text:
        first = label[0].lower()
        return {first: label, **({"s": SKIP} if first != "s" else {})} if first != QUIT else {"s": SKIP}
    keys: dict[str, str] = {}
    for part in text.split(","):
        name, equals, key = (piece.strip() for piece in part.rpartition("="))
        if not equals or len(key) != 1 or not key.isprintable():
            raise InputError(f"--keys: expected {GRAMMAR}, got {text!r}")
        if key == QUIT:
            raise InputError(f"--keys: expected another key than {QUIT}, which ends it, got {part!r}")
        if key in keys:
            raise InputError(f"--keys: expected each key once, got {key!r} twice")
        keys[key] = check_label(name)
    return keys
