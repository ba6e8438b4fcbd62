"""Touch to permille, 16.16 fixed point to hundredths of a degree, in small ints; a reading on each VM."""

from dibble import SensorError
from dibble.drivers import seesaw_soil
from dibble.drivers.seesaw_soil import soil_moisture_permille, soil_temperature_centi_c
from support import heap_lock, heap_unlock


def refusal(touch, dry, wet):
    try:
        soil_moisture_permille(touch, dry, wet)
    except SensorError as error:
        return str(error)


def test_moisture_at_both_points_and_between():
    touches = (320, 321, 459, 667, 668, 1014, 1015)
    assert [soil_moisture_permille(t, 320, 1015) for t in touches] == [0, 1, 200, 499, 501, 999, 1000]


def test_moisture_halves_round_up():
    assert [soil_moisture_permille(t, 0, 2000) for t in (0, 1, 2, 3, 1999)] == [0, 1, 1, 2, 1000]


def test_moisture_is_clamped_up_to_a_quarter_outside():
    assert [soil_moisture_permille(t, 1000, 2000) for t in (750, 999, 2001, 2250)] == [0, 0, 1000, 1000]
    assert [soil_moisture_permille(t, 320, 1015) for t in (147, 1188)] == [0, 1000]


def test_moisture_is_refused_beyond():
    assert refusal(749, 1000, 2000) == "expected touch 1000..2000, give or take 1:4, got 749"
    assert [bool(refusal(t, 1000, 2000)) for t in (0, 2251, 4095)] == [True, True, True]
    assert [bool(refusal(t, 320, 1015)) for t in (146, 1189)] == [True, True]


def test_temperature_at_known_values():
    known = (
        (b"\x00\x00\x00\x00", 0),
        (b"\x00\x19\x80\x00", 2550),
        (b"\x00\x15\x5e\xb8", 2137),
        (b"\xff\xff\xfd\x71", -1),
        (b"\xff\xf3\x80\x00", -1250),
        (b"\x7f\xff\xff\xff", 3276800),
        (b"\x80\x00\x00\x00", -3276800),
    )
    assert [soil_temperature_centi_c(data) for data, _ in known] == [value for _, value in known]


def test_temperature_halves_round_toward_plus_infinity():
    # An eighth of a degree is 12.5 hundredths.
    known = (
        (b"\x00\x00\x20\x00", 13),
        (b"\x00\x01\x20\x00", 113),
        (b"\xff\xff\xe0\x00", -12),
        (b"\xff\xfe\xe0\x00", -112),
    )
    assert [soil_temperature_centi_c(data) for data, _ in known] == [value for _, value in known]


def test_conversions_allocate_nothing_so_they_stay_small_ints():
    low, high = b"\x80\x00\x00\x00", b"\x7f\xff\xff\xff"
    heap_lock()
    try:
        soil_temperature_centi_c(low)
        soil_temperature_centi_c(high)
        soil_moisture_permille(4095, 0, 4095)
        soil_moisture_permille(0, 0, 4095)
    finally:
        heap_unlock()


class Part:
    """A bus and a port in one: answers by command, the first time with nothing."""

    def __init__(self):
        self.answers = {
            seesaw_soil.HARDWARE_ID: b"\x55",
            seesaw_soil.TOUCH: b"\x02\x9c",
            seesaw_soil.TEMPERATURE: b"\xff\xff\x80\x00",
        }
        self.asked = []

    def sleep_ms(self, ms):
        pass

    def write(self, address, data):
        self.asked.append(data)

    def read_into(self, address, buffer):
        command = self.asked[-1]
        for i in range(len(buffer)):
            buffer[i] = self.answers[command][i] if self.asked.count(command) > 1 else 0xFF


def test_start_and_read():
    part = Part()
    driver = seesaw_soil.build({"address": 0x36, "probe_curve": [320, 1015]}, part, part)
    driver.start()
    assert driver.read() == (501, -50)
    assert len(part.asked) == 7  # the reset, and each command twice
