"""a * b / c where a * b doesn't fit a small int of a 32-bit board."""


def proportion(a, b, c):
    """Return the integer nearest to a * b / c; halves round up.

    Args:
        a, b: ints, 0 .. 2**30 - 1.
        c: int, 1 .. 2**28.
    Returns:
        int, which the caller knows to be below 2**30.
    Source: long multiplication, bit by bit of a from the top, with the division carried along.
    """
    whole = b // c
    part = b % c
    quotient = 0
    remainder = 0
    bit = 1 << 29
    while bit:
        # Both stay small: the quotient never exceeds the result, the remainder 3 * (c - 1) < 2**30.
        quotient <<= 1
        remainder <<= 1
        if a & bit:
            quotient += whole
            remainder += part
        while remainder >= c:
            remainder -= c
            quotient += 1
        bit >>= 1
    return quotient + 1 if 2 * remainder >= c else quotient
