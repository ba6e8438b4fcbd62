"""Runs inside the 32-bit VM: imports what modules.txt names and prints the heap that it keeps.

Nothing that is needed after the collection lies in a C local, where this VM's collector doesn't look.
"""

import gc

folder = __file__[: __file__.rfind("/") + 1]
with open(folder + "modules.txt") as file:
    modules = file.read().split()
gc.collect()
before = gc.mem_alloc()
for name in modules:
    __import__(name)
gc.collect()
print(gc.mem_alloc() - before)
