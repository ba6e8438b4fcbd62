"""Files that come with dibble, in the clone and where it's installed. Nothing else looks for them."""

from importlib import resources
from pathlib import Path

import dibble

ROOMS = Path(str(resources.files("dibble_tools")))  # guests, templates, C: beside the code that uses them


def _folder(name: str) -> Path:
    """Return a folder that lies beside host_tools/ in the clone, in the package where it's installed."""
    installed = ROOMS / "shipped" / name
    return installed if installed.is_dir() else ROOMS.parents[1] / name


FIRMWARE = _folder("firmware")  # main.py, code.py …: what lies in a board's root
LIBRARY = Path(dibble.__path__[0])  # the package dibble: the one that the host imports is the one that boards get
BOARDS = _folder("boards")
MODELS = _folder("models")
