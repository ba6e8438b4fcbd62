"""Heater scans on every VM, over a chip that shows given fields: order, gaps, missing steps, numbers to the ohm."""

from array import array

from dibble import ConfigError, SensorError
from dibble.drivers.bme680 import channels
from dibble.drivers.bme680_scan import Scanner, gas_high_ohm, steps_of, time_code
from dibble.inference.fixed_point import MISSING


class Formulas:
    @staticmethod
    def heater_code(celsius, ambient_c, trim):
        return celsius - 100 + ambient_c

    @staticmethod
    def ambient_centi_c(field, trim):
        return 2100


class Chip:
    """A BME688 in parallel mode: at each look the next of its fields is there, in turn in one of three places."""

    variant = 1
    trim = (0, 0, 0, 0)
    address = 0x77
    ambient_centi_c = 2000
    light_sleep = True

    def __init__(self, fields):
        self.formulas = Formulas
        self.bus = self.port = self
        self.fresh = False
        self.raw = self.wait = None
        self.shown = bytearray(51)
        self.coming = fields
        self.index = 250  # of the measurement: it wraps
        self.written = []
        self.ms = 0

    def start(self):
        pass

    def started(self):
        pass

    def error(self, expected, got):
        return SensorError("expected %s, got %s" % (expected, got))

    def write(self, address, data):
        self.written.append(bytes(data))

    def doze_ms(self, ms, light):
        self.ms += ms
        if self.coming:
            for step, status, adc in self.coming.pop(0):
                at = self.index % 3 * 17
                self.index = (self.index + 1) & 255
                self.shown[at : at + 2] = bytes((0x80 | step, self.index))
                self.shown[at + 15 : at + 17] = bytes((adc >> 2, (adc & 3) << 6 | status))

    def write_read_into(self, address, register, buffer):
        buffer[:] = self.shown


GOOD = 0x30 | 7  # valid, stable, range 7
EARLY = 0x10 | 7  # a unit before the step's last
SHAKY = 0x20 | 7
SETTINGS = {"profile": "320:2 100:3 200:1", "scans": 1, "each": False, "mode": ""}


def scanned(fields, **settings):
    chosen = dict(SETTINGS)
    chosen.update(settings)
    scanner = Scanner(Chip(fields), chosen)
    return scanner, scanner.read_costly()


def ohm(adc):
    return gas_high_ohm(adc, 7)


def test_steps_come_in_the_order_of_their_measurements():
    one = [[(0, EARLY, 1)], [(0, GOOD, 100)], [], [(1, EARLY, 1), (1, EARLY, 2)], [(1, GOOD, 200), (2, GOOD, 300)]]
    scanner, readings = scanned(one)
    assert readings == (ohm(100), ohm(200), ohm(300))
    assert (scanner.lost, scanner.partial) == (0, "")
    chip = scanner._chip
    assert chip.ms == 5 * 140 and chip.ambient_centi_c == 2100
    # Asleep; temperature and units of each step; gas on for three; shared time, heater, filter, oversampling; go. Stop.
    steps = b"\x5a\xf0\x64\x02\x5b\x14\x65\x03\x5c\x78\x66\x01"
    assert chip.written == [
        b"\x74\x00" + steps + b"\x71\x23\x6e\x79\x70\x00\x75\x00\x72\x02\x74\x8e",
        b"\x74\x00",
    ]


def test_a_gap_throws_a_scan_away():
    fields = [[(0, GOOD, 1)], [(2, GOOD, 3)], [(0, GOOD, 11)], [(1, GOOD, 12)], [(2, GOOD, 13)]]
    scanner, readings = scanned(fields)
    assert readings == (ohm(11), ohm(12), ohm(13)) and scanner.lost == 1
    begins_anew = [[(0, GOOD, 1)], [(1, GOOD, 2), (0, GOOD, 11)], [(1, GOOD, 12), (2, GOOD, 13)]]
    scanner, readings = scanned(begins_anew)
    assert readings == (ohm(11), ohm(12), ohm(13)) and scanner.lost == 1


def test_each_or_the_last_of_two_scans():
    fields = [[(step, GOOD, scan + step)] for scan in (10, 20) for step in range(3)]
    first, second = (ohm(10), ohm(11), ohm(12)), (ohm(20), ohm(21), ohm(22))
    assert scanned(list(fields), scans=2)[1] == second
    assert scanned(list(fields), scans=2, each=True)[1] == first + second


def test_an_unstable_step_is_missing():
    scanner, readings = scanned([[(0, GOOD, 1), (1, SHAKY, 2), (2, GOOD, 3)]])
    assert readings == (ohm(1), MISSING, ohm(3))
    assert scanner.partial == "expected each step valid and stable, got step 1 not stable"


def test_nothing_new_ends():
    try:
        scanned([[(0, GOOD, 1)]])
        raise AssertionError
    except SensorError as error:
        assert str(error) == "expected 1 whole scan of 3 steps, got 0, and 0 with a lost step"


def test_profiles_times_and_channels():
    assert steps_of("short") == [(100, 10), (200, 5), (320, 5)]
    assert [time_code(ms) for ms in (63, 64, 140, 280, 4032)] == [
        (63, 63),
        (80, 64),
        (99, 140),
        (146, 288),
        (255, 4032),
    ]
    assert gas_high_ohm(0, 0) == 102400000 and gas_high_ohm(1023, 13) == 5685
    settings = {"driver": "bme680", "profile": "short", "scans": 1, "each": False}
    assert [name for name, _ in channels(settings)][3:] == ["gas_0_ohm", "gas_1_ohm", "gas_2_ohm"]
    for text in ("320:5 " * 11, "500:5", "320", "", "x:1", "320:0"):
        try:
            steps_of(text)
            raise AssertionError(text)
        except ConfigError:
            pass


def test_what_it_keeps_fits_ints_of_31_bits():
    kept = array("i", [gas_high_ohm(0, 0), MISSING])
    assert kept[0] == 102400000 and kept[1] == MISSING
