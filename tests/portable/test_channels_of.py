"""The names of what the sensors give: each once, chosen or numbered."""

from dibble import ConfigError
from dibble.drivers import channels_of

AIR = ["air_temperature_centi_c", "humidity_permille"]


def named(*sensors):
    channels, notes = channels_of([{"driver": driver, "channels": list(names)} for driver, names in sensors])
    return [[name for name, _ in each] for each in channels], notes


def refusal(*sensors):
    try:
        named(*sensors)
    except ConfigError as error:
        return str(error)
    return ""


def test_one_sensor_keeps_its_names_and_units():
    channels, notes = channels_of([{"driver": "sht4x", "channels": ()}])
    assert channels == [[(AIR[0], "centi_c"), (AIR[1], "permille")]] and notes == []


def test_the_second_of_a_kind_is_numbered_before_its_unit():
    names, notes = named(("sht4x", ()), ("sht4x", ()), ("sht3x", ()))
    assert names == [
        AIR,
        ["air_temperature_2_centi_c", "humidity_2_permille"],
        ["air_temperature_3_centi_c", "humidity_3_permille"],
    ]
    assert notes[0] == (
        "config.sensors[1]: names taken; unless you set others: "
        '"channels": ["air_temperature_2_centi_c", "humidity_2_permille"]'
    )
    assert len(notes) == 2


def test_only_what_is_there_already_is_numbered():
    names, _ = named(("sht4x", ()), ("bme680", ()))
    assert names[1] == ["air_temperature_2_centi_c", "humidity_2_permille", "pressure_pa", "gas_resistance_ohm"]


def test_chosen_names_come_first_wherever_they_stand():
    names, notes = named(("sht4x", ()), ("sht3x", AIR))
    assert names == [["air_temperature_2_centi_c", "humidity_2_permille"], AIR] and len(notes) == 1
    names, notes = named(("sht4x", ()), ("sht3x", ("leaf_temperature_centi_c", "leaf_humidity_permille")))
    assert names[0] == AIR and notes == []


def test_chosen_names_twice_are_refused():
    text = "config.sensors[1].channels: expected each name once, got a_centi_c twice"
    assert refusal(("ds18b20", ("a_centi_c",)), ("ds18b20", ("a_centi_c",))) == text
    assert "got b_permille twice" in refusal(("sht4x", ("b_permille", "b_permille")))


def test_too_few_or_too_many_names_are_refused():
    text = "config.sensors[0].channels: expected 2 names, for air_temperature_centi_c, humidity_permille, got 1"
    assert refusal(("sht4x", ("a_centi_c",))) == text
    assert "expected 1 names" in refusal(("ds18b20", ("a_centi_c", "b_centi_c")))
