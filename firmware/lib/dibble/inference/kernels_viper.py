"""The same kernels as machine code, where MicroPython has native emitters.

Results are those of the bytecode kernels, bit for bit. Viper ints are as wide as the machine's, and a
64-bit one loads through ptr32 without the sign; what is stated there fits 31 bits, so that bits
0..30 tell all of it.

A viper function takes four arguments at most, and asking the VM for an object's address costs more than
handing it one: so a family's is handed the address of the model file, a number, the inputs, and the address
of a plan of 32-bit words. Tables are told as places in the file, and what it works on lies in the plan, too.
Who makes such a function keeps file and plan, as it keeps f.

They are written for what viper makes of them on a Cortex-M0: the first two arguments live in registers,
so these are used for one thing after another, and all other names on the stack; a comparison costs
more than a mask, and a loop as much as what is in it.
"""

from array import array

import micropython
from micropython import const

SCALER_BYTES = 32  # of each code in a plan, the last four of them the code
HEAD = 4  # words at each plan's beginning:
_INPUTS = const(0)
_VALUES_AT = const(1)
_CODES = const(2)
_SCALERS_AT = const(3)


@micropython.viper
def address(of: ptr8) -> int:
    """Return where something lies in memory; nothing that is kept is moved."""
    return int(of)


@micropython.viper
def place(table: ptr8, blob: ptr8) -> int:
    """Return where in the file a table lies."""
    return int(table) - int(blob)


def aligned(blob):
    """Return the file, where it lies as wide tables need it, or a copy that does."""
    return bytes(blob) if address(blob) & 3 else blob


def plan_of(words, low, limits, scalers=()):
    """Return a plan's beginning, and where in it, in bytes, the values and the codes of its inputs lie.

    It is what `front` reads and writes: the words above, then room for a family's own, (low, span) of each
    input, its value, and SCALER_BYTES of each code.

    Args:
        words: how many a family has of its own.
        low, limits: each input's least value, and by how much it may lie above that.
        scalers: see scale.scale.
    """
    plan = array("i", [len(low), 0, len(scalers), 0])
    for _ in range(words):
        plan.append(0)
    for i in range(len(low)):
        plan.append(low[i])
        plan.append(limits[i])
    values = plan[_VALUES_AT] = 4 * len(plan)
    for _ in low:
        plan.append(0)
    codes = plan[_SCALERS_AT] = 4 * len(plan)
    for feature, drop, bias, zero_point, multiplier, shift, top in scalers:
        for word in (values + 4 * feature, drop, bias, zero_point, multiplier, shift, top, 0):
            plan.append(word)
    return plan, values, codes + SCALER_BYTES - 4


def fill(plan, words):
    """Write a family's own words."""
    i = HEAD
    for word in words:
        plan[i] = word
        i += 1


@micropython.viper
def front(p: int, r: int, inputs: ptr32) -> int:
    """Write values and codes to the plan; return 1 where every input is within its range, else 0.

    Args:
        p: address of the plan.
        r: where in it, in bytes, the ranges lie.
    """
    plan = ptr32(p)
    i = plan[_INPUTS]
    values = ptr32(int(plan) + plan[_VALUES_AT])
    p = int(plan) + r
    bad = 0
    while i:
        r = inputs[0] - ptr32(p)[0]
        values[0] = r
        bad = (ptr32(p)[1] - r) | r | bad
        inputs = ptr32(int(inputs) + 4)
        values = ptr32(int(values) + 4)
        p = p + 8
        i -= 1
    if (bad >> 30) & 3:
        return 0
    # As scale.scale.
    p = int(plan) + plan[_SCALERS_AT]
    i = plan[_CODES]
    while i:
        value = ptr32(int(plan) + ptr32(p)[0])[0]
        r = ptr32(p)[2]
        if r:
            r += value
            value = 7
            while r >= 8192:
                r >>= 4
                value += 4
            while r >= 512:
                r >>= 1
                value += 1
            while r < 256:
                r <<= 1
                value -= 1
            r += value << 8
        else:
            r = value >> ptr32(p)[1]
        r = (r - ptr32(p)[3]) * ptr32(p)[4] >> ptr32(p)[5]
        if r >> 31:
            r = 0
        value = ptr32(p)[6]
        if (value - r) >> 31:
            r = value
        ptr32(p)[7] = r
        p = p + 32
        i -= 1
    return 1
