"""A DS18B20 thermometer, the only device on its 1-Wire pin, with a supply of its own.

Source: Maxim's data sheet: memory, CRC generation, ROM and function commands, table 1 (temperature and data).
"""

from dibble import SensorError

CHANNELS = (("soil_temperature_centi_c", "centi_c"),)
SETTINGS = (("pin", (int, str), 0, 255, None),)
TWELVE_BITS = 0x7F  # the configuration register
CONVERSION_MS = 750  # at 12 bits
GRACE_MS = 50  # for the part's clock and ours, a few times over


def build(settings, port, bus):
    return Ds18b20(port, settings["pin"])


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


class Ds18b20:
    """See SETTINGS."""

    def __init__(self, port, pin):
        self.port = port
        self.pin = pin
        self.wire = port.onewire(pin)

    def start(self):
        """Ask for 12 bits, and see that they were taken."""
        self.command(0x4E)  # write scratchpad
        for byte in (0, 0, TWELVE_BITS):  # the two alarms aren't used
            self.wire.write(byte)
        self.scratchpad()

    def read(self):
        self.command(0x44)  # convert T
        self.port.sleep_ms(CONVERSION_MS)
        for _ in range(5):
            if self.wire.read() == 0xFF:  # zeros while it converts
                break
            self.port.sleep_ms(GRACE_MS)
        else:
            self.fail("a conversion within %d ms" % (CONVERSION_MS + 5 * GRACE_MS), "none")
        data = self.scratchpad()
        sixteenths = signed_sixteenths(data[0], data[1])
        if sixteenths == 85 * 16:
            self.fail("a conversion's result", "the power-on value of 85.00 degrees")
        if not -55 * 16 <= sixteenths <= 125 * 16:
            self.fail("-55 to 125 degrees", "%d sixteenths" % sixteenths)
        return (centi_c(sixteenths),)

    def command(self, code):
        """Reset the bus and give the only device on it a command."""
        if not self.wire.reset():
            self.fail("a device", "no presence pulse: check wiring and pull-up")
        self.wire.write(0xCC)  # skip ROM
        self.wire.write(code)

    def scratchpad(self):
        """Return the nine bytes, checked."""
        self.command(0xBE)  # read scratchpad
        data = bytearray(9)
        for i in range(9):
            data[i] = self.wire.read()
        crc = crc8(data[:8])
        if crc != data[8]:
            self.fail("CRC 0x%02x of the scratchpad" % crc, "0x%02x" % data[8])
        if data[4] != TWELVE_BITS:  # also a line held low: nine zeros have a good CRC
            self.fail("configuration 0x%02x" % TWELVE_BITS, "0x%02x" % data[4])
        return data

    def fail(self, expected, got):
        raise SensorError("expected %s of the DS18B20 at pin %s, got %s" % (expected, self.pin, got))
