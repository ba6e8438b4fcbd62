"""The DS18B20's arithmetic."""

from dibble.drivers.ds18b20 import centi_c, crc8, signed_sixteenths


def test_temperatures_of_the_data_sheet():
    # Table 1: register -> degrees.
    table = (
        (0x07D0, 12500),
        (0x0550, 8500),
        (0x0191, 2506),
        (0x00A2, 1013),
        (0x0008, 50),
        (0x0000, 0),
        (0xFFF8, -50),
        (0xFF5E, -1012),
        (0xFE6F, -2506),
        (0xFC90, -5500),
    )
    for register, expected in table:
        assert centi_c(signed_sixteenths(register & 0xFF, register >> 8)) == expected, register


def test_halves_round_up():
    # A sixteenth is 6.25 hundredths: 2 / 16 = 12.5, -2 / 16 = -12.5.
    assert [centi_c(n) for n in (1, 2, 3, 4, -1, -2, -3, -4)] == [6, 13, 19, 25, -6, -12, -19, -25]


def test_sign():
    assert [signed_sixteenths(*pair) for pair in ((0xFF, 0x7F), (0x00, 0x80), (0xFF, 0xFF))] == [32767, -32768, -1]


def test_crc():
    # Maxim's application note 27, figure 5: the ROM code 02 1C B8 01 00 00 00 has CRC A2.
    assert crc8(b"\x02\x1c\xb8\x01\x00\x00\x00") == 0xA2
    assert crc8(b"123456789") == 0xA1  # the catalogue's check value of CRC-8/MAXIM-DOW
    assert crc8(b"") == crc8(bytes(8)) == 0
    assert crc8(b"\xff" * 8) != 0xFF


def test_crc_of_a_block_with_its_crc_is_zero():
    data = b"\x50\x05\x4b\x46\x7f\xff\x0c\x10"
    assert crc8(data + bytes([crc8(data)])) == 0
    assert crc8(data) == 0x1C  # of the scratchpad at power-on
