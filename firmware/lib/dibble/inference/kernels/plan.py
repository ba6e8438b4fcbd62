"""What a kernel in machine code works on: a plan of 32-bit words, made once for a model.

A kernel is given the addresses of its plan and of a row, as numbers: so nothing in bytecode stands between. Tables of
the model file are told as places in it, and all else as places in the plan, in bytes.

What a kernel that classifies returns:

    -1                                       a reading isn't within its range: nothing is decided
    winner | margin << 8 | flags << 25       the decision
    -2 - margin                              the decision, where winner | flags << 25 is what STEADY holds
"""

from array import array

from dibble.inference.kernels.choice import address

# Words at the beginning of each plan that classifies: FILE and FILE_HIGH, the file's address; the least margin that
# isn't unsure; what a decision is that changes nothing but the margin, -1 for none; flags that a row has before it is
# scored.
UNSURE_BELOW, STEADY, FLAGS = 2, 3, 4
HEAD_WORDS = 5
MARGIN_MASK, FLAGS_BIT = 0x1FFFF, 25  # of the margin, shifted down; the place of the flags above it


def aligned(blob):
    """Return the file, where it lies as wide tables need it, or a copy that does."""
    return bytes(blob) if address(blob) & 3 else blob


def place(table, blob):
    """Return where in the file a table lies."""
    return address(table) - address(blob)


def word(value):
    """Return 32 bits as an array("i") holds them."""
    return (value & 0x7FFFFFFF) - (value & 0x80000000)


class Plan(array):
    """Words that a kernel reads, and in which it keeps what it finds. A kernel's own is called with a row.

    Attributes:
        file: the model file; its address is the first two words, lower half first.
    """

    def tell(self, file):
        """Keep the file, which lies where it is as long as it's kept."""
        self.file = file
        at = address(file)
        self[0] = word(at)
        self[1] = word(at >> 32)

    def at(self):
        """Return where the next word will lie."""
        return 4 * len(self)
