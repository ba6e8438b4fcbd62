"""What Sensirion's I2C parts share: a command, a wait, and words of 16 bits, each followed by its CRC-8."""

from dibble import SensorError
from dibble.drivers.second_try import twice
from dibble.forgetting import start_only
from dibble.inference.fixed_point import divide


def crc8(data, start, end):
    """Return the CRC-8 of data[start:end].

    Source: SHT3x-DIS data sheet, table 20: polynomial 0x31, initialization 0xFF, nothing reflected.
    """
    crc = 0xFF
    for i in range(start, end):
        crc ^= data[i]
        for _ in range(8):
            crc = crc << 1 ^ (0x131 if crc & 0x80 else 0)
    return crc


def tell(bus, port, address, command, wait_ms):
    """Send a command that has no answer, and wait until the part takes the next; a second time where it's refused."""
    twice(bus.write, address, command)
    port.sleep_ms(wait_ms)


def ask(bus, port, address, command, wait_ms, count):
    """Send a command, wait, and return the words that the part answers with; try twice.

    Args:
        command: bytes.
        wait_ms: the longest that the part takes; it doesn't acknowledge before.
        count: number of words.
    Raises:
        SensorError: nothing answers, or a CRC is wrong, both times.
    """
    return twice(_ask, bus, port, address, command, wait_ms, count)


def _ask(bus, port, address, command, wait_ms, count):
    bus.write(address, command)
    port.sleep_ms(wait_ms)
    answer = bytearray(3 * count)
    bus.read_into(address, answer)
    words = []
    for at in range(0, len(answer), 3):
        crc = crc8(answer, at, at + 2)
        if answer[at + 2] != crc:
            raise SensorError("expected CRC 0x%02x at I2C 0x%02x, got 0x%02x" % (crc, address, answer[at + 2]))
        words.append(answer[at] << 8 | answer[at + 1])
    return words


def air_temperature_centi_c(raw):
    """Return the nearest to -45 + 175 * raw : 65535, in hundredths of a degree.

    Source: SHT3x-DIS data sheet 4.13, and the SHT4x's. 17500 : 65535 is 3500 : 13107; the product
    stays below 2**28, and an odd divisor leaves no ties.
    """
    return divide(raw * 3500, 13107) - 4500


class AirSensor:
    """A sensor of air temperature and humidity; it keeps no settings, so that a power cycle costs nothing.

    Args:
        command, wait_ms: of a measurement.
        humidity_permille: of its second word.
    Attributes:
        raw: the words of the last reading.
    """

    @start_only
    def __init__(self, bus, port, address, command, wait_ms, humidity_permille):
        self.bus = bus
        self.port = port
        self.address = address
        self.raw = None
        self._command = command
        self._wait_ms = wait_ms
        self._humidity_permille = humidity_permille

    def read(self):
        self.raw = ask(self.bus, self.port, self.address, self._command, self._wait_ms, 2)
        temperature, humidity = self.raw
        return air_temperature_centi_c(temperature), self._humidity_permille(humidity)
