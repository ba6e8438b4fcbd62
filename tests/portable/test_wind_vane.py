"""From a voltage to one of sixteen directions."""

from dibble.drivers.wind_vane import OHM, SIXTEENTHS, direction_deg

# 3.3 V over 10 kohm: 3300000 * R / (R + 10000), rounded.
TABLE_UV = (
    212425,
    269975,
    300000,
    407800,
    595082,
    788584,
    925899,
    1308449,
    1486813,
    1931841,
    2030769,
    2264868,
    2532558,
    2666846,
    2859413,
    3046154,
)


def test_each_voltage_is_its_direction():
    found = [direction_deg(uv, TABLE_UV) for uv in TABLE_UV]
    assert found == [112, 67, 90, 157, 135, 202, 180, 22, 45, 247, 225, 337, 0, 292, 315, 270]


def test_each_direction_is_there_once():
    assert sorted(SIXTEENTHS) == list(range(16))
    assert len(OHM) == 16


def test_between_two_the_nearer_wins():
    # 688 and 891 ohm: the middle is 241200 uV.
    assert direction_deg(241199, TABLE_UV) == 112
    assert direction_deg(241200, TABLE_UV) == 67
    assert direction_deg(2952783, TABLE_UV) == 315
    assert direction_deg(2952784, TABLE_UV) == 270


def test_beyond_the_ends_by_half_a_gap_is_no_direction():
    assert direction_deg(183650, TABLE_UV) == 112
    assert direction_deg(183649, TABLE_UV) is None
    assert direction_deg(3139524, TABLE_UV) == 270
    assert direction_deg(3139525, TABLE_UV) is None
    assert direction_deg(0, TABLE_UV) is None
    assert direction_deg(3300000, TABLE_UV) is None
