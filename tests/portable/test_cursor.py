"""Reading a model file's bytes in order."""

from dibble.inference.format import Cursor
from dibble.inference.strings import Strings


def error_of(function, *arguments):
    try:
        function(*arguments)
    except (ValueError, IndexError) as error:
        return error
    return None


def test_bytes_follow_each_other():
    cursor = Cursor(b"\x00\x07\xff", 1)
    assert (cursor.byte(), cursor.byte(), cursor.at) == (7, 255, 3)


def test_byte_beyond_the_end_is_told():
    assert isinstance(error_of(Cursor(b"\x01", 1).byte), IndexError)


def test_numbers_in_groups_of_7_bits():
    cases = (
        (b"\x00", 0),
        (b"\x7f", 127),
        (b"\x80\x01", 128),
        (b"\xff\x7f", 16383),
        (b"\x80\x80\x01", 16384),
        (b"\xff\xff\xff\xff\x03", 0x3FFFFFFF),
        (b"\x85\x00", 5),
    )
    for data, expected in cases:
        cursor = Cursor(data + b"\x99", 0)
        assert (cursor.number(), cursor.at) == (expected, len(data))


def test_number_cut_short_is_told():
    assert isinstance(error_of(Cursor(b"\x80\x80", 0).number), IndexError)


def test_signed_numbers_zigzag():
    cases = (
        (b"\x00", 0),
        (b"\x01", -1),
        (b"\x02", 1),
        (b"\x03", -2),
        (b"\x7f", -64),
        (b"\x80\x01", 64),
        (b"\xfe\xff\xff\xff\x07", 0x3FFFFFFF),
        (b"\xff\xff\xff\xff\x07", -0x3FFFFFFF - 1),
    )
    for data, expected in cases:
        assert Cursor(data, 0).signed() == expected


def test_text_of_up_to_14_bytes():
    cursor = Strings(b"\x00\x03abc\x0eabcdefghijklmn", 0)
    assert [cursor.text() for _ in range(3)] == ["", "abc", "abcdefghijklmn"]


def test_long_text_tells_how_many_bytes_more():
    cursor = Strings(b"\x0f\x00abcdefghijklmno\x0f\x81\x01" + b"x" * 144 + b"\x01y", 0)
    assert cursor.text() == "abcdefghijklmno"
    assert cursor.text() == "x" * 144
    assert cursor.text() == "y"


def test_text_shares_the_beginning_of_the_one_before():
    cursor = Strings(b"\x08air_temp\x49hum\xc2\xb5dity\x53min\x00\x11x\xf1z", 0)
    assert cursor.text() == "air_temp"
    assert cursor.text() == "air_hum\u00b5dity"
    assert cursor.text() == "air_hmin"
    assert cursor.text() == ""
    assert cursor.text() == "x"
    assert cursor.text() == "xz"


def test_longest_shared_beginning():
    cursor = Strings(b"\x0f\x02abcdefghijklmnopq\xf1!\xff\x00123456789012345", 0)
    assert cursor.text() == "abcdefghijklmnopq"
    assert cursor.text() == "abcdefghijklmno!"
    assert cursor.text() == "abcdefghijklmno123456789012345"


def test_text_beyond_the_end_is_told():
    assert error_of(Strings(b"\x03ab", 0).text).args[0] == "3 bytes at 1 of 3"


def test_text_in_a_memoryview():
    try:
        cursor = Strings(memoryview(b"\x02ab\x11c"), 0)
    except NameError:  # MicroPython 1.9
        return
    assert [cursor.text(), cursor.text()] == ["ab", "ac"]


def test_text_is_passed_over():
    for data in (b"\x00", b"\x03abc", b"\x48humidity", b"\x0f\x00abcdefghijklmno", b"\x0f\x81\x01" + b"x" * 144):
        cursor = Cursor(data + b"\x07", 0)
        cursor.text()
        assert (cursor.at, cursor.byte()) == (len(data), 7)


def test_take_returns_the_next_bytes():
    cursor = Cursor(b"abcdef", 1)
    assert bytes(cursor.take(2)) == b"bc"
    assert bytes(cursor.take(0)) == b""
    assert bytes(cursor.take(3)) == b"def"
    assert (bytes(cursor.take(0)), cursor.at) == (b"", 6)


def test_take_beyond_the_end_is_told():
    for at, size, told in ((0, 7, "7 bytes at 0 of 6"), (5, 2, "2 bytes at 5 of 6"), (2, -1, "-1 bytes at 2 of 6")):
        cursor = Cursor(b"abcdef", at)
        error = error_of(cursor.take, size)
        assert isinstance(error, ValueError) and error.args[0] == told
        assert cursor.at == at


def test_align_skips_to_a_multiple():
    for at, width, expected in ((0, 4, 0), (1, 4, 4), (3, 4, 4), (4, 4, 4), (5, 2, 6), (6, 2, 6), (7, 1, 7)):
        cursor = Cursor(b"", at)
        cursor.align(width)
        assert cursor.at == expected
