"""Gives back the heap of what is done: modules, and functions of those that stay."""

import gc
import sys

CHECKS = (  # what is needed until a model's bytes have passed
    "dibble.inference.checks",
    "dibble.inference.bounds",
    "dibble.inference.forest_checks",
    "dibble.inference.additive_checks",
    "dibble.inference.mlp_checks",
    "dibble.inference.stream_checks",
    "dibble.inference.parts",
)
FIRST_LOOK = (  # and until it runs
    "dibble.inference.golden",
    "dibble.inference.description",
    "dibble.inference.strings",
    "dibble.inference.errors",
)
_at_start = []


def start_only(function):
    """Decorate what nothing calls once the node runs: see forget_start()."""
    if function not in _at_start:
        _at_start.append(function)
    return function


def forget_start():
    """Give up the functions and methods that only a node's start needs: in this life no other node is made."""
    for name in list(sys.modules):
        if name.startswith("dibble"):
            _give_up(sys.modules[name])
    _at_start.clear()
    gc.collect()


def _give_up(owner):
    for name, value in list(getattr(owner, "__dict__", {}).items()):
        if value in _at_start:
            setattr(owner, name, None)  # a class keeps what is only deleted
            delattr(owner, name)
        elif isinstance(value, type):
            _give_up(value)


def forget(*names):
    """Give up the modules of these names, as far as they are there; who needs one again imports it anew."""
    for name in names:
        if name in sys.modules:
            package, _, last = name.rpartition(".")
            del sys.modules[name]
            if hasattr(sys.modules[package], last):
                delattr(sys.modules[package], last)
    gc.collect()  # what they needed lies in pieces between what stays
