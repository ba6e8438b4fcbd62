"""The same kernels as machine code, where MicroPython has native emitters.

Results are those of the bytecode kernels, bit for bit. Viper ints are as wide as the machine's, and a
64-bit one loads through ptr32 without the sign; what is stated there fits 31 bits, so that bits
0..30 tell all of it.

A viper function takes four arguments at most, and asks the VM for the address of each: so a family's
is handed the model file, the number of inputs, the inputs, and a plan of 32-bit words. Tables are told
as places in the file, and what the function works on lies in the plan, too.

They are written for what viper makes of them on a Cortex-M0: the first two arguments live in registers,
so these are used for one thing after another, and all other names on the stack; a comparison costs
more than a mask, and a loop as much as what is in it.
"""

from array import array

import micropython
from micropython import const

_SCALER_BYTES = const(32)  # of each code in a plan, the last four of them the code


@micropython.viper
def place(table: ptr8, blob: ptr8) -> int:
    """Return where in the file a table lies."""
    return int(table) - int(blob)


def aligned(blob):
    """Return the file, where it lies as wide tables need it, or a copy that does."""
    return bytes(blob) if place(blob, 0) & 3 else blob


def plan_of(head, low, limits):
    """Return a plan: `head` words, then (low, span) of each input, then room for what lies above its low.

    Returns:
        array("i"), and where in it, in bytes, these values lie.
    """
    plan = array("i", [0] * head)
    for i in range(len(low)):
        plan.append(low[i])
        plan.append(limits[i])
    values = 4 * len(plan)
    for _ in low:
        plan.append(0)
    return plan, values


def fill(plan, head):
    """Write the plan's first words."""
    for i in range(len(head)):
        plan[i] = head[i]


@micropython.viper
def inside(p: ptr8, r: int, inputs: ptr32, values: ptr32) -> int:
    """Write what lies above each input's low to the values; return 1 where none is below it or beyond its span.

    Args:
        p: the plan from its ranges on.
        r: number of inputs.
        values: the plan from its values on.
    """
    i = r
    bad = 0
    while i:
        r = inputs[0] - ptr32(p)[0]
        values[0] = r
        bad = (ptr32(p)[1] - r) | r | bad
        inputs = ptr32(int(inputs) + 4)
        values = ptr32(int(values) + 4)
        p = ptr8(int(p) + 8)
        i -= 1
    return 0 if (bad >> 30) & 3 else 1


def append_scalers(plan, scalers, values):
    """Append _SCALER_BYTES of each code to a plan, as `encode` reads them.

    Args:
        scalers: see scale.scale.
        values: where in the plan, in bytes, the inputs' values lie.
    """
    for feature, drop, bias, zero_point, multiplier, shift, top in scalers:
        for word in (values + 4 * feature, drop, bias, zero_point, multiplier, shift, top, 0):
            plan.append(word)


def judging(judge, blob, plan, inputs, values, scalers, codes):
    """Return a generator that for each row of inputs writes values and codes to the plan, and yields judge's answer.

    Args:
        judge: viper's judge(file, 0, plan).
        inputs, codes: how many.
        values, scalers: where in the plan they begin, in bytes.
    """
    view = memoryview(plan)
    ranges = view[(values >> 2) - 2 * inputs :]
    above = view[values >> 2 :]
    found = -1
    while True:
        row = yield found
        found = -1
        if inside(ranges, inputs, row, above):
            encode(plan, codes, scalers)
            found = judge(blob, 0, plan)


@micropython.viper
def encode(p: ptr8, r: int, scalers: int):
    """Squeeze values to 8-bit codes, as scale.scale does.

    Args:
        p: the plan.
        r: how many codes.
        scalers: where in the plan theirs begin, in bytes.
    """
    plan = int(p)
    i = r
    p = ptr8(plan + scalers)
    while i:
        value = ptr32(plan + ptr32(p)[0])[0]
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
        p = ptr8(int(p) + _SCALER_BYTES)
        i -= 1
