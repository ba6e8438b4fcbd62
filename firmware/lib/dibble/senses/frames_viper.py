"""The front end of sound in viper, where MicroPython has native emitters: see frames.py, viper_probe.py.

A 64-bit machine loads a word without its sign: `wide` shifts it to the upper half and back there, and by nothing on a
32-bit one.
"""

import micropython
from micropython import const

# Words of the plan, as in frames_plan.py.
_ROW = const(0)
_ROW_HIGH = const(1)
_SINES_AT = const(2)
_ORDERS_AT = const(3)
_WORDS_AT = const(4)
_BANDS_AT = const(5)
_BANDS_END = const(6)
_SIZE = const(7)
_LOG2 = const(8)
_FIRST = const(9)
_FLOOR = const(10)


@micropython.viper
def levels(p: ptr32, r: ptr16) -> int:
    plan = p
    samples = r
    # The mean, twice; a sample is made positive first, as it loads without its sign.
    i = plan[_SIZE]
    total = 0
    while i:
        total += (r[0] ^ 32768) + (r[1] ^ 32768) + (r[2] ^ 32768) + (r[3] ^ 32768)
        r = ptr16(int(r) + 8)
        i -= 4
    twice = total >> plan[_LOG2] << 1
    # As frames_bytecode.windowed: r a sample and its three fellows.
    half = plan[_SIZE]
    quarter = half >> 1
    words = int(plan) + plan[_WORDS_AT]
    order = ptr16(int(plan) + plan[_ORDERS_AT])
    sine = ptr16(int(plan) + plan[_SINES_AT])
    cosine = ptr16(int(sine) + quarter)
    end = int(cosine)
    r = samples
    used = 0
    while int(sine) < end:
        a = r[0] ^ 32768
        c = ptr16(int(r) + half)[0] ^ 32768
        p = ptr32(words + order[0])
        i = cosine[0]
        x = a - c
        a = a + c - twice
        c = (a << 12) - i * x
        x = (x << 12) - i * a
        p[1] = x
        used = x ^ x >> 30 | used
        r = ptr16(int(r) + quarter)
        a = r[0] ^ 32768
        x = ptr16(int(r) + half)[0] ^ 32768
        i = sine[0]
        y = a - x
        a = a + x - twice
        x = (a << 12) + i * y
        y = (y << 12) + i * a
        p[3] = y
        used = y ^ y >> 30 | used
        a = c + x
        p[0] = a
        used = a ^ a >> 30 | used
        a = c - x
        p[2] = a
        used = a ^ a >> 30 | used
        r = ptr16(int(r) + 2 - quarter)
        sine = ptr16(int(sine) + 2)
        cosine = ptr16(int(cosine) - 2)
        order = ptr16(int(order) + 2)
    i = 20 - plan[_LOG2]
    shift = 0
    while used >> i:
        used >>= 1
        shift += 1
    wide = 1  # not a number that the compiler knows
    wide = wide << 16 << 16 >> 27
    x = shift + wide
    p = ptr32(words)
    end = words + (half << 2)
    while int(p) < end:
        p[0] = p[0] << wide >> x
        p[1] = p[1] << wide >> x
        p[2] = p[2] << wide >> x
        p[3] = p[3] << wide >> x
        p = ptr32(int(p) + 16)
    # As frames_bytecode.transformed: p and r the words `at` and `other`, step and turn in bytes of sines, half, double
    # and k in bytes of words.
    twice = wide + 12
    step = quarter >> 1
    half = 16
    while step > 1:
        double = half << 1
        p = ptr32(words)
        while int(p) < end:
            a = p[0]
            b = ptr32(int(p) + half)[0]
            p[0] = a + b
            ptr32(int(p) + half)[0] = a - b
            p = ptr32(int(p) + double)
        sine = ptr16(int(plan) + plan[_SINES_AT])
        cosine = ptr16(int(sine) + quarter)
        k = 4
        while k < half >> 1:
            sine = ptr16(int(sine) + step)
            cosine = ptr16(int(cosine) - step)
            c = cosine[0]
            s = sine[0]
            p = ptr32(words + k)
            r = ptr16(words + half - k)
            while int(p) < end:
                a = ptr32(int(p) + half)[0]
                b = ptr32(int(r) + half)[0]
                x = a * c - b * s << wide >> twice
                y = b * c + a * s << wide >> twice
                a = p[0]
                b = ptr32(r)[0]
                p[0] = a + x
                ptr32(r)[0] = a - x
                ptr32(int(p) + half)[0] = y - b
                ptr32(int(r) + half)[0] = y + b
                p = ptr32(int(p) + double)
                r = ptr16(int(r) + double)
            k += 4
        half = double
        step >>= 1
    # As frames_bytecode.levels: p and r the words `up` and `down`.
    out = ptr8(plan[_ROW] | plan[_ROW_HIGH] << 16 << 16)
    i = plan[_FIRST] << 2
    p = ptr32(words + i)
    r = ptr16(end - i)
    step = shift * 16 + 48 - plan[_FLOOR]
    bands = int(plan) + plan[_BANDS_AT]
    end = int(plan) + plan[_BANDS_END]
    wide += 30
    rising = 0
    while bands < end:
        i = ptr32(bands)[0]
        c = i >> 8
        i &= 255
        total = 0
        s = 0
        while i:
            a = p[0]
            b = ptr32(r)[0]
            a = (a << twice - 12 >> wide ^ a) & 0x3FFFFFFF
            b = (b << twice - 12 >> wide ^ b) & 0x3FFFFFFF
            if a < b:
                total += b + (3 * a >> 3)
            else:
                total += a + (3 * b >> 3)
            s += total
            p = ptr32(int(p) + 4)
            r = ptr16(int(r) - 4)
            i -= 1
        i = (s >> 12) * c + ((s & 4095) * c >> 12)
        a = rising + i + 16
        rising = total - i
        if bands > int(plan) + plan[_BANDS_AT]:
            b = step
            while a >= 512:
                a >>= 4
                b += 64
            while a >= 32:
                a >>= 1
                b += 16
            a += b
            if a < 0:
                a = 0
            if a > 255:
                a = 255
            out[0] = a
            out = ptr8(int(out) + 1)
        bands += 4
    return 0
