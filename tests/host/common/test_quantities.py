"""A node's integers as people say them."""

import pytest
from dibble_tools.common.quantities import channel_text, clock_text, reading_text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2340, "centi_c", "23.4 °C"),
        (-50, "centi_c", "−0.5 °C"),
        (-4, "centi_c", "0.0 °C"),
        (412, "permille", "41.2 %"),
        (101325, "pa", "1,013.2 hPa"),
        (3712, "mv", "3.71 V"),
        (130, "cm_s", "1.3 m/s"),
        (7, "furlongs", "7 furlongs"),
        (7, "", "7"),
        (235, "0.1_pct", "23.5 pct"),
        (-7, "2.5_kg", "−17.5 kg"),
        (3, "200_m", "600 m"),
        (None, "centi_c", "no reading"),
    ],
)
def test_a_reading_has_the_unit_that_people_use(value, unit, text):
    assert reading_text(value, unit) == text


def test_a_channel_is_named_without_its_unit():
    assert channel_text("soil_moisture_permille", "permille") == "Soil moisture"
    assert channel_text("permille", "permille") == "Permille"


def test_a_stretch_of_time_is_read_as_on_a_clock():
    assert [clock_text(each) for each in (0, 9.6, 580, 3900, -3)] == ["0:00", "0:10", "9:40", "1:05:00", "0:00"]
