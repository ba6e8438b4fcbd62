"""Home Assistant's discovery: JSON as json reads it, templates as Jinja, which Home Assistant uses, renders them."""

import json
from types import SimpleNamespace

import jinja2
import pytest
from dibble import __version__
from dibble.inference.decision import NO_CLASS
from dibble.inference.fixed_point import MISSING, READING_LIMIT
from dibble.report import diagnostics
from dibble.report.home_assistant import messages, topic_of, topic_part
from dibble.report.state import KEYS, state
from hypothesis import given
from hypothesis import strategies as st

CHANNELS = [
    ("air_temperature_centi_c", "centi_c"),
    ("humidity_permille", "permille"),
    ("soil_moisture_permille", "permille"),
    ("pressure_pa", "pa"),
    ("wind_speed_cm_s", "cm_s"),
    ("ethylene_ppb", "ppb"),
    ("tvoc_ppb", "ppb"),
    ("eco2_ppm", "ppm"),
    ("battery_mv", "mv"),
    ("gas_ratio_millilog2", "millilog2"),
    ('odd "name" \\ é\n', "furlong"),
    ("yield_in_6h", "0.5_kg"),
    ("class", ""),
]
# As Home Assistant 2025's sensor documentation lists them; a unit outside its set is refused there.
UNITS_OF = {
    "temperature": {"°C", "°F", "K"},
    "humidity": {"%"},
    "moisture": {"%"},
    "atmospheric_pressure": {"hPa", "kPa", "Pa", "mbar", "mmHg", "inHg", "psi", "bar", "cbar"},
    "voltage": {"V", "mV", "µV", "kV", "MV"},
    "wind_speed": {"m/s", "km/h", "mph", "kn", "ft/s", "mm/d", "mm/h", "in/d", "in/h", "Beaufort"},
    "illuminance": {"lx"},
    "carbon_dioxide": {"ppm"},
    "volatile_organic_compounds_parts": {"ppm", "ppb"},
}


def report(readings, channels=CHANNELS, class_index=1, battery_mv=3712):
    decision = SimpleNamespace(class_index=class_index, held_index=NO_CLASS, margin=40, flags=1)
    return SimpleNamespace(
        sequence=9,
        time_s=838282080,
        decision=decision,
        classes=("ok", 'a "b"'),
        channels=channels,
        readings=readings,
        battery_mv=battery_mv,
        action=2,
        faults=3,
    )


def discovered(node="north 1", channels=CHANNELS):
    """Return {name: (topic, payload)}."""
    found = {}
    for topic, payload in messages(node, "pico_w", ("ok", 'a "b"'), channels, 3600):
        content = json.loads(payload)
        found[content["name"]] = topic, content
    return found


def rendered(content, payload):
    """Return what a sensor shows of a state: the text of its template."""
    return jinja2.Environment().from_string(content["val_tpl"]).render(value_json=json.loads(payload))


def test_state_is_json_with_nulls():
    row = report([MISSING, 0, -5, READING_LIMIT], [("a", ""), ('b"\\\n\x01é', ""), ("seq", ""), ("d", "")])
    assert json.loads(state(row)) == {
        "seq": 9,
        "time": 838282080,
        "class": 'a "b"',
        "held": None,
        "margin": 40,
        "flags": 1,
        "action": 2,
        "faults": 3,
        "battery_mv": 3712,
        "a": None,
        'b"\\\n\x01é': 0,
        "seq_": -5,
        "d": READING_LIMIT,
    }


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True, max_size=5))
def test_any_names_give_json(names):
    names = [name for name in names if name.rstrip("_") not in KEYS]
    row = report(list(range(len(names))), [(name, "") for name in names])
    assert dict(list(json.loads(state(row)).items())[len(KEYS) :]) == {name: i for i, name in enumerate(names)}


def test_each_sensor_has_what_discovery_asks_for():
    found = discovered()

    for topic, content in found.values():
        assert topic == f"homeassistant/sensor/{content['uniq_id'].removeprefix('dibble_')}/config"
        assert content["stat_t"] == topic_of("north 1", "state") == "dibble/north_1/state"
        assert content["avty_t"] == topic_of("north 1", "status") == "dibble/north_1/status"
        assert content["exp_aft"] == 3600
        assert content["dev"] == {
            "ids": ["dibble_north_1"],
            "name": "north 1",
            "mf": "dibble",
            "mdl": "pico_w",
            "sw": __version__,
        }
        if content.get("dev_cla") not in (None, "enum"):
            assert content["unit_of_meas"] in UNITS_OF[content["dev_cla"]]


def test_topics_and_ids_are_unique_and_in_the_allowed_characters():
    said = list(messages("n", "b", ("a",), CHANNELS, 60))
    assert len({topic for topic, _ in said}) == len({json.loads(p)["uniq_id"] for _, p in said}) == len(said)
    for topic, _ in said:
        assert topic.split("/")[2] == topic_part(topic.split("/")[2])


def test_node_without_a_model_has_no_empty_enumeration():
    said = [json.loads(payload) for _, payload in messages("n", "b", (), CHANNELS, 60)]
    assert [content for content in said if content.get("ops") == []] == []
    assert "held" not in {content["name"] for content in said}


def test_battery_that_is_a_channel_too_is_announced_once():
    said = [json.loads(payload) for _, payload in messages("n", "b", ("a",), CHANNELS, 60)]
    assert [content["name"] for content in said].count("battery_mv") == 1


def test_classes_are_an_enumeration():
    content = next(iter(json.loads(p) for _, p in messages("n", "b", ("ok", 'a "b"'), [], 60)))
    assert content["dev_cla"] == "enum" and content["ops"] == ["ok", 'a "b"']
    assert "stat_cla" not in content and "unit_of_meas" not in content
    assert rendered(content, state(report([], []))) == 'a "b"'
    assert rendered(content, state(report([], [], NO_CLASS))) == "None"  # Home Assistant's "unknown"


@pytest.mark.parametrize(
    ("name", "reading", "shown", "unit", "kind"),
    [
        ("air_temperature_centi_c", -1234, "-12.34", "°C", "temperature"),
        ("humidity_permille", 655, "65.5", "%", "humidity"),
        ("soil_moisture_permille", 412, "41.2", "%", "moisture"),
        ("pressure_pa", 101325, "1013.25", "hPa", "atmospheric_pressure"),
        ("wind_speed_cm_s", 0, "0.0", "m/s", "wind_speed"),
        ("ethylene_ppb", 35, "35", "ppb", None),
        ("tvoc_ppb", 35, "35", "ppb", "volatile_organic_compounds_parts"),
        ("eco2_ppm", 400, "400", "ppm", "carbon_dioxide"),
        ("gas_ratio_millilog2", -1500, "-1.5", None, None),
        ('odd "name" \\ é\n', 7, "7", "furlong", None),
        ("yield_in_6h", -7, "-3.5", "kg", None),
    ],
)
def test_readings_are_shown_in_their_units(name, reading, shown, unit, kind):
    _, content = discovered()[name]
    readings = [reading if name == channel else MISSING for channel, _ in CHANNELS]
    assert rendered(content, state(report(readings))) == shown
    assert content.get("unit_of_meas") == unit and content.get("dev_cla") == kind
    assert content["stat_cla"] == "measurement"
    assert rendered(content, state(report([MISSING] * len(CHANNELS)))) == "None"


def test_channel_named_like_a_key_is_told_apart():
    said = [json.loads(p) for _, p in messages("n", "b", ("a",), CHANNELS, 60)]
    ours = {content["uniq_id"]: content for content in said if content["name"] == "class"}
    row = state(report([*[1] * (len(CHANNELS) - 1), 77]))
    assert rendered(ours["dibble_n_class"], row) == 'a "b"'
    assert rendered(ours["dibble_n_class_"], row) == "77"


def test_messages_are_made_one_at_a_time():
    said = messages("n", "b", ("a",), CHANNELS, 60)
    assert next(said)[0] == "homeassistant/sensor/n_class/config"


def diagnosed(updates=True):
    """Return {name: (topic, payload)}."""
    said = [(topic, json.loads(payload)) for topic, payload in diagnostics.messages("north 1", "pico_w", 3600, updates)]
    return {content["name"]: (topic, content) for topic, content in said}


def test_an_update_is_found_with_its_versions_its_progress_and_a_button():
    topic, content = diagnosed()["model"]
    assert topic == "homeassistant/update/north_1_model/config"
    assert (content["stat_t"], content["cmd_t"]) == ("dibble/north_1/update", "dibble/north_1/in/install")
    assert (content["pl_inst"], content["ret"]) == ("install", True)
    environment = jinja2.Environment()
    environment.filters["to_json"] = json.dumps  # Home Assistant's own

    def shown(**told):
        told = {"state": None, "have": 0, "of": 0, "installed": "5ce2ec9d", "latest": "5ce2ec9d", **told}
        return json.loads(environment.from_string(content["val_tpl"]).render(value_json=told))

    assert shown() == {
        "installed_version": "5ce2ec9d",
        "latest_version": "5ce2ec9d",
        "in_progress": False,
        "update_percentage": None,
    }
    receiving = shown(state="receiving", have=7, of=12, latest="d118648f")
    assert receiving == {
        "installed_version": "5ce2ec9d",
        "latest_version": "d118648f",
        "in_progress": True,
        "update_percentage": 58,
    }
    assert shown(installed=None, latest=None)["installed_version"] == "none"


def test_a_node_that_takes_no_updates_has_no_button_but_its_health():
    found = diagnosed(False)
    assert set(found) == {"signal", "uptime", "faulty sensors", "unsure", "out of range"}
    for _, content in found.values():
        assert (content["stat_t"], content["ent_cat"]) == ("dibble/north_1/health", "diagnostic")
    health = '{"rssi_dbm":null,"up_s":90,"faults":0,"unsure_permille":125,"out_of_range_permille":0}'
    assert [rendered(found[name][1], health) for name in ("signal", "uptime", "unsure")] == ["None", "90", "12.5"]
