"""The one error that means the user, not dibble, has to change something; and why a file couldn't be read, in words."""

import json


class InputError(Exception):
    """A file, column, option or machine isn't as expected: the command prints this and exits with 2.

    The message is one paragraph for people: what was expected, what came, where, what to do.
    """


def reason_of(error: Exception) -> str:
    """Return why a file couldn't be read or parsed, for people: no error number, but the place in a JSON text."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    return str(error) or type(error).__name__
