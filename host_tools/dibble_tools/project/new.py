"""Make a project folder: the node's configuration for a board, its features, and how to go on."""

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import jinja2
from dibble.storage.signatures import KEY

from dibble_tools.boards.catalogue import board_named
from dibble_tools.boards.wires import SAFE, parts_of, wires_text
from dibble_tools.boards.wiring_picture import wiring_svg
from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import ROOMS
from dibble_tools.node.signatures import write_new_key

TEMPLATES = ROOMS / "project" / "templates"
SECRETS = 'WIFI_SSID = ""\nWIFI_PASSWORD = ""\nMQTT_PASSWORD = ""\n'  # Python and TOML alike
NODE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


def check_name(folder: Path) -> None:
    """Raise InputError where a project can't be made in a folder: its name isn't a node's, or it is there already."""
    if not NODE_NAME.fullmatch(folder.name):
        raise InputError(f"expected a name of at most 32 letters, digits, - and _; got {folder.name!r}")
    if folder.exists() or folder.is_symlink():
        raise InputError(f"expected a folder that isn't there yet, found {folder}: choose another name")


def new_project(
    folder: Path,
    board: str,
    config: dict[str, Any],
    *,
    circuitpython: bool = False,
) -> list[Path]:
    """Write a project to a folder that isn't there yet, whole or not at all; return its files.

    Args:
        folder: its name becomes the node's.
        board: the board's name, as `dibble boards` has it.
        config: of the node, as config.json has it; with mqtt, a file for the passwords is made, too.
        circuitpython: the runtime.
    Raises:
        InputError: the folder is there already, or can't be written.
    """
    check_name(folder)
    config = {"node": folder.name, "board": board} | {key: config[key] for key in config if key != "node"}
    texts = {"config.json": json.dumps(config, indent=2) + "\n"}
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    if "mqtt" in config:
        texts["settings.toml" if circuitpython else "secrets.py"] = SECRETS
    known, runtime = board_named(board)[1], "circuitpython" if circuitpython else "micropython"
    parts = parts_of(config, runtime)
    has = known.runtimes[runtime]  # type: ignore[index]
    texts["wiring.svg"] = wiring_svg(f"{folder.name}: {known.title}", known, has, parts)
    sensors = [entry["driver"] for entry in config["sensors"]]
    for template in ("README.md", "features.toml", "gitignore"):
        text = environment.get_template(template + ".j2").render(
            name=folder.name,
            board=board,
            title=known.title,
            sensors=sensors,
            config=config,
            wires=wires_text(parts),
            safe=SAFE,
            label=next((action["class"] for action in config["actions"] if "class" in action), "dry"),
        )
        texts[".gitignore" if template == "gitignore" else template] = text
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            made.chmod(0o755)
            for name, text in texts.items():
                (made / name).write_text(text, encoding="utf-8")
            write_new_key(made / KEY)
            made.rename(folder)
        except BaseException:
            shutil.rmtree(made)
            raise
    except OSError as error:
        raise InputError(f"{folder}: expected a place to write to: {error.strerror or error}") from None
    return [folder / name for name in (*texts, KEY)]
