"""What takes odd rows in viper, where MicroPython has native emitters: see rows_plan.py."""

import micropython
from micropython import const

_BOX = const(0)
_LIST = const(2)
_TUPLE = const(4)
_ARRAY = const(6)
_NONE = const(8)
_CHANNELS = const(10)
_MISSING = const(11)
_RANGES_AT = const(12)
_OUT_AT = const(52)


@micropython.viper
def take(p: ptr32, r: ptr32) -> int:
    plan = p
    # A word of an object is as wide as an int here: where that has 32 bits, two halves leave nothing.
    size = 4
    wide = 1
    wide = wide << 16
    wide = wide << 16
    if wide:
        size = 8
    n = plan[_BOX]
    if wide:
        n |= plan[_BOX + 1] << 16 << 16
    n += 3 * size
    p = ptr32(n)
    n = p[0]
    if wide:
        n |= p[1] << 16 << 16
    p = ptr32(n)
    at = p[0]  # of the object
    if wide:
        at |= p[1] << 16 << 16
    if at & 3:
        return 1
    p = ptr32(at)
    n = p[0]
    high = p[1] if wide else 0
    channels = plan[_CHANNELS]
    count = ptr32(at + 2 * size)[0]
    items = ptr32(at + 3 * size)[0]
    if wide:
        items |= ptr32(at + 3 * size)[1] << 16 << 16
    if n == plan[_ARRAY] and (wide == 0 or high == plan[_ARRAY + 1]):
        if count != channels:
            return 1
        n = ptr32(at + size)[0] & 255  # the character that tells what its items are
        p = ptr32(items)
        if n == 105 or (n == 108 and wide == 0):  # i, l
            while channels:
                r[0] = p[0]
                p = ptr32(int(p) + 4)
                r = ptr32(int(r) + 4)
                channels -= 1
        elif n == 104 or n == 72:  # h, H
            high = 32768 if n == 104 else 0
            while channels:
                r[0] = (ptr16(p)[0] ^ high) - high
                p = ptr32(int(p) + 2)
                r = ptr32(int(r) + 4)
                channels -= 1
        elif n == 98 or n == 66:  # b, B
            high = 128 if n == 98 else 0
            while channels:
                r[0] = (ptr8(p)[0] ^ high) - high
                p = ptr32(int(p) + 1)
                r = ptr32(int(r) + 4)
                channels -= 1
        return channels
    if n == plan[_TUPLE] and (wide == 0 or high == plan[_TUPLE + 1]):
        count = ptr32(at + size)[0]
        items = at + 2 * size
    elif n != plan[_LIST] or (wide and high != plan[_LIST + 1]):
        return 1
    if count != channels:
        return 1
    # A small int ends in a 1, and is what is before it: of 64 bits it has to be one of 31, too.
    p = ptr32(items)
    high = plan[_NONE]
    while channels:
        n = p[0]
        if n & 1:
            if wide:
                n = (n | p[1] << 16 << 16) >> 1
                if (n + 0x20000000 + 0x20000000) >> 31:
                    return 1
                r[0] = n
            else:
                r[0] = n >> 1
        elif n == high and (wide == 0 or p[1] == plan[_NONE + 1]):
            r[0] = plan[_MISSING]
        else:
            return 1
        p = ptr32(int(p) + size)
        r = ptr32(int(r) + 4)
        channels -= 1
    return 0


@micropython.viper
def hold(p: ptr32, r: ptr32, states: int) -> int:
    out = ptr32(int(p) + _OUT_AT)
    p = ptr32(int(p) + p[_RANGES_AT])
    end = int(p)
    missing = beyond = 0
    channel = 256
    while int(out) < end:
        low = p[0]
        n = r[0] - low
        if ((p[1] - n | n) >> 30) & 3:
            n = r[0]
            if n & 0x3FFFFFFF == 0 and (n >> 30) & 3 == 3:
                if missing == 0:
                    missing = channel | 4
                n = p[2]
                if n:
                    n -= 1
                else:
                    missing |= 128
                if states:
                    ptr32(states)[0] = 2
            else:
                if beyond == 0:
                    beyond = channel | 2
                # Whether it is less, by the signs of both, or of their difference where these are the same.
                n = (n & (low ^ -1)) | ((n ^ low ^ -1) & (n - low))
                n = 0 if (n >> 31) & 1 else p[1]
        out[0] = low + n
        out = ptr32(int(out) + 4)
        r = ptr32(int(r) + 4)
        p = ptr32(int(p) + 12)
        channel += 256
        if states:
            states += 4
    if missing:
        return missing | (beyond & 2)
    return beyond
