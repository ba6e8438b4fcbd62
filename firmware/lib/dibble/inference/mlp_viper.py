"""The mlp family's kernels as machine code, where MicroPython has native emitters; results are mlp_bytecode's.

A sum is within -2**30..2**30 - 1, so bits 0..30 tell all of it, whatever the width of an int and
whether loads through ptr32 bring the sign (those of a 64-bit VM don't).
"""

import micropython
from micropython import const

_SMALL = const(0x3FFFFFFF)  # the low 30 bits


@micropython.viper
def dense(x, layer, out, first: int, top: int):
    """As mlp_bytecode.dense."""
    biases = ptr32(layer[1])
    shifts = ptr8(layer[2])
    zero_point = int(layer[3])
    inputs = ptr8(x)
    count = int(len(x)) - 1
    excess = 0
    i = count
    while i:
        i -= 1
        excess += inputs[i]
    excess *= zero_point
    k = 0
    for row in layer[0]:
        total = biases[k] - excess
        i = count
        if zero_point == 128:
            narrow = ptr8(row)
            while i:
                i -= 1
                total += narrow[i] * inputs[i]
        else:
            wide = ptr16(row)
            while i:
                i -= 1
                total += wide[i] * inputs[i]
        if (total >> 30) & 1:
            total = 0
        total = (total & _SMALL) >> shifts[k]
        if total > top:
            total = top
        if top == 255:
            ptr8(out)[first + k] = total
        else:
            ptr16(out)[first + k] = total
        k += 1


@micropython.viper
def sparse(x: ptr8, layer, out, first: int, top: int):
    """As mlp_bytecode.sparse."""
    biases = ptr32(layer[1])
    shifts = ptr8(layer[2])
    k = 0
    for inputs, row in layer[0]:
        total = biases[k]
        at = ptr8(inputs)
        weights = ptr8(row)
        j = int(len(row))
        while j:
            j -= 1
            total += (weights[j] - 128) * x[at[j]]
        if (total >> 30) & 1:
            total = 0
        total = (total & _SMALL) >> shifts[k]
        if total > top:
            total = top
        if top == 255:
            ptr8(out)[first + k] = total
        else:
            ptr16(out)[first + k] = total
        k += 1


@micropython.viper
def codebook(x, layer, out, first: int, top: int):
    """As mlp_bytecode.codebook."""
    biases = ptr32(layer[1])
    shifts = ptr8(layer[2])
    book = ptr8(layer[3])
    inputs = ptr8(x)
    count = int(len(x)) - 1
    excess = 0
    i = count
    while i:
        i -= 1
        excess += inputs[i]
    excess *= 128
    count = (count + 1) >> 1  # an odd row's last place meets the zero behind the inputs
    k = 0
    for row in layer[0]:
        total = biases[k] - excess
        places = ptr8(row)
        i = count
        while i:
            i -= 1
            pair = places[i]
            total += book[pair >> 4] * inputs[2 * i] + book[pair & 15] * inputs[2 * i + 1]
        if (total >> 30) & 1:
            total = 0
        total = (total & _SMALL) >> shifts[k]
        if total > top:
            total = top
        if top == 255:
            ptr8(out)[first + k] = total
        else:
            ptr16(out)[first + k] = total
        k += 1
