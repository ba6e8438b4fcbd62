"""The binary logarithm in thousandths of a doubling, in small ints."""

FRACTION_BITS = 12


def millilog2(n):
    """Return 1000 * log2(n) for 1 <= n < 2**30, less than 1 off; exact at powers of two, and never falling.

    The mantissa keeps 15 bits, 2**14 <= m < 2**15. Squaring it doubles its logarithm: where the square
    reaches 2, the next bit of the fraction is 1. Every step cuts bits off and none is added, so a
    larger n never has a smaller logarithm. m * m < 2**30.
    """
    exponent = 0
    while n >> exponent > 1:
        exponent += 1
    mantissa = n << 14 - exponent if exponent < 14 else n >> exponent - 14
    fraction = 0
    for _ in range(FRACTION_BITS):
        mantissa = mantissa * mantissa >> 14
        fraction <<= 1
        if mantissa >> 15:
            mantissa >>= 1
            fraction += 1
    return exponent * 1000 + (fraction * 1000 + (1 << FRACTION_BITS - 1) >> FRACTION_BITS)
