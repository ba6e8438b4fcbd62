"""A driver of one's own, beside the configuration that names it."""

import json

import pytest
from dibble import ConfigError
from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import FIRMWARE
from dibble_tools.node.config import parsed, read_config, sensors_of, whole

EXAMPLE = FIRMWARE / "examples" / "own_driver"
CONFIG = {"sensors": [{"driver": "mine", "pin": 3}]}


def test_the_example_is_whole_and_gives_its_channel():
    config = whole(read_config(EXAMPLE / "config.json"))
    sensors = sensors_of(config)
    assert (list(sensors.names), list(sensors.units)) == (["leaf_wetness_permille"], ["permille"])
    assert config["sensors"][0]["wet_mv"] == 1200  # its own default


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import machine", "expected a driver that loads without a board, got ModuleNotFoundError"),
        ("1 / 0", "got ZeroDivisionError"),
        ("CHANNELS = ()", "expected a driver with CHANNELS, SETTINGS, build, got none of SETTINGS, build"),
    ],
)
def test_a_module_that_is_no_driver_is_named(tmp_path, source, message):
    (tmp_path / "mine.py").write_text(source)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    with pytest.raises(InputError, match=message):
        read_config(tmp_path / "config.json")


@pytest.mark.parametrize("name", ["main", "json", "antigravity", "soil_adc2"])
def test_other_modules_are_no_drivers_and_never_imported(tmp_path, name):
    (tmp_path / "main.py").write_text("raise SystemExit")
    with pytest.raises(ConfigError, match="or a module of your own, got"):
        parsed(json.dumps({"sensors": [{"driver": name}]}).encode(), tmp_path)
