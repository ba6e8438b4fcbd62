"""Values of an ADC of 12 bits to samples of 16, out of a ring."""

from dibble.inference.kernels.choice import KIND

MIDDLE = 32768

if KIND == "bytecode":

    def widen(ring, at, into, count):
        """Write `count` values of `ring`, from `at` on and round its end, to `into`: full scale is full scale again.

        Args:
            ring: array("H") or a memoryview of one; bits beyond 12 are passed over.
            into: memoryview of array("h").
        """
        i = 0
        while i < count:
            if at == len(ring):
                at = 0
            into[i] = (ring[at] & 4095) * 16 - MIDDLE
            at += 1
            i += 1

else:
    from dibble.senses.widen_viper import widen_words

    def widen(ring, at, into, count):
        """As above."""
        widen_words(ring, at | len(ring) << 15, into, count)
