"""A node's integers as the page tells them to people."""

import pytest
from dibble.inference.decision import NOVEL, OUT_OF_RANGE, SENSOR_FAULT, UNSURE
from dibble_tools.console.history import History
from dibble_tools.console.reasons import Reason
from dibble_tools.node.console_lines import Header, Row
from dibble_tools.studio import labels, view_model
from dibble_tools.studio.virtual_node import wired

HEADER = Header("orchard-1", (("soil_moisture_permille", "permille"), ("air_temperature_centi_c", "centi_c")), 0)


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
        (None, "centi_c", "no reading"),
    ],
)
def test_a_reading_has_the_unit_that_people_use(value, unit, text):
    assert labels.reading(value, unit) == text


def test_a_channel_is_named_without_its_unit():
    assert labels.channel("soil_moisture_permille", "permille") == "Soil moisture"
    assert labels.channel("permille", "permille") == "Permille"


def test_each_flag_is_a_reason_not_to_trust_a_decision():
    assert labels.doubts(0) == []
    assert len({*labels.doubts(UNSURE | OUT_OF_RANGE | SENSOR_FAULT | NOVEL)}) == 4


def row(class_name="ok", held="ok", margin=240, flags=0, readings=(412, 2340)):
    values = dict(zip(dict(HEADER.channels), readings, strict=True))
    return Row("orchard-1", 7, 838282080, class_name, held, margin, flags, 0, 0, 3712, values)


def history_of(*rows):
    history = History()
    for each in rows:
        history.row(HEADER, each)
    return history


def test_a_sure_decision_is_told_with_its_margin_and_its_reason():
    told = view_model.decision(history_of(row()), Reason("soil_moisture_permille", 90), 60)
    assert (told["title"], told["trust"], told["trust_words"]) == ("ok", "sure", "✔ sure")
    assert (told["margin"], told["margin_top"]) == (240, 240)
    assert told["why"] == ["ahead of the next best by 240; sure from 60 on", "Soil moisture speaks for it most"]
    assert told["when"] == "decision 7, 2026-07-25 08:08:00 UTC, battery 3.71 V"


def test_an_unsure_decision_says_why_and_what_the_node_still_does():
    told = view_model.decision(history_of(row("frost", "ok", 3, UNSURE)), None, 60)
    assert (told["title"], told["trust"], told["margin_top"]) == ("frost", "doubt", 60)
    assert told["why"][0] == "it is a close call"
    assert told["why"][-1] == "still acts on “ok”: it waits until the decision repeats"


def test_a_node_without_a_model_only_measures():
    told = view_model.decision(history_of(row(None, None, 0)), None, None)
    assert (told["title"], told["margin"]) == ("only measuring", None)


def test_a_missing_sensor_is_no_decision():
    told = view_model.decision(history_of(row(None, "ok", 0, SENSOR_FAULT)), None, None)
    assert (told["title"], told["trust"], told["why"]) == ("no decision", "doubt", ["a sensor is missing"])


def test_a_channel_shows_its_last_readings_and_where_one_is_missing():
    soil, air = view_model.channels(history_of(row(), row(readings=(None, 2100))))
    assert (soil["text"], soil["missing"], soil["history"]) == ("no reading", True, [412, None])
    assert (air["text"], air["span"]) == ("21.0 °C", "21.0 °C to 23.4 °C")


def test_what_a_node_calls_itself_is_shown_without_signs_that_deceive():
    header = Header("orchard-1", (("soil", "\u202egnp.exe"),), 0)
    history = History()
    history.row(header, Row("orchard-1", 1, 838282080, "o\u202ek\x1b[2J", None, 0, 0, 0, 0, None, {"soil": 1}))
    shown = view_model.channels(history)[0]["text"] + view_model.decision(history, None, None)["title"]
    assert shown.isprintable()


def test_a_virtual_board_has_the_projects_sensors_on_its_own_wires():
    wanted = {"node": "n" * 32, "interval_s": 60, "sensors": [{"driver": "soil_adc", "pin": "A0"}, {"driver": "sgp30"}]}
    simulated = {
        "node": "simulated",
        "interval_s": 600,
        "i2c": {"sda": 4, "scl": 5},
        "actions": [{"class": "irrigate", "pin": 16}],
        "sensors": [{"driver": "sht4x"}, {"driver": "soil_adc", "pin": 26}],
    }
    made = wired(wanted, simulated)
    assert made["sensors"] == [{"driver": "soil_adc", "pin": 26}]
    assert (made["interval_s"], made["i2c"], len(made["node"])) == (60, {"sda": 4, "scl": 5}, 32)
    assert made["node"].endswith("-virtual")
    assert made["actions"] == []
    assert wired({**wanted, "actions": [{"class": "irrigate", "pin": "D3"}]}, simulated)["actions"][0]["pin"] == 16
    assert wired({"sensors": [{"driver": "sgp30"}]}, simulated)["sensors"] == simulated["sensors"]
