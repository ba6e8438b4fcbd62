"""The additive family's kernel as machine code, where MicroPython has native emitters: see kernels_viper.py."""

import micropython
from micropython import const

from dibble.inference.kernels_viper import append_scalers, fill, judging, place, plan_of
from dibble.inference.started import started

# Words of the plan. AT: where in the plan, in bytes, something lies.
_TERMS = const(0)
_TERMS_AT = const(1)
_CLASSES = const(2)
_SCORES_AT = const(3)
_BASE_AT = const(4)
_SCALER_BYTES = const(32)  # see kernels_viper.append_scalers
_HEAD = const(5)
# Bytes of a term: where its codes lie in the plan, their shifts, cells of a row, cells, where its
# first table lies in the file, and room for where its cell does.
_TERM_BYTES = const(32)
_AWAY = const(31)  # shifts a code away


def additive(blob, parts, low, limits):
    """As additive_bytecode.additive, but for inputs within their ranges: returns (f(inputs), scores).

    Args:
        low, limits: each input's least value, and by how much it may lie above that.
    f returns:
        -1 where an input, of an array("i"), isn't within its range.
    """
    scalers, singles, pairs, tables, _, base = parts
    plan, values = plan_of(_HEAD, low, limits)
    scalers_at = 4 * len(plan)
    append_scalers(plan, scalers, values)
    terms_at = 4 * len(plan)
    terms = [(i, 0, 1, i, _AWAY) for i in singles] + pairs
    codes = scalers_at + _SCALER_BYTES - 4
    for i in range(len(terms)):
        a, drop_a, n, b, drop_b = terms[i]
        size = len(tables[i][0]) if tables[i] else 0
        start = place(tables[i][0], blob) if tables[i] else 0
        for word in (codes + _SCALER_BYTES * a, codes + _SCALER_BYTES * b, drop_a, drop_b, n, size, start, 0):
            plan.append(word)
    base_at = 4 * len(plan)
    for score in base:
        plan.append(score)
    scores = len(plan)
    for score in base:
        plan.append(score)
    fill(plan, (len(terms), terms_at, len(base), 4 * scores, base_at))
    run = judging(_additive, blob, plan, len(low), values, scalers_at, len(scalers))
    return started(run), memoryview(plan)[scores:]


@micropython.viper
def _additive(p: ptr8, r: int, plan: ptr32) -> int:
    file = int(p)
    p = ptr8(int(plan) + plan[_TERMS_AT])
    i = plan[_TERMS]
    while i:
        r = ptr32(int(plan) + ptr32(p)[0])[0] >> ptr32(p)[2]
        r *= ptr32(p)[4]
        r += ptr32(int(plan) + ptr32(p)[1])[0] >> ptr32(p)[3]
        ptr32(p)[7] = ptr32(p)[6] + r
        p = ptr8(int(p) + _TERM_BYTES)
        i -= 1
    base = ptr32(int(plan) + plan[_BASE_AT])
    scores = ptr32(int(plan) + plan[_SCORES_AT])
    best = -1
    second = -1
    winner = 0
    k = 0
    while k < plan[_CLASSES]:
        r = base[k]
        if k:
            p = ptr8(int(plan) + plan[_TERMS_AT])
            i = plan[_TERMS]
            while i:
                cell = ptr32(p)[7]
                r += ptr8(file)[cell]
                ptr32(p)[7] = cell + ptr32(p)[5]
                p = ptr8(int(p) + _TERM_BYTES)
                i -= 1
        scores[k] = r
        if (best - r) >> 31:
            second = best
            best = r
            winner = k
        elif (second - r) >> 31:
            second = r
        k += 1
    return winner | ((best - second) << 8)
