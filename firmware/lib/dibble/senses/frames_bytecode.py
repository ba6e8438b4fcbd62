"""The front end of sound in plain bytecode, for every interpreter: see frames.py."""

from array import array

from dibble.inference.kernels.generator import started


def frames(spec, sine, reversed_bits):
    """As frames.build: return (f, row).

    Args:
        sine, reversed_bits: of frames.sines and frames.reversed_bits.
    """
    widths = bytes(spec.widths)
    row = bytearray(len(widths) - 1)
    words = array("i", [0] * (1 << spec.log2))
    return started(_frames(spec, widths, sine, reversed_bits, words, row)), row


def _frames(spec, widths, sine, order, words, row):
    log2 = spec.log2
    size = 1 << log2
    first = spec.first
    floor = spec.floor
    while True:
        samples = yield
        shift = windowed(samples, log2, sine, order, words)
        transformed(words, size, sine)
        levels(words, size, first, widths, 16 * shift + 48 - floor, row)


def windowed(samples, log2, sine, order, words):
    """Write the spectrum of each four samples a quarter frame apart, weighted, to `words`; return how they are scaled.

    The weight of sample i is 4096 - c, of i + N/2 4096 + c, of i + N/4 4096 + s, of i + 3 N/4 4096 - s, with the sine
    and cosine of i. The difference of a sample and the mean is within +-65535, and so each sum of two weighted ones
    within 65535 * 8192, and of four within 65535 * 16384 < 2**30.

    Returns:
        the right shift that brings all of `words` below 2**(20 - log2).
    """
    size = 1 << log2
    quarter = size >> 2
    total = 0
    for i in range(size):
        total += samples[i]
    twice = total >> log2 << 1
    used = 0
    for i in range(quarter):
        a = samples[i]
        b = samples[i + quarter]
        c = samples[i + quarter + quarter]
        d = samples[i + size - quarter]
        weight = sine[quarter - i]
        rise = a - c
        a += c - twice
        even = (a << 12) - weight * rise
        rise = (rise << 12) - weight * a
        weight = sine[i]
        fall = b - d
        b += d - twice
        odd = (b << 12) + weight * fall
        fall = (fall << 12) + weight * b
        a = even + odd
        b = even - odd
        i = order[i] << 2
        words[i] = a
        words[i + 1] = rise
        words[i + 2] = b
        words[i + 3] = fall
        used |= (a ^ a >> 30) | (rise ^ rise >> 30) | (b ^ b >> 30) | (fall ^ fall >> 30)
    shift = 0
    while used >> shift >> 20 - log2:
        shift += 1
    for i in range(size):
        words[i] >>= shift
    return shift


def transformed(words, size, sine):
    """Make one spectrum of `words`, which hold that of each four values, in reverse order of bits.

    In each step two spectra of `half` values make one of twice as many. No product of a word, however they lie, is
    above 2**0.5 * 2**(20 - log2) * 2**(log2 - 3) * 4096 = 2**29.5, nor is the sum of two.
    """
    quarter = size >> 2
    half = 4
    while half < size:
        double = half + half
        at = 0
        while at < size:
            a = words[at]
            b = words[at + half]
            words[at] = a + b
            words[at + half] = a - b
            at += double
        step = size // double
        turn = 0
        k = 1
        while k < half >> 1:
            turn += step
            c = sine[quarter - turn]
            s = sine[turn]
            at = k
            other = half - k
            while at < size:
                b = words[at + half]
                d = words[other + half]
                real = b * c - d * s >> 12
                imaginary = d * c + b * s >> 12
                a = words[at]
                b = words[other]
                words[at] = a + real
                words[other] = a - real
                words[at + half] = imaginary - b
                words[other + half] = imaginary + b
                at += double
                other += double
            k += 1
        half = double


def levels(words, size, first, widths, level, row):
    """Write the level of each band to `row`.

    A bin's share in the band that begins at its left is what its right one doesn't have of it: sums of the magnitudes
    and of these sums tell both. Magnitudes are below 2**18.6, and 64 * 65 / 2 of them below 2**30.

    Args:
        level: what is added to 16 log2(sum) - 48, of which each sum is 16 at least.
    """
    up = first
    down = size - first
    band = -1
    rising = 0
    for width in widths:
        total = weighted = 0
        share = 4096 // width
        while width:
            a = words[up]
            b = words[down]
            a ^= a >> 30
            b ^= b >> 30
            if a < b:
                total += b + (3 * a >> 3)
            else:
                total += a + (3 * b >> 3)
            weighted += total
            up += 1
            down -= 1
            width -= 1
        falling = (weighted >> 12) * share + ((weighted & 4095) * share >> 12)
        if band >= 0:
            a = rising + falling + 16
            b = level
            while a >= 512:
                a >>= 4
                b += 64
            while a >= 32:
                a >>= 1
                b += 16
            a += b
            row[band] = 0 if a < 0 else 255 if a > 255 else a
        rising = total - falling
        band += 1
