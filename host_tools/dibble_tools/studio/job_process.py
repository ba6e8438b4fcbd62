"""A job's side: what it's asked for, and how it tells of its progress."""

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.common.extras import extras_named
from dibble_tools.studio import process_group


def tell(**said: Any) -> None:
    """Write one line for the studio: step and share, log, result or problem."""
    print(json.dumps(said), flush=True)


def run(work: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Do a job: read the request; tell the result, or the problem in words.

    The studio holds the other end of stdin; when that closes, nobody wants the work any more.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a studio in the background of a script ignores it
    signal.signal(signal.SIGTERM, _end)
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        with extras_named():
            result = work(request)
    except InputError as error:
        tell(problem=str(error))
    except KeyboardInterrupt:
        tell(problem="stopped before there was anything to keep")
    except Exception as error:  # the page is the only place where anyone would see it
        for line in traceback.format_exc().splitlines():
            tell(log=line)
        tell(problem=f"a mistake in dibble itself ({error!r}); its log below helps to find it")
    else:
        tell(result=result)


def _end(number: int, frame: object) -> None:
    """End by the way of all that is open: a board that is in hand runs its node again."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


def _end_with_stdin() -> None:
    while os.read(0, 4096):  # a line asks to end with what there is, where no signal can
        signal.raise_signal(signal.SIGINT)
    process_group.end_own()
