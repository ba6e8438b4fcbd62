"""Words of SHT3x and SHT4x to hundredths of a degree and permille, in small ints."""

from dibble.drivers import sht3x, sht4x
from dibble.drivers.sensirion import air_temperature_centi_c
from support import heap_lock, heap_unlock


def test_temperature_at_known_words():
    # 100 * (-45 + 175 * raw : 65535), rounded by hand.
    known = ((0, -4500), (1, -4500), (2, -4499), (16849, -1), (16850, 0), (16853, 0), (16854, 1), (65535, 13000))
    assert [air_temperature_centi_c(raw) for raw, _ in known] == [value for _, value in known]


def test_temperature_never_falls_and_steps_by_a_hundredth_at_most():
    before = -4500
    for raw in range(0, 65536, 3):
        value = air_temperature_centi_c(raw)
        assert before <= value <= before + 1
        before = value


def test_sht3x_humidity_at_known_words():
    known = ((0, 0), (32, 0), (33, 1), (32767, 500), (32768, 500), (65502, 999), (65503, 1000), (65535, 1000))
    assert [sht3x.humidity_permille(raw) for raw, _ in known] == [value for _, value in known]


def test_sht4x_humidity_at_known_words():
    known = ((0, 0), (3171, 0), (3172, 1), (29360, 500), (55547, 999), (55573, 1000), (65535, 1000))
    assert [sht4x.humidity_permille(raw) for raw, _ in known] == [value for _, value in known]


def test_conversions_allocate_nothing_so_they_stay_small_ints():
    temperature, humidity_3, humidity_4 = air_temperature_centi_c, sht3x.humidity_permille, sht4x.humidity_permille
    heap_lock()
    try:
        for raw in (0, 1, 32768, 65534, 65535):
            temperature(raw)
            humidity_3(raw)
            humidity_4(raw)
    finally:
        heap_unlock()
