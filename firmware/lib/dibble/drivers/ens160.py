"""ENS160: total volatile organic compounds and equivalent CO2, over I2C.

The part measures each second by itself, and needs 3 minutes to warm up, an hour the very first time.
Neither start() nor a new boot of the node interrupts one that measures.
That hour begins anew with each loss of power until the part has run for a day on end (data sheet 10.1, esphome#5355).
"""

from dibble import SensorError
from dibble.drivers.second_try import twice
from dibble.drivers.warm_up import refuse_power_pin
from dibble.forgetting import start_only

CHANNELS = (("tvoc_ppb", "ppb"), ("eco2_ppm", "ppm"))
SETTINGS = (("address", int, 0x52, 0x53, 0x53),)

# Registers: data sheet, table 16; several bytes are little-endian.
PART_ID = b"\x00"
OPMODE = b"\x10"
STATUS = b"\x20"
TEMP_IN = 0x13  # in 1/64 K; RH_IN follows, in 1/512 %
TVOC = b"\x22"  # eCO2 follows
MISR = b"\x38"

STANDARD = 2
MODE_MS = 10
# Status, data sheet 16.2.7.
RUNNING = 0x80
FAILED = 0x40
NEW_DATA = 0x02
VALIDITY = (
    None,
    "warming up",
    "in its first hour, which begins anew until it has run for a day",
    "without valid output",
)
POLL_MS = 100
POLLS = 20  # twice the time between two measurements


@start_only
def build(settings, port, bus):
    refuse_power_pin(settings, "an ENS160 is warm after 3 minutes, for its first day after an hour")
    return Ens160(bus, port, settings["address"])


def update_misr(misr, data):
    """Return the part's checksum over all it has sent, after it has sent `data` too.

    Source: ScioSense's ENS16x driver: shift left, feed back 0x1D, add the byte.
    """
    for byte in data:
        misr = (misr << 1 & 0xFF) ^ byte ^ (0x1D if misr & 0x80 else 0)
    return misr


class Ens160:
    """One sensor in standard mode."""

    @start_only
    def __init__(self, bus, port, address):
        self.bus = bus
        self.port = port
        self.address = address

    def start(self):
        part_id = self._read(PART_ID, 2)
        if part_id != b"\x60\x01":
            raise self._error("part id 0x0160", "0x%02x%02x" % (part_id[1], part_id[0]))
        # Setting the mode again would restart the warm-up.
        if self._read(OPMODE, 1)[0] != STANDARD:
            twice(self.bus.write, self.address, bytes((OPMODE[0], STANDARD)))
            self.port.sleep_ms(MODE_MS)
            mode = self._read(OPMODE, 1)[0]
            if mode != STANDARD:
                raise self._error("mode 0x02", "0x%02x" % mode)

    def compensate(self, centi_c, permille):
        """Tell the part the air's temperature and humidity, of another sensor."""
        kelvin = (centi_c + 27315) * 64 // 100  # below 2**24
        percent = permille * 512 // 10
        air = bytes((TEMP_IN, kelvin & 255, kelvin >> 8, percent & 255, percent >> 8))
        twice(self.bus.write, self.address, air)

    def read(self):
        self._wait_for_data()
        return twice(self._read_air)

    def _read_air(self):
        """Return (TVOC, eCO2) of the last measurement, which the part holds until it has the next."""
        before = self._read(MISR, 1)[0]
        data = self._read(TVOC, 4)
        misr = self._read(MISR, 1)[0]
        expected = update_misr(before, data)
        if misr != expected:
            raise self._error("checksum 0x%02x" % expected, "0x%02x" % misr)
        eco2_ppm = data[3] << 8 | data[2]
        if eco2_ppm < 400:  # fresh air: the data sheet's range begins there
            raise self._error("eCO2 of 400 ppm or more", "%d" % eco2_ppm)
        return data[1] << 8 | data[0], eco2_ppm

    def _wait_for_data(self):
        for _ in range(POLLS):
            status = self._read(STATUS, 1)[0]
            if status & FAILED:
                break
            if status & RUNNING:
                validity = VALIDITY[status >> 2 & 3]
                if validity:
                    raise self._error("a reading", "a sensor " + validity)
                if status & NEW_DATA:
                    return
            self.port.sleep_ms(POLL_MS)
        raise self._error("new data", "status 0x%02x" % status)

    def _read(self, register, size):
        buffer = bytearray(size)
        twice(self.bus.write_read_into, self.address, register, buffer)
        return buffer

    def _error(self, expected, got):
        return SensorError("expected %s at I2C 0x%02x, got %s" % (expected, self.address, got))
