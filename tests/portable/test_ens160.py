"""The ENS160's running checksum, and a start and a reading on each VM."""

from dibble.drivers import ens160
from dibble.drivers.ens160 import update_misr
from support import heap_lock, heap_unlock


def test_bytes_are_added_to_a_shifted_register():
    assert update_misr(0, b"") == 0
    assert update_misr(0, b"\x01") == 1
    assert update_misr(0, b"\x01\x00") == 2
    assert update_misr(0, b"\x01\x03") == 1


def test_top_bit_feeds_back():
    assert update_misr(0x80, b"\x00") == 0x1D
    assert update_misr(0xFF, b"\x00") == 0xE3
    assert update_misr(0x80, b"\x1d") == 0


def test_known_run():
    # A byte 1 shifted 8 times meets the polynomial x**8 + x**4 + x**3 + x**2 + 1 once.
    assert update_misr(0, b"\x01" + b"\x00" * 7) == 0x80
    assert update_misr(0, b"\x01" + b"\x00" * 8) == 0x1D
    assert update_misr(update_misr(0, b"\x2c\x01"), b"\xe8\x03") == update_misr(0, b"\x2c\x01\xe8\x03")


def test_every_single_bit_of_four_bytes_changes_it():
    good = update_misr(0x5A, b"\x2c\x01\xe8\x03")
    for bit in range(32):
        data = bytearray(b"\x2c\x01\xe8\x03")
        data[bit >> 3] ^= 1 << (bit & 7)
        assert update_misr(0x5A, data) != good


def test_it_stays_a_byte_and_allocates_no_ints():
    data = bytearray(range(200))
    heap_lock()
    try:
        misr = update_misr(0xFF, data)
    finally:
        heap_unlock()
    assert 0 <= misr <= 0xFF


class Part:
    """A bus and a port in one: registers by address, and the checksum of what went out."""

    def __init__(self):
        self.registers = bytearray(0x40)
        self.registers[0] = 0x60
        self.registers[1] = 0x01

    def sleep_ms(self, ms):
        pass

    def write(self, address, data):
        self.registers[data[0]] = data[1]

    def write_read_into(self, address, data, buffer):
        for i in range(len(buffer)):
            buffer[i] = self.registers[data[0] + i]
        if data[0] != 0x38:
            self.registers[0x38] = update_misr(self.registers[0x38], buffer)


def test_start_and_read():
    part = Part()
    driver = ens160.build({"address": 0x53}, part, part)
    driver.start()
    assert part.registers[0x10] == 2
    part.registers[0x20] = 0x82
    for i in range(4):
        part.registers[0x22 + i] = b"\x2c\x01\xe8\xfd"[i]
    assert driver.read() == (300, 65000)
