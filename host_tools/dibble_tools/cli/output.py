"""Where commands say what they do: stderr, so that stdout stays for results."""

from dibble_tools.common.terminal import Console

console = Console(stderr=True, highlight=False)


def escape(text: str) -> str:
    """Return a text as it is shown, with nothing in it taken for markup."""
    from rich.markup import escape

    return escape(text)


def note(text: str) -> None:
    """Print something worth knowing."""
    console.print(f"[yellow]note:[/] {escape(text)}", soft_wrap=True)
