"""`dibble new --sensor`: what people name becomes entries on this board's pins, and the wires for them."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
from dibble_tools.boards.catalogue import all_boards
from dibble_tools.boards.drivers import all_drivers
from dibble_tools.boards.example import configured
from dibble_tools.boards.sensor_choice import energy_text, parse_wish
from dibble_tools.boards.wires import parts_of, wires_text
from dibble_tools.boards.wiring import check_wiring
from dibble_tools.boards.wiring_picture import wiring_svg
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.node.config import whole
from typer.testing import CliRunner

FULL = [(n, r) for n, b in all_boards().items() for r in b.runtimes if b.runtimes[r].node == "full"]
SVG = "{http://www.w3.org/2000/svg}"


def sensors_of(board, *wishes):
    return configured(board, None, wishes)[0]["sensors"]


def complaint(board, *wishes, **more):
    with pytest.raises(InputError) as caught:
        configured(board, None, wishes, **more)
    return str(caught.value)


def test_pins_and_addresses_are_those_that_are_wanted():
    soil, gas = sensors_of("pico", "soil_adc:GP27", "bme680:0x76")[:2]
    assert (soil["pin"], gas["address"]) == (27, 0x76)
    free, wanted = sensors_of("pico", "soil_adc", "soil_adc:26")[:2]
    assert (free["pin"], wanted["pin"]) == (27, 26)  # what is chosen freely keeps out of the way
    assert len({free["power_pin"], wanted["power_pin"], 16}) == 3


def test_a_second_chip_gets_the_other_address_and_names_of_its_own():
    config, notes = configured("pico", None, ("bme680", "BME688", "sht31"))
    first, second, air = config["sensors"][:3]
    assert (first.get("address"), second["address"]) == (None, 0x76)
    assert second["channels"][0] == "air_temperature_2_centi_c"
    assert air["driver"] == "sht3x" and air["channels"] == ["air_temperature_3_centi_c", "humidity_3_permille"]
    assert any("bme680's air_temperature_centi_c, so its own is air_temperature_2_centi_c" in note for note in notes)


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        (["soil_adc:5"], "expected a pin that is free, got 5, which is for I2C SCL"),
        (["soil_adc:15"], "expected a pin for an analog voltage (GP26, GP27, GP28), got 15"),
        (["soil_adc:26", "soil_adc:26"], "expected a pin that is free, got 26, which is for --sensor soil_adc"),
        (["soil_adc:99"], "expected a pin of pico, got '99'; `dibble boards pico` shows them"),
        (["bme680:0x50"], "expected an I2C address of bme680 (0x76, 0x77), got '0x50'"),
        (["bme680:0x76", "bme680:0x76"], "expected an I2C address of its own"),
        (["bme680", "bme680", "bme680"], "got none that is free beside 0x77 bme680, 0x76 bme680"),
        (["soil_adc"] * 4, "expected a free pin of pico for an analog voltage, got none left"),
        (["bme68"], "Did you mean 'bme680'"),
        (["soil"], "there are: amg8833, anemometer"),
        ([""], "expected DRIVER, DRIVER:PIN or DRIVER:ADDRESS"),
    ],
)
def test_what_cannot_be_is_told_with_a_way_on(wishes, said):
    assert said in complaint("pico", *wishes)


def test_wifi_and_relays_are_as_asked():
    assert "expected a board with Wi-Fi, got pico: pico_w" in complaint("pico", "sht4x", wifi=True)
    assert "mqtt" in configured("pico_w", None, ("sht4x",))[0]
    assert "mqtt" not in configured("pico_w", None, ("sht4x",), wifi=False)[0]
    assert configured("pico", None, ("sht4x",))[0]["actions"] == []
    assert configured("pico", None, ("soil_adc",))[0]["actions"] == [{"class": "dry", "pin": 16}]
    assert configured("pico", None, ("sht4x",), action="frost:3")[0]["actions"] == [{"class": "frost", "pin": 3}]


@pytest.mark.parametrize(("board", "runtime"), FULL)
def test_every_sensor_goes_on_every_board_and_is_wired_in_words_and_in_a_picture(board, runtime):
    known = all_boards()[board]
    has = known.runtimes[runtime]
    for name in (name for name, one in all_drivers().items() if not one.runtime):
        wishes = (name, "bme680") if name != "bme680" else (name,)
        config = {"board": board, **configured(board, runtime, wishes)[0]}
        check_wiring(whole(config), runtime)
        parts = parts_of(config, runtime)
        assert len(parts) == len(config["sensors"]) + len(config["actions"])
        labels = {wire.label for part in parts for wire in part.wires}
        assert labels <= {*known.header.labels, "the connector's power"}
    tree = ElementTree.fromstring(wiring_svg("a & b", known, has, parts))
    drawn = list(tree.iter(f"{SVG}path"))
    assert len(drawn) == sum(wire.label in known.header.labels for part in parts for wire in part.wires)
    assert tree.find(f"{SVG}title").text == "a & b"
    shown = "".join(tree.itertext())
    assert all(wire.terminal in shown for part in parts for wire in part.wires)


def test_words_say_what_a_beginner_has_to_know():
    config = {
        "board": "esp32_devkit",
        **configured("esp32_devkit", None, ("ds18b20", "wind_vane", "soil_adc", "sht4x"))[0],
    }
    text = "\n".join(wires_text(parts_of(config)))
    pins = {entry["driver"]: entry.get("pin") for entry in config["sensors"]}
    for words in (
        f"4.7 kohm from D{pins['ds18b20']} to 3V3",
        f"15 kohm from D{pins['wind_vane']} to 3V3",
        "at most 3.1 V",
        "pull-ups",
        "I2C address 0x44",
        "never a bare coil",
    ):
        assert words in text, text


def test_two_sensors_at_one_address_are_refused():
    entry = {"driver": "sht4x", "channels": []}
    config = whole({"i2c": {"sda": 4, "scl": 5}, "sensors": [entry, {"driver": "sht3x"}]})
    with pytest.raises(InputError, match=r"config.sensors\[1\].address: expected an I2C address of its own, got 0x44"):
        check_wiring(config)


def test_a_project_is_made_with_its_wires(tmp_path):
    place = tmp_path / "bed-1"
    command = ["new", str(place), "--sensor", "bme680", "--sensor", "soil_adc:26", "--board", "pico_w", "--wifi"]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    config = json.loads((place / "config.json").read_text())
    assert [entry["driver"] for entry in config["sensors"]] == ["bme680", "soil_adc"]
    assert "SDA to **GP4**" in (place / "README.md").read_text()
    assert "GP26" in (place / "wiring.svg").read_text()
    assert (place / "secrets.py").exists()


@pytest.mark.parametrize("name", sorted(all_drivers()))
def test_every_driver_tells_what_it_costs(name):
    text = energy_text(all_drivers()[name])
    assert "mAh a day" in text and "awake for" in text


def test_a_camera_is_written_by_hand():
    assert "expected a sensor that is wired to a few pins" in complaint("feather_esp32s3", "esp_camera")


def test_a_sensor_is_found_by_its_parts_number():
    assert {text: parse_wish(text).driver.name for text in ("SHT45", "bme688", "sht30", "Soil-ADC", "ds18b20")} == {
        "SHT45": "sht4x",
        "bme688": "bme680",
        "sht30": "sht3x",
        "Soil-ADC": "soil_adc",
        "ds18b20": "ds18b20",
    }
