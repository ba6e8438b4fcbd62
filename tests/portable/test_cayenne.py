"""CayenneLPP, byte by byte."""

from dibble.inference.decision import Decision
from dibble.inference.fixed_point import MISSING
from dibble.report.cayenne import encode

HEAD = b"\0\0\xff\1\0\0"  # no class, no flags


class Report:
    def __init__(self, channels, readings, battery_mv=None):
        self.decision = Decision(1)
        self.channels = channels
        self.readings = readings
        self.battery_mv = battery_mv


def field(name, unit, reading):
    """Return type and value of one reading, or nothing."""
    out = bytes(encode(Report([(name, unit)], [reading]), 99))
    assert out[:6] == HEAD and out[6:7] in (b"", b"\3")
    return out[7:]


def test_class_flags_and_battery():
    report = Report([], [], 3716)
    report.decision.settle(3, 9, 5, 0)
    assert bytes(encode(report, 99)) == b"\0\0\3" + b"\1\0\5" + b"\2\2\1\x74"


def test_temperature_rounds_halves_up():
    assert field("leaf", "centi_c", 2345) == b"\x67" + bytes([0, 235])
    assert field("leaf", "centi_c", -5) == b"\x67\0\0"
    assert field("leaf", "centi_c", -6) == b"\x67\xff\xff"


def test_humidity_and_moisture_of_one_unit_are_told_apart():
    assert field("humidity_permille", "permille", 1000) == b"\x68\xc8"
    assert field("soil_moisture_permille", "permille", 412) == b"\2\x10\x18"


def test_pressure_and_light():
    assert field("pressure_pa", "pa", 101325) == b"\x73\x27\x95"
    assert field("light", "lux", 65535) == b"\x65\xff\xff"


def test_a_number_of_a_model_has_its_steps_in_its_unit():
    assert field("soil_in_6h", "0.1_pct", 234) == b"\2\x09\x24"
    assert field("soil_in_6h", "5_permille", 82) == b"\2\x10\x04"
    assert field("gas_in_1h", "100_ohm", 123) == b"\2\x04\xce"
    assert field("x_in_1h", "1000000_ohm", 327) == b""
    assert field("predicted_time_to_dry_min", "min", 1080) == b"\2\x07\x08"


def test_west_is_negative():
    assert field("wind_direction_deg", "deg", 180) == b"\2\x46\x50"
    assert field("wind_direction_deg", "deg", 270) == b"\2\xdc\xd8"


def test_what_a_type_cannot_hold_is_left_out():
    assert field("gas", "ohm", 327674) == b"\2\x7f\xff"
    for name, unit, reading in (
        ("gas", "ohm", 327675),
        ("gas", "ohm", 0x3FFFFFFF),
        ("t", "centi_c", MISSING),
        ("t", "centi_c", -327686),
        ("humidity", "permille", -3),
        ("humidity", "permille", 1278),
        ("p", "pa", -6),
        ("p", "pa", 655355),
        ("light", "lux", 65536),
        ("x", "", 328),
    ):
        assert field(name, unit, reading) == b"", (name, reading)


def test_fields_beyond_the_limit_are_left_out_whole():
    report = Report([("t", "centi_c"), ("humidity", "permille"), ("u", "centi_c")], [100, 500, 200])
    whole = bytes(encode(report, 17))
    assert whole == HEAD + b"\3\x67\0\x0a" + b"\4\x68\x64" + b"\5\x67\0\x14"
    assert bytes(encode(report, 16)) == whole[:13]
    assert bytes(encode(report, 9)) == HEAD + whole[10:13]
    assert bytes(encode(report, 8)) == HEAD
    assert bytes(encode(report, 2)) == b""
