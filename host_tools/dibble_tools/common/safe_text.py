"""Text that came from elsewhere, made harmless: for a terminal, for a spreadsheet, as the name of a column.

Names in a model, a CSV or a node's lines may hold anything; what a terminal obeys (escapes, C1 controls, what turns
the direction of writing) reaches none, from any command: common/terminal.py holds all output against this.
"""

import json
import unicodedata
from typing import Any

MOST_SHOWN = 160
MOST_NAME_BYTES = 60
FORMULA = "=+-@＝＋－＠|"  # a spreadsheet computes a cell that begins so
_IN_NAMES = " _.-()[]/%°²³"


def plain(text: str, most: int = MOST_SHOWN) -> str:
    """Return a text as it may be shown: no control, bidirectional or other invisible character, and not endless."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text[:most])
    return shown + "…" if len(text) > most else shown


def shown(text: str) -> str:
    """Return a text with nothing in it that a terminal obeys but ends of lines and tabs."""
    return text if text.isprintable() else "".join(map(_shown, text))


def json_text(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON for people and programs: what isn't to be shown is escaped, and nothing is lost."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def _shown(character: str) -> str:
    fine = character.isprintable() or character in "\n\t" or unicodedata.category(character) == "Zs"
    return character if fine else "\N{REPLACEMENT CHARACTER}"


def cell(text: str) -> str:
    """Return a text as a CSV cell that no spreadsheet takes for a formula."""
    shown = plain(text)
    return "'" + shown if shown.lstrip()[:1] in tuple(FORMULA) else shown


def is_fit_name(name: str) -> bool:
    """Tell whether a name can head a column: letters, digits, a few signs; a letter or digit first, or after one _."""
    return (
        (name[:1].isalnum() or (name[:1] == "_" and name[1:2].isalnum()))
        and name == name.strip()
        and len(name.encode()) <= MOST_NAME_BYTES
        and all(character.isalnum() or character in _IN_NAMES for character in name)
    )
