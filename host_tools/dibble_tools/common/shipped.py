"""Files that come with dibble: folders beside host_tools/ in the clone, folders of the package where it is installed.
Nothing else looks for them."""

from importlib import resources
from pathlib import Path

import dibble

_PACKAGE = Path(str(resources.files("dibble_tools")))


def _folder(name: str) -> Path:
    installed = _PACKAGE / "shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parents[1] / name


FIRMWARE = _folder("firmware")  # main.py, code.py …: what lies in a board's root
LIBRARY = Path(dibble.__path__[0])  # the package dibble: the one that the host imports is the one that boards get
BOARDS = _folder("boards")
MODELS = _folder("models")
