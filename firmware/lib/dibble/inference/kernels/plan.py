"""What a kernel in machine code works on: a plan of 32-bit words, made once for a model.

A plan is the kernel's `self`, and so the VM hands it the address of plan and row, without a function in bytecode
between. Tables of the model file are told as places in it, and all else as places in the plan, in bytes.
"""

from array import array

from dibble.inference.kernels.choice import address


def aligned(blob):
    """Return the file, where it lies as wide tables need it, or a copy that does."""
    return bytes(blob) if address(blob) & 3 else blob


def place(table, blob):
    """Return where in the file a table lies."""
    return address(table) - address(blob)


class Plan(array):
    """Words that a kernel reads, and in which it keeps what it finds.

    Attributes:
        file: the model file; its address is the first two words, lower half first.
    """

    def tell(self, file):
        """Keep the file, which lies where it is as long as it's kept."""
        self.file = file
        at = address(file)
        for i in range(2):
            self[i] = (at & 0x7FFFFFFF) - (at & 0x80000000)
            at >>= 32

    def at(self):
        """Return where the next word will lie."""
        return 4 * len(self)
