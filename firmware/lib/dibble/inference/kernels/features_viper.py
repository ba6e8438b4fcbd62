"""The kernel of windows in viper, where MicroPython has native emitters: see features_plan.py, viper_probe.py.

No window's arithmetic leaves 31 bits, so a word is told by these: bit 30 is its sign.
"""

import micropython
from micropython import const

_RANGES_END = const(1)
_OFFSETS_AT = const(2)
_RANGES_AT = const(16)


@micropython.viper
def push(p: ptr32, r: ptr32) -> int:
    plan = p
    at = int(plan)
    # Each reading's distance from its low, and whether none is below 0 or beyond its span.
    end = at + plan[_RANGES_END]
    offsets = ptr32(at + plan[_OFFSETS_AT])
    p = ptr32(at + _RANGES_AT)
    bad = 0
    while int(p) < end:
        n = r[0] - p[0]
        offsets[0] = n
        bad = (p[1] - n) | n | bad
        r = ptr32(int(r) + 4)
        offsets = ptr32(int(offsets) + 4)
        p = ptr32(int(p) + 8)
    if (bad >> 30) & 3:
        return -1
    if p[0] == 26 and plan[0] == 0:  # nothing to fill
        p = ptr32(at + p[1])
    i = 0
    while True:
        step = p[0]
        if step == 0:  # LAST
            ptr32(at + p[2])[0] = ptr32(at + p[1])[0]
            p = ptr32(int(p) + 12)
        elif step == 6 or step == 8:  # MEAN, SLOPE
            n = ptr32(at + p[1])[0]
            r = ptr32(at + p[3])
            gone = ptr32(at + p[4] + i)[0]
            value = p[2]
            if step == 6:
                n = r[0] + n - gone
                r[0] = n
                p = ptr32(int(p) + 20)
                n += p[0]
            else:
                gone = r[0] - gone
                ramp = r[1] + n * p[5] - gone
                n += gone
                r[0] = n
                r[1] = ramp
                n = 6 * (2 * ramp - p[5] * n)
                p = ptr32(int(p) + 24)
                n += p[0]
            ptr32(at + value)[0] = n // p[1] + p[4]
            p = ptr32(int(p) + 20)
        elif step == 10:  # STORE
            ptr32(at + p[2] + i)[0] = ptr32(at + p[1])[0]
            p = ptr32(int(p) + 12)
        elif step == 4:  # PLACE
            i = ptr32(at + p[1])[0] << 2
            p = ptr32(int(p) + 8)
        elif step == 12:  # ADVANCE
            i = (i >> 2) + 1
            if i == p[2]:
                i = 0
            ptr32(at + p[1])[0] = i
            i <<= 2
            p = ptr32(int(p) + 12)
        elif step == 2:  # EMA
            r = ptr32(at + p[3])
            n = r[0]
            n += ptr32(at + p[1])[0] - (n >> p[4])
            r[0] = n
            ptr32(at + p[2])[0] = n >> p[4]
            p = ptr32(int(p) + 20)
        elif step == 14:  # DELTA
            ptr32(at + p[2])[0] = ptr32(at + p[1])[0] - ptr32(at + p[3] + i)[0] + p[4]
            p = ptr32(int(p) + 20)
        elif step == 20:  # LOG
            n = ptr32(at + p[1])[0] + p[2]
            value = 10240
            while n >= 2048:
                n >>= 1
                value += 1024
            while n < 1024:
                n <<= 1
                value -= 1024
            n -= 1024
            ptr32(at + p[3])[0] = value + n + ((n * (1024 - n) * 45) >> 17)
            p = ptr32(int(p) + 16)
        elif step == 22:  # RATIO
            n = ptr32(at + p[1])[0] - ptr32(at + p[2])[0] - p[4]
            if (n >> 30) & 1:
                n = 0
            n &= 0x3FFFFFFF
            if n > p[5]:
                n = p[5]
            ptr32(at + p[3])[0] = n
            p = ptr32(int(p) + 24)
        elif step == 24:  # MIDDLE
            value = p[1]
            end = at + p[2]
            p = ptr32(int(p) + 12)
            n = 0
            while int(p) < end:
                n += ptr32(at + p[0])[0]
                p = ptr32(int(p) + 4)
            ptr32(at + value)[0] = (n + p[0]) // p[1] + p[4]
            p = ptr32(int(p) + 20)
        elif step == 26:  # FILL
            end = at + p[1]
            if plan[0]:
                r = ptr32(at + p[2])  # the states
                value = int(r) - plan[_OFFSETS_AT]
                bad = at + p[3]
                p = ptr32(int(p) + 16)
                while int(p) < end:
                    if ptr32(value + p[0])[0]:
                        n = ptr32(at + p[0])[0] * (p[2] >> 8)
                        gone = p[2] & 255
                        words = ptr32(at + p[1])
                        while gone:
                            gone -= 1
                            words[gone] = n
                    p = ptr32(int(p) + 12)
                gone = 0
                while int(r) < bad:
                    n = r[0] >> 1
                    r[0] = n
                    gone |= n
                    r = ptr32(int(r) + 4)
                plan[0] = gone
            p = ptr32(end)
        elif step == 28:  # DONE
            return 0
        else:  # LEAST, MOST
            r = ptr32(at + p[2])
            end = at + p[3]
            n = r[0]
            while int(r) < end:
                gone = r[0]
                if step == 16:
                    if gone < n:
                        n = gone
                elif gone > n:
                    n = gone
                r = ptr32(int(r) + 4)
            ptr32(at + p[1])[0] = n
            p = ptr32(int(p) + 16)
