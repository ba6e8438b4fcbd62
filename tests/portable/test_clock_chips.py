"""The registers of clock chips: decimal digits, dates, and the flags that tell of a supply that failed."""

from dibble import SensorError
from dibble.clock_chips import Ds3231, Pcf8563, apart_s, from_bcd, to_bcd, year_month_day
from dibble.ports.shared import day_number


class Registers:
    """A bus with one device that keeps what it is told."""

    def __init__(self, address, content):
        self.address = address
        self.registers = bytearray(content)

    def write(self, address, data):
        assert address == self.address
        for i in range(len(data) - 1):
            self.registers[data[0] + i] = data[1 + i]

    def write_read_into(self, address, data, buffer):
        assert address == self.address and len(data) == 1
        for i in range(len(buffer)):
            buffer[i] = self.registers[data[0] + i]


def complaint(chip, content):
    """Return why a chip's registers are refused."""
    try:
        chip(Registers(chip.ADDRESS, content)).read()
    except SensorError as error:
        return str(error)
    raise AssertionError("expected an error of %r" % content)


def ds3231(second=0x56, minute=0x34, hour=0x12, date=0x29, month=0x02, year=0x28, control=0x1C, status=0x08):
    return bytes([second, minute, hour, 3, date, month, year] + [0] * 7 + [control, status] + [0] * 3)


def pcf8563(second=0x56, minute=0x34, hour=0x12, date=0x29, month=0x02, year=0x28, control=0):
    return bytes([control, 0, second, minute, hour, date, 2, month, year] + [0] * 7)


def test_digits():
    assert [from_bcd(byte) for byte in (0, 9, 0x10, 0x59, 0x99)] == [0, 9, 10, 59, 99]
    for number in range(100):
        assert from_bcd(to_bcd(number)) == number
    for byte in (0x0A, 0xA0, 0x5F, 0xFF):
        try:
            from_bcd(byte)
            raise AssertionError(byte)
        except SensorError as error:
            assert str(error) == "expected two decimal digits, got 0x%02x" % byte


def test_every_day_of_the_century():
    lengths = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    year, month, date = 2000, 1, 1
    for day in range(36525):
        assert year_month_day(day) == (year, month, date), day
        if date == 1 or (month, date) == (2, 29):
            assert day_number(year, month, date) == day
        date += 1
        if date > lengths[month - 1] + (month == 2 and year % 4 == 0):
            date, month = 1, month + 1
        if month > 12:
            month, year = 1, year + 1
    assert (year, month, date) == (2100, 1, 1)


def test_moments_of_both():
    leap_day = day_number(2028, 2, 29), 12 * 3600 + 34 * 60 + 56
    assert Ds3231(Registers(0x68, ds3231())).read() == leap_day
    assert Pcf8563(Registers(0x51, pcf8563())).read() == leap_day
    # Bits that mean nothing, and the century's, aren't digits.
    assert Ds3231(Registers(0x68, ds3231(month=0x82))).read() == leap_day
    assert Pcf8563(Registers(0x51, pcf8563(minute=0xB4, hour=0xD2, date=0xE9, month=0x82))).read() == leap_day


def test_hours_of_twelve():
    hours = ((0x52, 0), (0x41, 1), (0x51, 11), (0x72, 12), (0x61, 13), (0x71, 23))
    for register, hour in hours:
        assert Ds3231(Registers(0x68, ds3231(hour=register))).read()[1] == hour * 3600 + 34 * 60 + 56


def test_what_tells_of_a_failed_supply():
    for chip, content in (
        (Ds3231, ds3231(status=0x88)),
        (Pcf8563, pcf8563(second=0xD6)),
        (Pcf8563, pcf8563(control=0x20)),
    ):
        assert complaint(chip, content).startswith("expected a clock that kept going, got one that stood still")


def test_what_is_no_date():
    for wrong in ({"date": 0x30}, {"date": 0}, {"month": 0}, {"month": 0x13}, {"hour": 0x24}, {"second": 0x60}):
        assert complaint(Pcf8563, pcf8563(**wrong)).startswith("expected a time from 2024 on, got 20"), wrong
        assert complaint(Ds3231, ds3231(**wrong)).startswith("expected a time from 2024 on, got 20"), wrong
    assert complaint(Ds3231, ds3231(date=0x31, month=0x12, year=0x23)) == (
        "expected a time from 2024 on, got 2023-12-31 12:34:56: set it"
    )
    assert Ds3231(Registers(0x68, ds3231(date=1, month=1, year=0x24))).read()[0] == 8766
    assert complaint(Ds3231, bytes([255] * 15 + [0x7F])) == "expected two decimal digits, got 0x1f"


def test_writing_clears_the_flags_and_reads_back():
    for chip, failed in ((Ds3231, ds3231(control=0x9C, status=0x8B)), (Pcf8563, pcf8563(second=0x80, control=0x20))):
        for day in (8766, 8825, 9000, 10286, 36524):
            for second in (0, 59, 3599, 43200, 86399):
                bus = Registers(chip.ADDRESS, failed)
                chip(bus).write(day, second)
                assert chip(bus).read() == (day, second)
        if chip is Ds3231:
            assert (bus.registers[0x0E], bus.registers[0x0F]) == (0x1C, 0x0B)
        else:
            assert bus.registers[0] == 0


def test_weekdays():
    sunday = day_number(2024, 1, 7)
    for i in range(7):
        bus = Registers(0x68, ds3231())
        Ds3231(bus).write(sunday + i, 0)
        assert bus.registers[3] == 1 + i
        bus = Registers(0x51, pcf8563())
        Pcf8563(bus).write(sunday + i, 0)
        assert bus.registers[6] == i


def test_apart():
    assert apart_s((9000, 86399), (9001, 1)) == apart_s((9001, 1), (9000, 86399)) == 2
    assert apart_s((9000, 5), (9000, 5)) == 0
    assert apart_s((9000, 0), (30000, 0)) == 86400
