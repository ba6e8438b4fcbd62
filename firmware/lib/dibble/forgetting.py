"""Gives back the heap of modules that are done."""

import gc
import sys


def forget(*names):
    """Give up the modules of these names, as far as they are there; who needs one again imports it anew."""
    for name in names:
        if name in sys.modules:
            package, _, last = name.rpartition(".")
            del sys.modules[name]
            if hasattr(sys.modules[package], last):
                delattr(sys.modules[package], last)
    gc.collect()  # what they needed lies in pieces between what stays
