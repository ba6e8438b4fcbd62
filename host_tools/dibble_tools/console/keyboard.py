"""Keys as they are pressed, without Return, where there is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def keys_pressed() -> Iterator[Callable[[], str]]:
    """Give a function that returns the keys pressed since it was last called; without a terminal, none ever."""
    if not sys.stdin or not sys.stdin.isatty():
        yield lambda: ""
    elif sys.platform == "win32":
        import msvcrt

        def pressed() -> str:
            keys = ""
            while msvcrt.kbhit():
                keys += msvcrt.getwch()
            return keys

        yield pressed
    else:
        with _unix() as pressed:
            yield pressed


@contextmanager
def _unix() -> Iterator[Callable[[], str]]:
    import os
    import select
    import termios
    import tty

    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)

    def pressed() -> str:
        if not select.select([handle], [], [], 0)[0]:
            return ""
        return os.read(handle, 64).decode(errors="replace")

    try:
        tty.setcbreak(handle)  # Ctrl-C still is one
        yield pressed
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
