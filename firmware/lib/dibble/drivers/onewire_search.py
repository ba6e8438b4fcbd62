"""Who is on a 1-Wire bus: asked only where something is wrong, to say it."""


def search(wire, most):
    """Return the ROMs, 8 bytes each, of the devices on a bus, `most` at most.

    Each device answers with a bit of its ROM and its complement, and leaves the search where the bit that is written
    back isn't its own. Where both answers are 0 some have a 0 and some a 1: next time the other way is taken.

    Args:
        wire: has reset(), write(), read_bit() and write_bit().
    Source: Maxim's application note 187.
    """
    found = []
    rom = bytearray(8)
    turn = -1  # the bit at which this turn leaves the last one's way
    while len(found) < most and wire.reset():
        wire.write(0xF0)
        next_turn = -1
        for i in range(64):
            zero = not wire.read_bit()  # one that has a 0 pulls the line down
            one = not wire.read_bit()  # and in the complement one that has a 1
            if not zero and not one:
                return found  # nobody answers
            bit = one
            if zero and one:
                bit = i == turn or i < turn and bool(rom[i >> 3] >> (i & 7) & 1)
                if not bit:
                    next_turn = i
            wire.write_bit(bit)
            mask = 1 << (i & 7)
            rom[i >> 3] = rom[i >> 3] & ~mask & 255 | (mask if bit else 0)
        found.append(bytes(rom))
        turn = next_turn
        if turn < 0:
            break
    return found
