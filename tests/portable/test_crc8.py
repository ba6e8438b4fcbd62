"""Sensirion's CRC-8 against published values, and words as the parts send them."""

from dibble import SensorError
from dibble.drivers.sensirion import ask, crc8


class Part:
    """A bus and a port in one: it answers what it was given and notes what it was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.notes = []

    def write(self, address, data):
        self.notes.append((address, data))

    def sleep_ms(self, ms):
        self.notes.append(ms)

    def read_into(self, address, buffer):
        self.notes.append((address, len(buffer)))
        for i in range(len(buffer)):
            buffer[i] = self.answer[i]


def test_data_sheets_examples():
    assert crc8(b"\xbe\xef", 0, 2) == 0x92  # SHT3x-DIS, table 20
    assert crc8(b"\x80\x00", 0, 2) == 0xA2  # SGP40, table 10
    assert crc8(b"\x66\x66", 0, 2) == 0x93
    assert crc8(b"\x00\x00", 0, 2) == 0x81
    assert crc8(b"\xff\xff", 0, 2) == 0xAC


def test_check_value_of_the_catalogue():
    assert crc8(b"123456789", 0, 9) == 0xF7  # CRC-8/NRSC-5


def test_only_the_bytes_named_count():
    assert crc8(b"\x00\x00\x81\xbe\xef\x92", 3, 5) == 0x92
    assert crc8(b"", 0, 0) == 0xFF


def test_every_single_bit_changes_it():
    for bit in range(16):
        word = 0xBEEF ^ 1 << bit
        assert crc8(bytes((word >> 8, word & 0xFF)), 0, 2) != 0x92


def test_ask_writes_waits_and_returns_words():
    part = Part(b"\xbe\xef\x92\xff\xff\xac")
    assert ask(part, part, 0x44, b"\xfd", 10, 2) == [0xBEEF, 0xFFFF]
    assert part.notes == [(0x44, b"\xfd"), 10, (0x44, 6)]


def test_ask_names_the_damaged_word():
    part = Part(b"\xbe\xef\x92\xff\xfe\xac")
    try:
        ask(part, part, 0x44, b"\xfd", 10, 2)
        message = ""
    except SensorError as error:
        message = str(error)
    assert message == "expected CRC 0x9d at I2C 0x44, got 0xac"


def test_a_bus_without_pull_ups_or_stuck_low_is_no_word():
    for byte in (b"\x00", b"\xff"):
        part = Part(byte * 3)
        try:
            ask(part, part, 0x44, b"\xfd", 10, 1)
            message = "none"
        except SensorError as error:
            message = str(error)
        assert message != "none"
