"""The additive family's kernel as machine code, where MicroPython has it; results are additive_bytecode's."""

import micropython


@micropython.viper
def additive_scores(codes: ptr8, groups, scores: ptr16):
    """As additive_bytecode.additive_scores."""
    for first, held, bits, start, singles, pairs in groups:
        total = int(start)
        left = int(held)
        # Two loops, as a pointer's width is fixed where it is made.
        if left == 1:
            for code, table in singles:
                total += ptr8(table)[codes[int(code)]]
            for a, drop_a, n, b, drop_b, table in pairs:
                row = codes[int(a)] >> int(drop_a)
                total += ptr8(table)[row * int(n) + (codes[int(b)] >> int(drop_b))]
        else:
            for code, table in singles:
                total += ptr32(table)[codes[int(code)]]
            for a, drop_a, n, b, drop_b, table in pairs:
                row = codes[int(a)] >> int(drop_a)
                total += ptr32(table)[row * int(n) + (codes[int(b)] >> int(drop_b))]
        at = int(first)
        if left == 1:
            scores[at] = total
        else:
            mask = (1 << int(bits)) - 1
            while left:
                scores[at] = total & mask
                total >>= int(bits)
                at += 1
                left -= 1
