"""Which options were given, and whether they go together: one that would have no effect is refused, never ignored."""

from collections.abc import Collection

import typer

from dibble_tools.common.errors import InputError


def refuse_others(context: typer.Context, mode: str, goes: Collection[str]) -> None:
    """Refuse the options that a command line has beside a mode in which only some mean anything.

    Args:
        mode: as it is written, such as --images.
        goes: names of the command's parameters that mean something in it.
    Raises:
        InputError: another one was given.
    """
    flags = given(context)
    others = sorted(flags[name] for name in flags if name not in goes)
    if others:
        raise InputError(f"{_listed(others)}: expected none beside {mode}, where it would change nothing: leave it out")


def refuse_without(context: typer.Context, needed: str, there: bool, *names: str) -> None:
    """Refuse options that mean something beside another one only.

    Args:
        needed: that other one, as it is written.
        there: whether it was given.
        names: of the command's parameters.
    Raises:
        InputError: one of them was given without it.
    """
    flags = given(context)
    lonely = [flags[name] for name in names if name in flags and not there]
    if lonely:
        raise InputError(f"{_listed(lonely)}: expected {needed} with it, alone it would change nothing")


def given(context: typer.Context) -> dict[str, str]:
    """Return what a command line has: a parameter's name -> how it is written, --plot or MODEL."""
    source = context.get_parameter_source
    told = ((param, source(str(param.name))) for param in context.command.params)
    return {
        str(param.name): param.opts[0] if param.param_type_name == "option" else str(param.name).upper()
        for param, place in told
        if place and place.name == "COMMANDLINE"
    }


def _listed(flags: list[str]) -> str:
    """Return options as words: --a, --b and --c."""
    return " and ".join([", ".join(flags[:-1]), flags[-1]]) if len(flags) > 1 else flags[0]
