"""SHA-256 for runtimes without one: each word in two halves of 16 bits, so that no VM needs a long int for it.

A sum of five halves stays below 2**19, a shifted half below 2**16 as its bits are masked before. Source: FIPS 180-4.
"""

from array import array

_BLOCK_BYTES = 64
# Sections 4.2.2 and 5.3.3: the first 64 primes' cube roots, 32 bits after the point; the first 8 ones' square roots.
# fmt: off
_CONSTANTS = array("H", [
    0x428A, 0x2F98, 0x7137, 0x4491, 0xB5C0, 0xFBCF, 0xE9B5, 0xDBA5,
    0x3956, 0xC25B, 0x59F1, 0x11F1, 0x923F, 0x82A4, 0xAB1C, 0x5ED5,
    0xD807, 0xAA98, 0x1283, 0x5B01, 0x2431, 0x85BE, 0x550C, 0x7DC3,
    0x72BE, 0x5D74, 0x80DE, 0xB1FE, 0x9BDC, 0x06A7, 0xC19B, 0xF174,
    0xE49B, 0x69C1, 0xEFBE, 0x4786, 0x0FC1, 0x9DC6, 0x240C, 0xA1CC,
    0x2DE9, 0x2C6F, 0x4A74, 0x84AA, 0x5CB0, 0xA9DC, 0x76F9, 0x88DA,
    0x983E, 0x5152, 0xA831, 0xC66D, 0xB003, 0x27C8, 0xBF59, 0x7FC7,
    0xC6E0, 0x0BF3, 0xD5A7, 0x9147, 0x06CA, 0x6351, 0x1429, 0x2967,
    0x27B7, 0x0A85, 0x2E1B, 0x2138, 0x4D2C, 0x6DFC, 0x5338, 0x0D13,
    0x650A, 0x7354, 0x766A, 0x0ABB, 0x81C2, 0xC92E, 0x9272, 0x2C85,
    0xA2BF, 0xE8A1, 0xA81A, 0x664B, 0xC24B, 0x8B70, 0xC76C, 0x51A3,
    0xD192, 0xE819, 0xD699, 0x0624, 0xF40E, 0x3585, 0x106A, 0xA070,
    0x19A4, 0xC116, 0x1E37, 0x6C08, 0x2748, 0x774C, 0x34B0, 0xBCB5,
    0x391C, 0x0CB3, 0x4ED8, 0xAA4A, 0x5B9C, 0xCA4F, 0x682E, 0x6FF3,
    0x748F, 0x82EE, 0x78A5, 0x636F, 0x84C8, 0x7814, 0x8CC7, 0x0208,
    0x90BE, 0xFFFA, 0xA450, 0x6CEB, 0xBEF9, 0xA3F7, 0xC671, 0x78F2,
])
_START = array("H", [
    0x6A09, 0xE667, 0xBB67, 0xAE85, 0x3C6E, 0xF372, 0xA54F, 0xF53A,
    0x510E, 0x527F, 0x9B05, 0x688C, 0x1F83, 0xD9AB, 0x5BE0, 0xCD19,
])
# fmt: on


class Sha256:
    """A SHA-256 that grows, as hashlib's does.

    Args:
        data: its first bytes.
    """

    def __init__(self, data=b""):
        self._state = array("H", _START)
        self._words = array("H", bytes(256))  # two halves of each of 64
        self._rest = b""
        self._size = 0
        self.update(data)

    def update(self, data):
        """Take more bytes, at most 2**26 altogether: their bits are a small int."""
        self._size += len(data)
        data = self._rest + bytes(data)
        at = 0
        while len(data) - at >= _BLOCK_BYTES:
            self._take(data, at)
            at += _BLOCK_BYTES
        self._rest = data[at:]

    def digest(self):
        """Return the 32 bytes; nothing can be added afterwards."""
        bits = self._size * 8
        zeros = (55 - self._size) % _BLOCK_BYTES
        end = bytes((bits >> 24 & 255, bits >> 16 & 255, bits >> 8 & 255, bits & 255))
        self.update(b"\x80" + bytes(zeros + 4) + end)
        out = bytearray()
        for half in self._state:
            out.append(half >> 8)
            out.append(half & 255)
        return bytes(out)

    def _take(self, data, at):
        """Take a block. Source: section 6.2.2; "_h" and "_l" are the halves of a word."""
        words = self._words
        for i in range(32):
            words[i] = data[at + 2 * i] << 8 | data[at + 2 * i + 1]
        for i in range(32, 128, 2):
            x_h, x_l = words[i - 30], words[i - 29]
            # σ0: rotations by 7 and 18, shift by 3
            s_h = (x_h >> 7 | (x_l & 127) << 9) ^ (x_l >> 2 | (x_h & 3) << 14) ^ x_h >> 3
            s_l = (x_l >> 7 | (x_h & 127) << 9) ^ (x_h >> 2 | (x_l & 3) << 14) ^ (x_l >> 3 | (x_h & 7) << 13)
            x_h, x_l = words[i - 4], words[i - 3]
            # σ1: rotations by 17 and 19, shift by 10
            t_h = (x_l >> 1 | (x_h & 1) << 15) ^ (x_l >> 3 | (x_h & 7) << 13) ^ x_h >> 10
            t_l = (x_h >> 1 | (x_l & 1) << 15) ^ (x_h >> 3 | (x_l & 7) << 13) ^ (x_l >> 10 | (x_h & 1023) << 6)
            low = words[i - 31] + s_l + words[i - 13] + t_l
            words[i + 1] = low & 0xFFFF
            words[i] = words[i - 32] + s_h + words[i - 14] + t_h + (low >> 16) & 0xFFFF
        constants = _CONSTANTS
        state = self._state
        a_h, a_l, b_h, b_l, c_h, c_l, d_h, d_l, e_h, e_l, f_h, f_l, g_h, g_l, h_h, h_l = state
        for i in range(0, 128, 2):
            # Σ1: rotations by 6, 11, 25; then the choice of f or g by e
            s_h = (e_h >> 6 | (e_l & 63) << 10) ^ (e_h >> 11 | (e_l & 2047) << 5) ^ (e_l >> 9 | (e_h & 511) << 7)
            s_l = (e_l >> 6 | (e_h & 63) << 10) ^ (e_l >> 11 | (e_h & 2047) << 5) ^ (e_h >> 9 | (e_l & 511) << 7)
            low = h_l + s_l + (g_l ^ e_l & (f_l ^ g_l)) + constants[i + 1] + words[i + 1]
            high = h_h + s_h + (g_h ^ e_h & (f_h ^ g_h)) + constants[i] + words[i] + (low >> 16) & 0xFFFF
            low &= 0xFFFF
            # Σ0: rotations by 2, 13, 22; then the majority of a, b, c
            s_h = (a_h >> 2 | (a_l & 3) << 14) ^ (a_h >> 13 | (a_l & 8191) << 3) ^ (a_l >> 6 | (a_h & 63) << 10)
            s_l = (a_l >> 2 | (a_h & 3) << 14) ^ (a_l >> 13 | (a_h & 8191) << 3) ^ (a_h >> 6 | (a_l & 63) << 10)
            t_l = s_l + (a_l & b_l | c_l & (a_l | b_l)) + low
            t_h = s_h + (a_h & b_h | c_h & (a_h | b_h)) + high + (t_l >> 16) & 0xFFFF
            t_l &= 0xFFFF
            h_h, h_l, g_h, g_l, f_h, f_l = g_h, g_l, f_h, f_l, e_h, e_l
            e_l = d_l + low
            e_h = d_h + high + (e_l >> 16) & 0xFFFF
            e_l &= 0xFFFF
            d_h, d_l, c_h, c_l, b_h, b_l, a_h, a_l = c_h, c_l, b_h, b_l, a_h, a_l, t_h, t_l
        new = (a_h, a_l, b_h, b_l, c_h, c_l, d_h, d_l, e_h, e_l, f_h, f_l, g_h, g_l, h_h, h_l)
        for i in range(0, 16, 2):
            low = state[i + 1] + new[i + 1]
            state[i + 1] = low & 0xFFFF
            state[i] = state[i] + new[i] + (low >> 16) & 0xFFFF
