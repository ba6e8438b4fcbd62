"""CRC-32 against published values, in halves."""

from dibble.inference.crc32 import crc32


def test_check_value_of_the_catalogue():
    assert crc32(b"123456789", 9) == (0xCBF4, 0x3926)


def test_nothing_has_crc_zero():
    assert crc32(b"", 0) == (0, 0)


def test_known_values():
    # RFC 3720 has the polynomial's sisters only; these are zlib's.
    assert crc32(b"a", 1) == (0xE8B7, 0xBE43)
    assert crc32(b"\x00" * 32, 32) == (0x190A, 0x55AD)
    assert crc32(b"\xff" * 32, 32) == (0xFF6C, 0xAB0B)
    assert crc32(b"The quick brown fox jumps over the lazy dog", 43) == (0x414F, 0xA339)


def test_every_byte_value_counts():
    assert crc32(bytes(range(256)), 256) == (0x2905, 0x8C73)


def test_only_bytes_before_the_end_count():
    assert crc32(b"123456789 and more", 9) == (0xCBF4, 0x3926)


def test_bytearray_gives_the_same():
    assert crc32(bytearray(b"123456789"), 9) == (0xCBF4, 0x3926)
