"""What several portable tests share: a heap to lock on every VM, and the same random numbers on each."""

try:
    from micropython import heap_lock, heap_unlock
except ImportError:  # CPython

    def heap_lock():
        pass

    heap_unlock = heap_lock


def in_file(tables, before=b""):
    """Return (file, tables): the tables one after the other in one file, and each as a part of it.

    Machine code is told where in the file a table lies.
    """
    file = before + b"".join(tables)
    try:
        whole = memoryview(file)
    except NameError:  # MicroPython 1.9: slices are copies
        whole = file
    at = len(before)
    found = []
    for table in tables:
        found.append(whole[at : at + len(table)])
        at += len(table)
    return file, found


class Random:
    """A small linear congruential generator that stays within 31 bits."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        """Return an int of 0..limit - 1, limit at most 2**16."""
        self.state = (self.state * 509 + 12345) & 0xFFFFF
        return (self.state >> 4) % limit
