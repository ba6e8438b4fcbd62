"""Read a board's file; a mistake in it is named with its place, what was expected and what is there."""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from dibble_tools.boards.schema import Board
from dibble_tools.common.errors import InputError, reason_of

EXPECTED = {
    "missing": "it",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
    "list_type": "a list [...]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_too_short": "a text of at least {min_length} letters",
    "string_too_long": "a text of at most {max_length} letters",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "literal_error": "one of {expected}",
    "finite_number": "a finite number",
}


def read_file(path: Path) -> Board:
    """Return a board's file, checked.

    Raises:
        InputError: names the file, the place, what was expected and what is there.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: expected a board's TOML file, got: {reason_of(error)}") from None
    return check(table, str(path))


def check(table: Mapping[str, Any], where: str) -> Board:
    """Return a board of a table as TOML has it; `where` names it in errors."""
    try:
        return Board.model_validate(table)
    except ValidationError as error:
        raise InputError(f"{where}: {told(error)}") from None


def told(error: ValidationError) -> str:
    """Return the first mistake for people, and how many more there are."""
    found = error.errors(include_url=False)
    first = found[0]
    keys = [key for key in first["loc"] if not str(key).startswith(("constrained-", "int", "str"))]
    place = ".".join(str(key) for key in keys)
    context = first.get("ctx", {})
    if first["type"] == "value_error":
        text = f"{place}.{context['error']}" if place else str(context["error"])
    elif first["type"] == "extra_forbidden":
        text = f"{place}: expected {_known(keys)}, got a field of another name"
    else:
        expected = EXPECTED.get(first["type"], first["msg"]).format(**context)
        got = "none" if first["type"] == "missing" else repr(first["input"])[:60]
        text = f"{place}: expected {expected}, got {got}"
    return text + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")


def _known(keys: list[Any]) -> str:
    """Return the names that there are in the place of an unknown field."""
    model: type[BaseModel] = Board
    for key in keys[:-1]:
        if key in model.model_fields:  # else it is an index, or a name in a table of tables
            model = _model_in(model.model_fields[key].annotation) or model
    names = list(model.model_fields)
    near = difflib.get_close_matches(str(keys[-1]), names, n=1)
    return f"one of {', '.join(names)}" + (f" ({near[0]}?)" if near else "")


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the schema that a field's type names, alone or in a list, a table or a choice; None for none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
