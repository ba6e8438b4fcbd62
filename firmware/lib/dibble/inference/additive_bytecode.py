"""Kernel of the additive family in plain bytecode, for every interpreter. It allocates nothing."""


def additive_scores(codes, groups, scores):
    """Write the scores of all classes but the first.

    Args:
        codes: bytearray, one code a scaler.
        groups: for each group of classes (first class, classes, bits of each in the sum, sum to
            start from, (code, table) of each single, (code a, shift, n, code b, shift, table) of
            each pair); the sums stay small ints, as no class's can reach 2**bits.
        scores: array("H"), one a class.
    """
    for first, held, bits, total, singles, pairs in groups:
        for i, table in singles:
            total += table[codes[i]]
        for a, drop_a, n, b, drop_b, table in pairs:
            total += table[(codes[a] >> drop_a) * n + (codes[b] >> drop_b)]
        if held == 1:
            scores[first] = total
        else:
            mask = (1 << bits) - 1
            scores[first] = total & mask
            total >>= bits
            if held == 3:
                scores[first + 2] = total >> bits
                total &= mask
            scores[first + 1] = total
