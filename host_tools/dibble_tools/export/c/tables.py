"""Integers as C tables of the narrowest type that holds them."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

UNSIGNED = (("uint8_t", "FLASH8", 0xFF), ("uint16_t", "FLASH16", 0xFFFF), ("uint32_t", "FLASH32", 0xFFFFFFFF))
SIGNED = (("int8_t", "FLASH8", 0x7F), ("int16_t", "FLASH16", 0x7FFF), ("int32_t", "FLASH32", 0x7FFFFFFF))
WIDTH = 96


@dataclass(frozen=True)
class Kind:
    """An integer type, and the macro that reads one from flash."""

    type: str
    read: str


def unsigned(values: Sequence[int], at_least: int = 0) -> Kind:
    """Return the narrowest unsigned type that holds all values.

    Args:
        at_least: one more value it has to hold.
    """
    most = max([*values, at_least])
    return next(Kind(name, read) for name, read, limit in UNSIGNED if most <= limit)


def signed(values: Sequence[int]) -> Kind:
    """Return the narrowest signed type that holds all values."""
    least, most = min(values, default=0), max(values, default=0)
    return next(Kind(name, read) for name, read, limit in SIGNED if -limit - 1 <= least and most <= limit)


def literal(value: int, kind: Kind) -> str:
    """Return a value's literal, which on a machine of 16 bits is no undefined int."""
    if kind.type == "uint32_t":
        return f"{value}UL"
    if kind.type == "int32_t":
        return f"{value}L"
    return str(value)


def rows(values: Sequence[int], kind: Kind, *, each: int = 0) -> str:
    """Return the values as lines of a table.

    Args:
        each: values a line; 0: as many as fit.
    """
    texts = [literal(value, kind) for value in values]
    if each:
        lines = [", ".join(texts[i : i + each]) + "," for i in range(0, len(texts), each)]
        return "\n".join(f"    {line}" for line in lines)
    text = ", ".join(texts) + ","
    return textwrap.fill(text, WIDTH, initial_indent="    ", subsequent_indent="    ", break_long_words=False)
