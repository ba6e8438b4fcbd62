"""Figures and lists as people read them; "-" where there is none."""

import difflib
from collections.abc import Sequence
from typing import TypeGuard


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a value is a figure: neither None nor NaN nor left out."""
    return isinstance(value, int | float) and value == value


def percent(share: object) -> str:
    """Return a share: "75.5 %"."""
    return f"{100 * share:.1f} %" if is_number(share) else "-"


def whole(count: object) -> str:
    """Return a count: "1,822"."""
    return f"{count:,.0f}" if is_number(count) else "-"


def tick(share: float) -> str:
    """Return a share on an axis, as short as it can be: "75%"."""
    return f"{100 * share:.4g}%"


def points(share: object) -> str:
    """Return a difference of shares in points, with its sign: "+1.5"."""
    return f"{100 * share:+.1f}" if is_number(share) else "-"


def times_in_100(share: float) -> str:
    """Return a share as people say it: "76 times in 100"; never all or none where it isn't so."""
    count = round(100 * share)
    if count == 100 and share < 1:
        return "more than 99 times in 100"
    if count == 0 and share > 0:
        return "less than once in 100"
    return "once in 100" if count == 1 else f"{count} times in 100"


def listed(name: str, names: Sequence[str]) -> str:
    """Return a sentence that lists what there is, and what the name may have meant."""
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    more = f" and {len(names) - 30} more" if len(names) > 30 else ""
    return f"there are: {', '.join(names[:30])}{more}." + (f" Did you mean {near[0]!r}?" if near else "")
