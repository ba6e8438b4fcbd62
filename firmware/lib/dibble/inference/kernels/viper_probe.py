"""Where MicroPython has native emitters: there the families' kernels are written in viper, too.

Results are those of the bytecode kernels, bit for bit. Viper ints are as wide as the machine's, and a
64-bit one loads through ptr32 without the sign; what is stated there fits 31 bits, so that bits
0..30 tell all of it.

They are written for what viper makes of them on a Cortex-M0: the two arguments live in registers,
so these are used for one thing after another, and all other names on the stack; a comparison costs
more than a mask, and a loop as much as what is in it.
"""

import micropython


@micropython.viper
def address(of: ptr8) -> int:
    """Return where something lies in memory; nothing that is kept is moved."""
    return int(of)
