"""Pieces become lines: node/console_lines.py reads them, and what ends in a table or on a screen has fit names."""

from collections.abc import Callable, Iterator, Sequence

from dibble_tools.console.safe_text import is_fit_name
from dibble_tools.console.stream import Piece, Status
from dibble_tools.node.console_lines import Header, Line, LineReader

MOST_CHANNELS = 255  # a model's and a record's limit


class Feed:
    """What a node says.

    Args:
        pieces: as dibble_tools.console.stream yields them.
        heard: headers of earlier days: see LineReader.
        remember: takes each header that comes.
    Attributes:
        reader: the LineReader, with its header and its counts of rejected lines.
    """

    def __init__(
        self,
        pieces: Iterator[Piece],
        heard: Sequence[Header] = (),
        remember: Callable[[Header], None] = lambda header: None,
    ) -> None:
        self.reader = LineReader(heard)
        self._pieces = pieces
        self._remember = remember

    def __iter__(self) -> Iterator[Line | Status | None]:
        """Yield lines and what became of the connection; None once after each piece, however little it was.

        When a row is yielded, reader.header is its own.
        """
        for piece in self._pieces:
            if isinstance(piece, Status):
                yield piece
            else:
                for line in self.reader.each(piece):
                    if isinstance(line, Header):
                        self._remember(line)
                    yield line
            yield None


def unfit(header: Header) -> str:
    """Return why the rows under a header can't be used; "" if they can."""
    if len(header.channels) > MOST_CHANNELS:
        return f"header of more than {MOST_CHANNELS} channels"
    if not header.channels:
        return "header without a channel"
    if not is_fit_name(header.node):
        return "node name other than letters, digits and _.-"
    if not all(is_fit_name(name) for name, _ in header.channels):
        return "channel name other than letters, digits and _.-"
    return ""
