"""All rounding, and the limits every integer of dibble keeps.

On 32-bit boards a small int has 31 bits, -2**30 .. 2**30 - 1. Anything larger is allocated on
the heap, so readings end one short of that and the exporter proves the rest.
"""

READING_LIMIT = 0x3FFFFFFF  # the largest small int of a 32-bit VM
MISSING = -0x3FFFFFFF - 1  # the smallest: no reading at all


def divide(numerator, denominator):
    """Return the integer nearest to the quotient; halves round toward +infinity.

    Args:
        numerator: int, either sign.
        denominator: positive int.
    Source: floor(n : d + 1 : 2), in integers.
    """
    return (numerator + (denominator >> 1)) // denominator
