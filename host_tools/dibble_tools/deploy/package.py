"""firmware/package.json: what `mpremote mip install` of the library copies."""

import json

from dibble import __version__

from dibble_tools.common.shipped import FIRMWARE, LIBRARY

PACKAGE_FILE = FIRMWARE / "package.json"


def package_json() -> str:
    """Return what package.json has to hold: every file of the library, by URLs relative to it."""
    names = sorted(path.relative_to(LIBRARY.parent).as_posix() for path in LIBRARY.rglob("*.py"))
    return json.dumps({"urls": [[name, f"lib/{name}"] for name in names], "version": __version__}, indent=1) + "\n"


if __name__ == "__main__":
    PACKAGE_FILE.write_text(package_json(), encoding="utf-8")
