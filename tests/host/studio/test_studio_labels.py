"""A node's integers as the page tells them to people."""

import pytest
from dibble.inference.decision import NOVEL, OUT_OF_RANGE, SENSOR_FAULT, UNSURE
from dibble_tools.common.errors import InputError
from dibble_tools.console.history import History
from dibble_tools.console.reasons import Reason
from dibble_tools.node.config import whole
from dibble_tools.node.console_lines import Header, Row
from dibble_tools.studio import view_model
from dibble_tools.studio.virtual_node import wired

HEADER = Header("orchard-1", (("soil_moisture_permille", "permille"), ("air_temperature_centi_c", "centi_c")), 0)


def test_each_flag_is_a_reason_not_to_trust_a_decision():
    assert view_model.doubts(0) == []
    assert len({*view_model.doubts(UNSURE | OUT_OF_RANGE | SENSOR_FAULT | NOVEL)}) == 4


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


def test_a_virtual_board_has_the_projects_sensors_at_the_pins_that_it_has():
    soil = {"driver": "soil_adc", "pin": "A0", "probe_curve": [2300, 1200], "power_pin": "D9"}
    wanted = {
        "node": "n" * 32,
        "board": "feather_m4",
        "interval_s": 60,
        "i2c": {"sda": "SDA", "scl": "SCL"},
        "sensors": [soil, {"driver": "mox_adc", "pin": 28}, {"driver": "ds18b20", "pin": 35}],
        "actions": [{"class": "dry", "pin": "D12"}],
        "mqtt": {"host": "home.local"},
    }
    made = wired(wanted)
    probe, drop = made["sensors"]
    assert (probe["driver"], drop["driver"], probe["pin"]) == ("soil_adc", "ds18b20", 26)
    pins = [probe["pin"], probe["power_pin"], drop["pin"], made["i2c"]["sda"], made["i2c"]["scl"]]
    pins.append(made["actions"][0]["pin"])
    assert len(set(pins)) == 6
    assert set(pins) <= set(range(30))
    assert (made["interval_s"], made["actions"][0]["class"], len(made["node"])) == (60, "dry", 32)
    assert made["node"].endswith("-virtual")
    assert not {"board", "mqtt"} & made.keys()
    assert (soil["pin"], soil["power_pin"]) == ("A0", "D9")
    whole(made)


def test_a_virtual_board_leaves_an_rp2040s_pins_as_they_are():
    wanted = {"i2c": {"sda": 4, "scl": 5}, "sensors": [{"driver": "sht4x"}, {"driver": "battery", "pin": 29}]}
    assert wired(wanted)["sensors"] == wanted["sensors"]
    with pytest.raises(InputError, match="expected a sensor that can be simulated"):
        wired({"sensors": [{"driver": "mox_adc", "pin": 28}]})
