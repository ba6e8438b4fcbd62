"""Inside the VM: tracebacks."""

import sys


def print_exception(exc, value=None, tb=None, limit=None, file=None, chain=True):
    sys.print_exception(exc if value is None else value)
