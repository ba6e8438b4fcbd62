"""A DS18B20 thermometer, alone on its 1-Wire pin or one of several by their ROMs, with a supply of its own.

Source: Maxim's data sheet: memory, CRC generation, ROM and function commands, table 1 (temperature and data).
"""

from dibble import ConfigError, SensorError
from dibble.drivers.second_try import twice
from dibble.forgetting import start_only

CHANNELS = (("soil_temperature_centi_c", "centi_c"),)
SETTINGS = (
    ("pin", (int, str), 0, 255, None),
    ("rom", str, 0, 16, ""),  # 16 hexadecimal digits, as its error names them; "": it is alone
)
FAMILY = 0x28
MOST_ROMS = 4  # that an error names
TWELVE_BITS = 0x7F  # the configuration register
CONVERSION_MS = 750  # at 12 bits
GRACE_MS = 50  # for the part's clock and ours, a few times over


@start_only
def build(settings, port, bus):
    return Ds18b20(port, settings["pin"], rom_of(settings["rom"], settings["pin"]))


def crc8(data):
    """Return the CRC of Maxim's 1-Wire devices: x**8 + x**5 + x**4 + 1, lowest bit first (0x8C reflected)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8C if crc & 1 else crc >> 1
    return crc


def signed_sixteenths(low, high):
    """Return the temperature register's value, in sixteenths of a degree."""
    raw = high << 8 | low
    return raw - 0x10000 if raw & 0x8000 else raw


def centi_c(sixteenths):
    """Return sixteenths of a degree in hundredths; halves round up."""
    return (25 * sixteenths + 2) >> 2


def rom_of(text, pin):
    """Return the 8 bytes of a ROM; raise ConfigError where they aren't a DS18B20's."""
    if not text:
        return b""
    try:
        rom = bytes([int(text[i : i + 2], 16) for i in range(0, len(text), 2)])
    except ValueError:
        rom = b""
    if len(rom) != 8 or rom[0] != FAMILY or crc8(rom[:7]) != rom[7]:
        raise ConfigError("expected a DS18B20's rom, 16 digits that begin with 28, at pin %s, got %s" % (pin, text))
    return rom


def digits(rom):
    return "".join(["%02x" % byte for byte in rom])


class Ds18b20:
    """See SETTINGS.

    Args:
        rom: of the device; b"": whichever is there, which has to be alone.
    """

    @start_only
    def __init__(self, port, pin, rom):
        self.port = port
        self.pin = pin
        self.wire = port.onewire(pin)
        self._rom = rom
        self._found = rom

    def start(self):
        """Find out who is there, ask for 12 bits, and see that they were taken."""
        if not self._rom:
            self._found = twice(self._read_rom)
        twice(self._set_up)

    def read(self):
        self.command(0x44)  # convert T
        self.port.sleep_ms(CONVERSION_MS)
        for _ in range(5):
            if self.wire.read() == 0xFF:  # zeros while it converts
                break
            self.port.sleep_ms(GRACE_MS)
        else:
            self.fail("a conversion within %d ms" % (CONVERSION_MS + 5 * GRACE_MS), "none")
        data = twice(self.scratchpad)
        sixteenths = signed_sixteenths(data[0], data[1])
        if sixteenths == 85 * 16:
            self.fail("a conversion's result", "the power-on value of 85.00 degrees")
        if not -55 * 16 <= sixteenths <= 125 * 16:
            self.fail("-55 to 125 degrees", "%d sixteenths" % sixteenths)
        return (centi_c(sixteenths),)

    def command(self, code):
        """Reset the bus and give the device a command: it alone takes it, whoever else was put on the wire."""
        self._reset()
        self.wire.write(0x55)  # match ROM
        for byte in self._found:
            self.wire.write(byte)
        self.wire.write(code)

    def scratchpad(self):
        """Return the nine bytes, checked."""
        self.command(0xBE)  # read scratchpad
        data = self._bytes(9)
        crc = crc8(data[:8])
        if crc != data[8]:
            self.fail("CRC 0x%02x of the scratchpad" % crc, "0x%02x" % data[8])
        if data[4] != TWELVE_BITS:  # also a line held low: nine zeros have a good CRC
            self.fail("configuration 0x%02x" % TWELVE_BITS, "0x%02x" % data[4])
        return data

    def _set_up(self):
        self.command(0x4E)  # write scratchpad
        for byte in (0, 0, TWELVE_BITS):  # the two alarms aren't used
            self.wire.write(byte)
        self.scratchpad()

    def _read_rom(self):
        """Return the ROM of the only device; of two that answer at once the CRC is wrong, or nobody's."""
        self._reset()
        self.wire.write(0x33)  # read ROM
        rom = self._bytes(8)
        if rom[0] != FAMILY or crc8(rom[:7]) != rom[7]:
            from dibble.drivers.onewire_search import search

            found = [digits(each) for each in search(self.wire, MOST_ROMS) if crc8(each[:7]) == each[7]]
            if len(found) > 1:
                self.fail("one device, or the rom of each,", ", ".join(found))
            self.fail("a DS18B20's rom", digits(rom))
        return rom

    def _reset(self):
        if not self.wire.reset() and not self.wire.reset():
            self.fail("a device", "no presence pulse: check wiring and pull-up")

    def _bytes(self, size):
        data = bytearray(size)
        for i in range(size):
            data[i] = self.wire.read()
        return data

    def fail(self, expected, got):
        raise SensorError("expected %s of the DS18B20 at pin %s, got %s" % (expected, self.pin, got))
