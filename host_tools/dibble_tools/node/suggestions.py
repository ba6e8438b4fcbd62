"""What a misspelt key or driver of a config.json may have meant: the board's messages have no room for it."""

import difflib
import re
from typing import Any

from dibble_tools.common.shipped import LIBRARY

KEY = re.compile(r"config(?:\.\w+|\[\d+\])*?\.(?P<got>[^.:\s]+): expected one of (?P<there>[\w, ]+)$")
ABSENT = re.compile(r"config(?P<way>(?:\.\w+|\[\d+\])*?)\.(?P<name>\w+): expected it, got none$")
DRIVER = re.compile(r"config\.sensors: expected a driver of .*, got '(?P<got>\w+)'$")


def suggested(message: str, table: Any) -> str:
    """Return a complaint about a configuration with what the name in it may have meant, where one is near."""
    if found := ABSENT.match(message):
        near = difflib.get_close_matches(found["name"], _keys_at(table, found["way"]), n=1, cutoff=0.6)
        return f"{message}: is it {near[0]!r}, misspelt?" if near else message
    if found := KEY.match(message):
        there = found["there"].split(", ")
    elif found := DRIVER.match(message):
        there = driver_names()
    else:
        return message
    near = difflib.get_close_matches(found["got"], there, n=1, cutoff=0.6)
    return f"{message}. Did you mean {near[0]!r}?" if near else message


def _keys_at(table: Any, way: str) -> list[str]:
    """Return the keys of the table that a path such as .sensors[0] leads to."""
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", way):
        table = table[name] if name else table[int(index)]
    return list(table) if isinstance(table, dict) else []


def driver_names() -> list[str]:
    """Return the names of dibble's drivers."""
    paths = sorted((LIBRARY / "drivers").glob("*.py"))
    return [path.stem for path in paths if re.search("^SETTINGS = ", path.read_text("utf-8"), re.M)]
