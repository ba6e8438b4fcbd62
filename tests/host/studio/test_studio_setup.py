"""A project made, and its sensors changed, from the page."""

import json

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.studio.project import Project
from dibble_tools.studio.setup import Setup
from dibble_tools.studio.state import State

SENSORS = [{"driver": "bme680", "place": ""}, {"driver": "soil_adc", "place": "26"}]
WISH = {"name": "bed-1", "board": "pico_w", "sensors": SENSORS, "action": "dry", "wifi": True}


@pytest.fixture
def setup(tmp_path):
    project, state = Project(tmp_path), State()
    return Setup(project, state), project, state


def made(setup, project, **more):
    project.open(setup.make({**WISH, **more}))
    setup.look()
    return json.loads(project.config.read_text())


def test_a_project_is_made_with_its_wiring(setup):
    page, project, state = setup
    assert state.get("setup")["made"] is False
    config = made(page, project)
    assert (config["board"], [entry["driver"] for entry in config["sensors"]]) == ("pico_w", ["bme680", "soil_adc"])
    told = state.get("setup")
    assert told["made"] and told["picture"] and told["action"] == "dry:16"
    assert told["sensors"] == [{"driver": "bme680", "place": "0x77"}, {"driver": "soil_adc", "place": "26"}]
    assert any("SDA to GP4" in wire["text"] for wire in told["wires"])
    assert "GP26" in page.picture()


def test_what_was_measured_of_a_sensor_stays_when_others_come_and_go(setup):
    page, project, _ = setup
    config = made(page, project, board="pico", wifi=False)
    config["sensors"][1]["probe_curve"] = [2222, 1111]
    config["margin"] = 9
    project.config.write_text(json.dumps(config))
    told = [
        {"driver": "soil_adc", "place": "27"},
        {"driver": "sht4x", "place": ""},
        {"driver": "battery", "place": "29"},
    ]
    page.change({**WISH, "board": "pico", "sensors": told, "action": "", "wifi": False})
    config = json.loads(project.config.read_text())
    assert [entry["driver"] for entry in config["sensors"]] == ["soil_adc", "sht4x", "battery"]
    assert (config["sensors"][0]["pin"], config["sensors"][0]["probe_curve"]) == (27, [2222, 1111])
    assert (config["margin"], config["actions"], config["node"]) == (9, [], "bed-1")
    assert json.loads(project.config.with_name("config.json.bak").read_text())["sensors"][0]["driver"] == "bme680"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "../x"}, "expected a name of at most 32"),
        ({"name": 7}, "expected a name"),
        ({"board": "teapot"}, "expected a board, got 'teapot'"),
        ({"board": ["pico"]}, "board: expected a name"),
        ({"board": "pico"}, "expected a board with Wi-Fi"),
        ({"sensors": []}, "add one"),
        ({"sensors": "bme680"}, "add one"),
        ({"sensors": [{"driver": "bme68", "place": ""}]}, "Did you mean 'bme680'"),
        ({"sensors": [{"driver": 1}]}, "as text"),
        ({"sensors": [{"driver": "soil_adc", "place": "15"}]}, "expected a pin for an analog voltage"),
        ({"action": ["dry"]}, "as text"),
        ({"wifi": "yes"}, "true or false"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(setup, wrong, said):
    page, project, _ = setup
    with pytest.raises(InputError, match=said):
        page.make({**WISH, **wrong})
    assert list(project.folder.iterdir()) == []


def test_a_name_that_is_taken_is_told(setup):
    page = setup[0]
    page.make(WISH)
    with pytest.raises(InputError, match="expected a folder that isn't there yet"):
        page.make(WISH)
