"""Units of one quantity: exact factors, halves up, and none between different quantities."""

from dibble.inference.units import converted, quantity, steps


def test_units_of_one_quantity_have_exact_factors():
    for sensor, unit, mantissa, exponent, expected in (
        ("permille", "pct", 1, -1, (1, 1)),
        ("permille", "%", 1, 0, (1, 10)),
        ("centi_c", "c", 1, -1, (1, 10)),
        ("centi_c", "C", 5, -1, (1, 50)),
        ("centi_c", "c", 1, -3, (10, 1)),
        ("pa", "hPa", 1, -1, (1, 10)),
        ("pa", "hpa", 1, 0, (1, 100)),
        ("ohm", "kOhm", 1, -1, (1, 100)),
        ("cm_s", "m/s", 1, -1, (1, 10)),
        ("mv", "V", 1, -2, (1, 10)),
        ("ppb", "ppm", 1, -3, (1, 1)),
        ("millilog2", "millilog2", 1, 1, (1, 10)),
        ("", "", 25, -2, (100, 25)),
    ):
        assert steps(sensor, unit, mantissa, exponent) == expected, (sensor, unit)


def test_other_quantities_have_none():
    for sensor, unit in (("permille", "c"), ("permille", ""), ("centi_c", "f"), ("pa", "ohm"), ("", "pct")):
        assert steps(sensor, unit, 1, 0) is None
    assert quantity("furlong") == ("", 0)


def test_halves_round_up_and_large_readings_stay_within_small_ints():
    assert [converted(r, 1, 10) for r in (944, 945, 955, -944, -945, -946)] == [94, 95, 96, -94, -94, -95]
    assert converted(3, 100, 25) == 12
    assert converted(1 << 29, 1000, 1) == 0x3FFFFFFF // 1000 * 1000
    assert converted(-(1 << 29), 100, 25) == (-((0x3FFFFFFF - 12) // 100 * 100) + 12) // 25
