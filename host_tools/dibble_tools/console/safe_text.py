"""Text that came from a node, made harmless: for a terminal, for a spreadsheet, as the name of a column."""

MOST_SHOWN = 160
MOST_NAME_BYTES = 60
FORMULA = "=+-@＝＋－＠|"  # a spreadsheet computes a cell that begins so
_IN_NAMES = " _.-()[]/%°²³"


def plain(text: str, most: int = MOST_SHOWN) -> str:
    """Return a text as it may be shown: no control, bidirectional or other invisible character, and not endless."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text[:most])
    return shown + "…" if len(text) > most else shown


def cell(text: str) -> str:
    """Return a text as a CSV cell that no spreadsheet takes for a formula."""
    shown = plain(text)
    return "'" + shown if shown.lstrip()[:1] in tuple(FORMULA) else shown


def is_fit_name(name: str) -> bool:
    """Tell whether a name can head a column: letters, digits and a few signs, beginning with a letter or digit."""
    return (
        name[:1].isalnum()
        and name == name.strip()
        and len(name.encode()) <= MOST_NAME_BYTES
        and all(character.isalnum() or character in _IN_NAMES for character in name)
    )
