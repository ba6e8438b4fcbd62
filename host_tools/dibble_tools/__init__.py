"""dibble's host side: from a CSV of readings to a model file that is proven on real MicroPython VMs.

`from dibble_tools import convert` turns a fitted scikit-learn classifier into a model file.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dibble_tools.model.convert import convert

__all__ = ["convert"]


def __getattr__(name: str) -> Any:
    """Import `convert`, and with it scikit-learn, only when it is asked for."""
    if name == "convert":
        from dibble_tools.model.convert import convert as function

        return function
    raise AttributeError(f"module 'host_tools' has no attribute {name!r}")
