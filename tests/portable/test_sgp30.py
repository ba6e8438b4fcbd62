"""The SGP30's warm-up by ticks of every VM, wrapping."""

from dibble import SensorError
from dibble.drivers import sgp30
from dibble.drivers.sensirion import crc8

PERIOD = 1 << 29  # of the ticks; 2**30 would not be a small int everywhere


class Part:
    """A bus and a port in one, with ticks that are set by hand."""

    def __init__(self):
        self.now = 0
        self.started = False
        self.warm = False
        self.words = (400, 0)

    def memory(self, name):
        return self

    def newest(self):
        return None

    def ticks_ms(self):
        return self.now

    def ticks_diff(self, newer, older):
        half = PERIOD >> 1
        return ((newer - older + half) & (PERIOD - 1)) - half

    def sleep_ms(self, ms):
        pass

    def write(self, address, data):
        self.command = data
        if data == sgp30.INIT:
            self.started = True

    def read_into(self, address, buffer):
        words = (0x22,)
        if self.command == sgp30.MEASURE:
            words = self.words
        elif self.command == sgp30.BASELINE:
            words = (0x8973, 0x8AAE) if self.warm else (0, 0)
        for i in range(len(words)):
            at = 3 * i
            buffer[at] = words[i] >> 8
            buffer[at + 1] = words[i] & 0xFF
            buffer[at + 2] = crc8(buffer, at, at + 2)


def outcome(driver):
    try:
        return driver.read()
    except SensorError as error:
        return str(error)[len("expected a reading at I2C 0x58, got ") :]


def test_warm_up_ends_after_its_time_wherever_the_ticks_begin():
    for begin in (0, PERIOD // 2 - 8000, PERIOD - 8000, PERIOD - 1):
        part = Part()
        part.now = begin
        driver = sgp30.build({"address": 0x58}, part, part)
        driver.start()
        assert part.started
        assert outcome(driver) == "a sensor warming up"
        part.warm = True
        part.now = (begin + sgp30.WARM_UP_MS - 1) % PERIOD
        assert outcome(driver) == "a sensor warming up"
        part.now = (begin + sgp30.WARM_UP_MS) % PERIOD
        assert outcome(driver) == (0, 400)


def test_a_warm_part_stays_warm_when_the_ticks_come_round():
    part = Part()
    driver = sgp30.build({"address": 0x58}, part, part)
    driver.start()
    part.warm = True
    part.now = sgp30.WARM_UP_MS
    assert outcome(driver) == (0, 400)
    part.now = 1000
    assert outcome(driver) == (0, 400)


def test_start_leaves_a_running_part_alone():
    part = Part()
    part.words = (512, 65535)
    driver = sgp30.build({"address": 0x58}, part, part)
    driver.start()
    assert not part.started
    assert outcome(driver) == (65535, 512)
