"""What the reader says of a file that isn't a model of its own."""

from dibble import ModelError
from dibble.inference.crc32 import crc32
from dibble.inference.model import Model

HEAD = b"DIBL\x02\x01"


def sealed(head, body, size=None):
    """Return a file of head, length, body and CRC."""
    size = len(head) + len(body) + 8 if size is None else size
    data = head + bytes([size >> shift & 255 for shift in (0, 8, 16, 24)]) + body
    high, low = crc32(data, len(data))
    return data + bytes([low & 255, low >> 8, high & 255, high >> 8])


def message(blob):
    try:
        Model(blob)
    except ModelError as error:
        return error.args[0]
    return "nothing raised"


def test_too_short():
    assert message(b"") == "expected a model file, got 0 bytes"
    assert message(HEAD + bytes(7)) == "expected a model file, got 13 bytes"


def test_another_magic():
    assert message(b"DIBX" + bytes(10)) == "expected a model file that starts with b'DIBL', got b'DIBX'"


def test_another_format():
    expected = "expected model format 2 or 3, got 1: update the firmware or export again"
    assert message(sealed(b"DIBL\x01\x01", b"")) == expected


def test_another_family():
    assert message(sealed(b"DIBL\x02\x00", b"")) == "expected a family from 1 to 5, got 0: update the firmware"
    assert message(sealed(b"DIBL\x02\x86", b"")) == "expected a family from 1 to 5, got 6: update the firmware"
    assert message(sealed(b"DIBL\x02\x07", b"")) == "expected a family from 1 to 5, got 7: update the firmware"


def test_another_length():
    expected = "got 18 bytes, but the file's header tells another length: cut short, copy it again"
    for size in (0, 17, 19, 65536 + 18, 0x80000012, 0xFFFFFFFF):
        assert message(sealed(HEAD, bytes(4), size)) == expected, size


def test_damage():
    blob = bytearray(sealed(HEAD, bytes(4)))
    for position in (10, 13, 14, 15, 16, 17):
        blob[position] ^= 1
        assert message(blob) == "the model file's CRC-32 doesn't match its bytes: damaged, copy it again"
        blob[position] ^= 1


def test_whole_but_senseless():
    for family in (1, 2, 3, 129):
        for body in (b"", bytes(4), b"\xff" * 9, b"\x00\x00\x01\x05abcde"):
            told = message(sealed(b"DIBL\x02" + bytes([family]), body))
            assert told.startswith("the model file contradicts itself: "), (family, body, told)
