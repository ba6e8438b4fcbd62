"""The one way to a terminal: whatever a file, a node or a user named reaches it as text."""

import sys
from collections.abc import Iterable

from rich import console as rich_console
from rich.segment import Segment

from dibble_tools.common.safe_text import shown


class Console(rich_console.Console):
    """rich's, which writes only its own controls: in tables, progress and everything else, the texts are shown()."""

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        safe = (part if part.control else Segment(shown(part.text), part.style) for part in buffer)
        return super()._render_buffer(safe)


def write(text: str) -> None:
    """Write a result to stdout."""
    sys.stdout.write(shown(text))
    sys.stdout.flush()
