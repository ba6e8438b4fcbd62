"""CayenneLPP against pycayennelpp, an implementation of its own."""

from types import SimpleNamespace

import pytest
from cayennelpp import LppFrame
from dibble.inference.fixed_point import MISSING, READING_LIMIT
from dibble.report.cayenne import encode
from hypothesis import given
from hypothesis import strategies as st

# Unit -> LPP type, how many make one of the Cayenne unit, its step, lowest and highest value.
EXPECTED = {
    "centi_c": (103, 100, 0.1, -3276.8, 3276.7),
    "pa": (115, 100, 0.1, 0, 6553.5),
    "lux": (101, 1, 1, 0, 65535),
    "permille": (2, 10, 0.01, -327.68, 327.67),
    "mv": (2, 1000, 0.01, -327.68, 327.67),
    "uv": (2, 1000, 0.01, -327.68, 327.67),
    "cm_s": (2, 100, 0.01, -327.68, 327.67),
    "ppb": (2, 1000, 0.01, -327.68, 327.67),
    "ppm": (2, 1000, 0.01, -327.68, 327.67),
    "ohm": (2, 1000, 0.01, -327.68, 327.67),
    "ms": (2, 1000, 0.01, -327.68, 327.67),
    "millilog2": (2, 1000, 0.01, -327.68, 327.67),
    "": (2, 1, 0.01, -327.68, 327.67),
    "deg": (2, 1, 0.01, -327.68, 327.67),
    "humidity": (104, 10, 0.5, 0, 127.5),
}


def report(channels, readings, class_index=2, flags=5, battery_mv=3712):
    decision = SimpleNamespace(class_index=class_index, flags=flags)
    return SimpleNamespace(decision=decision, channels=channels, readings=readings, battery_mv=battery_mv)


def decoded(row, limit=255):
    """Return {data channel: (type, value)} as pycayennelpp reads it."""
    frame = LppFrame().from_bytes(encode(row, limit))
    return {item.channel: (int(item.type), item.value[0]) for item in frame}


def test_class_flags_and_battery():
    assert decoded(report([], [])) == {0: (0, 2), 1: (0, 5), 2: (2, 3.71)}
    assert decoded(report([], [], 255, 0, None)) == {0: (0, 255), 1: (0, 0)}


@pytest.mark.parametrize("unit", EXPECTED)
@given(value=st.integers(-READING_LIMIT, READING_LIMIT) | st.integers(-40_000, 120_000) | st.just(MISSING))
def test_each_unit_is_read_as_it_was_meant(unit, value):
    kind, share, step, low, high = EXPECTED[unit]
    name, unit = ("air_humidity", "permille") if unit == "humidity" else ("x", unit)
    values = decoded(report([(name, unit)], [value]))
    if unit == "deg" and value > 180:
        value -= 360
    real = value / share
    if 3 not in values:
        assert not low <= real <= high or value == MISSING
    else:
        assert values[3][0] == kind
        assert abs(values[3][1] - real) <= step / 2 + 1e-6


@given(st.lists(st.sampled_from(["centi_c", "pa", "lux", "mv", ""]), max_size=60), st.integers(0, 242))
def test_frame_keeps_to_its_limit_and_is_always_whole(units, limit):
    row = report([(f"c{i}", unit) for i, unit in enumerate(units)], [100] * len(units))
    data = encode(row, limit)
    assert len(data) <= limit
    assert len(bytes(LppFrame().from_bytes(data))) == len(data)
    assert len(encode(row, 255)) == min(10 + 4 * len(units), 254)
