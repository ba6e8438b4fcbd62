"""Packed models, bit by bit: codes, differences, parts, and what is said of damaged ones."""

from dibble import ModelError
from dibble.storage.unpack import unpack


def gamma(number):
    text = ""
    while number:
        text = "01"[number & 1] + text
        number >>= 1
    return "0" * (len(text) - 1) + text


def gammas(*numbers):
    return "".join([gamma(number) for number in numbers])


def sealed(data):
    """Return data and its CRC-16, computed bit by bit."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return data + bytes([crc >> 8, crc & 255])


def coded(size, *parts):
    """Return a packed model of `size` bytes from texts of bits."""
    text = "".join(parts)
    body = []
    while text:
        byte = 0
        for i in range(8):
            byte = byte << 1 | (text[i : i + 1] == "1")
        body.append(byte)
        text = text[8:]
    return sealed(b"DIBZ\x01" + bytes([size & 255, size >> 8 & 255, size >> 16]) + bytes(body))


def unpacked(source):
    written = []
    size = unpack(source, written.append)
    data = b"".join(written)
    assert size == len(data)
    return data


def message(packed):
    try:
        unpack(packed, len)
    except ModelError as error:
        return error.args[0]
    return "nothing raised"


# a: 1 bit, b and c: 2 bits; from the first length of 7 down by 6, then up by 1.
ABC = gammas(98, 1, 13, 2, 2)


def two_bits(text):
    return "".join([{"a": "0", "b": "10", "c": "11"}[letter] for letter in text])


def test_stored():
    assert unpacked(sealed(b"DIBZ\x81\x03\x00\x00xyz")) == b"xyz"
    assert unpacked(sealed(b"DIBZ\x81\x00\x00\x00")) == b""


def test_own_code():
    assert unpacked(coded(6, gammas(6, 1), ABC, two_bits("abcaab"))) == b"abcaab"


def test_values_without_code_lie_between():
    # x and z: 1 bit, nothing for y.
    code = gammas(121, 1, 13, 1, 1, 1, 1)
    assert unpacked(coded(3, gammas(3, 1), code, "010")) == b"xzx"


def test_codes_of_15_bits():
    # Value 1 has 1 bit, ... 14 has 14 bits, 15 and 16 have 15: the longest codes there are.
    code = gammas(2, 1, 13)
    for _ in range(13):
        code += gammas(1, 2)
    code += gammas(2, 2)
    data = ""
    for value in range(1, 16):
        data += "1" * (value - 1) + "0"
    assert unpacked(coded(18, gammas(18, 1), code, data, "1" * 15, "0", "1" * 15)) == bytes(range(1, 17)) + b"\1\x10"


def test_all_values_with_8_bits():
    code = gammas(1, 256, 2)
    assert unpacked(coded(3, gammas(3, 1), code, "000000001111111101000001")) == b"\x00\xffA"


def test_differences_to_bytes_before():
    # 0, 1, 255 in 1, 2, 2 bits.
    code = gammas(1, 1, 13, 1, 2, 253, 1, 1, 1)
    assert unpacked(coded(6, gammas(6, 2), code, "10" + "10" + "0" + "11" * 3)) == b"\1\2\2\1\0\xff"
    assert unpacked(coded(6, gammas(6, 3), code, "10" + "0" + "10" + "11" + "10" + "0")) == b"\1\0\2\xff\3\xff"


def test_differences_reach_into_the_part_before():
    code = gammas(1, 2, 13)  # 0 and 1
    packed = coded(5, gammas(3, 1), ABC, two_bits("abc"), gammas(2, 4), code, "01")
    assert unpacked(packed) == b"abcac"


def test_differences_reach_64_bytes():
    code = gammas(1, 2, 13)
    packed = coded(67, gammas(3, 1), ABC, two_bits("abc"), gammas(64, 65), code, "1" * 61, "000")
    assert unpacked(packed) == b"abc" + b"\1" * 61 + b"abc"


def test_each_part_has_its_own_code():
    code = gammas(121, 2, 13)  # x and y
    packed = coded(5, gammas(2, 1), ABC, two_bits("ca"), gammas(2, 1), code, "10", gammas(1, 1), ABC, two_bits("b"))
    assert unpacked(packed) == b"cayxb"


def test_blocks_of_output_and_input():
    for size in (63, 64, 65, 128, 200):
        letters = ("cab" * 67)[:size]
        packed = coded(size, gammas(size, 1), ABC, two_bits(letters))
        assert unpacked(packed) == letters.encode()
        assert unpacked(File(packed)) == letters.encode()


class File:
    """Gives fewer bytes than asked for, as files may."""

    def __init__(self, data):
        self.data = data

    def read(self, size):
        assert 0 < size <= 64
        got = self.data[:7]
        self.data = self.data[7:]
        return got


def test_another_file():
    assert message(b"DIBL\x01\x00\x00\x00") == "expected a packed model that starts with b'DIBZ', got b'DIBL'"
    assert message(sealed(b"DIBZ\x02\x00\x00\x00")) == "expected packing 1 or 129, got 2: update the firmware"


def test_cut_short():
    short = "expected more of the packed model, got its end: cut short, receive it again"
    packed = coded(6, gammas(6, 1), ABC, two_bits("abcaab"))
    for size in range(len(packed)):
        assert message(packed[:size]) == short, size
        assert message(File(packed[:size])) == short, size


def test_more_behind_the_end():
    packed = coded(6, gammas(6, 1), ABC, two_bits("abcaab"))
    assert message(packed + b"\0") == "expected the packed model's end, got more bytes: receive it again"


def test_every_flipped_bit_is_told_and_no_more_is_written_than_stated():
    packed = bytearray(coded(6, gammas(6, 1), ABC, two_bits("abcaab")))
    for i in range(8 * len(packed)):
        packed[i >> 3] ^= 1 << (i & 7)
        written = []
        try:
            unpack(packed, written.append)
            told = False
        except ModelError:
            told = True
        assert told, i
        assert sum([len(piece) for piece in written]) <= packed[5] + (packed[6] << 8) + (packed[7] << 16)
        packed[i >> 3] ^= 1 << (i & 7)


def test_whole_but_senseless():
    cases = (
        ("a part to byte 7 with differences to 0 before", gammas(7, 1)),
        ("a part to byte 6 with differences to 65 before", gammas(6, 66)),
        ("257 symbols of 7 bits", gammas(6, 1, 257, 1, 1)),
        ("65790 symbols of 7 bits", gammas(6, 1, 256, 65535, 1)),
        ("1 symbols of 16 bits", gammas(6, 1, 1, 1, 18)),
        ("1 symbols of 0 bits", gammas(6, 1, 1, 1, 15)),
        ("1 symbols of -32760 bits", gammas(6, 1, 1, 1, 65535)),
        ("more codes than there are", gammas(6, 1, 1, 3, 13)),
    )
    for told, bits in cases:
        expected = "expected a packed model that fits together, got %s: receive it again" % told
        assert message(coded(6, bits, "0" * 40)) == expected, told
    expected = "expected a number of at most 16 bits, got more: receive it again"
    assert message(coded(6, "0" * 40)) == expected
