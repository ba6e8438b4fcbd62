"""`dibble drivers`: what it tells is what the drivers hold."""

import json

import pytest
from dibble_tools.boards.drivers import all_drivers
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import LIBRARY
from typer.testing import CliRunner


def invoke(*arguments):
    return CliRunner().invoke(app, ["drivers", *arguments], catch_exceptions=False)


def test_every_driver_is_told_with_what_each_setting_means():
    found = all_drivers()
    assert {"bme680", "soil_adc", "anemometer", "ds18b20"} <= set(found)
    assert not {"log2", "warm_up", "oversampling"} & set(found)  # parts of drivers
    unexplained = {f"{name}.{s.name}" for name, one in found.items() for s in one.settings if not s.meaning}
    assert unexplained == set()


def test_wires_are_those_of_the_bus_or_pin():
    wires = {name: one.wiring for name, one in all_drivers().items()}
    assert wires["bme680"].startswith("I2C") and wires["anemometer"].endswith("as a contact")
    assert "4.7 kohm" in wires["ds18b20"] and wires["soil_adc"].startswith("an ADC pin")
    assert "see its text" not in wires.values()


def test_a_driver_is_shown_with_its_bounds_and_an_entry_to_begin_with():
    text = invoke("soil_adc").output
    for words in ("soil_moisture_permille", "probe_curve", "must be given", "3 to 64", '"driver": "soil_adc"'):
        assert words in text
    one = json.loads(invoke("bme680", "--json").output)["bme680"]
    assert one["channels"][3] == ["gas_resistance_ohm", "ohm"] and one["costly"] == ["gas_resistance_ohm"]


def test_a_near_name_is_told():
    with pytest.raises(InputError, match=r"expected a driver, got 'bme68'; .* Did you mean 'bme680'"):
        invoke("bme68")


def test_the_list_names_every_file_of_the_library():
    names = {path.stem for path in (LIBRARY / "drivers").glob("*.py") if "CHANNELS = " in path.read_text("utf-8")}
    assert names == set(all_drivers())
