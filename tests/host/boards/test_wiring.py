"""A configuration that says its board is held against what boards/*.toml know of that: before anything is copied."""

import json
from pathlib import Path
from typing import Any

import pytest
from dibble_tools.boards.catalogue import all_boards
from dibble_tools.boards.example import example_config
from dibble_tools.boards.wiring import board_for, check_wiring, mismatch
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.deploy.checks import Bounds, check_together
from dibble_tools.node.config import whole
from typer.testing import CliRunner

SOIL = {"driver": "soil_adc", "probe_curve": [2300, 1200]}
I2C = {"sda": 19, "scl": 18}


def config(board: str, *sensors: dict[str, Any], **more: Any) -> dict[str, Any]:
    return whole({"board": board, "sensors": list(sensors), **more})


def complaint(table: dict[str, Any], runtime: str = "micropython") -> str:
    with pytest.raises(InputError) as caught:
        check_wiring(table, runtime)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "runtime"),
    [(n, r) for n, b in all_boards().items() for r in b.runtimes if b.runtimes[r].node == "full"],
)
def test_examples_go_with_their_boards(name: str, runtime: str) -> None:
    table = whole({**example_config(name, runtime), "board": name})
    check_wiring(table, runtime)
    check_wiring(table)


def test_pins_that_a_board_has_not() -> None:
    assert complaint(config("pico", {**SOIL, "pin": 31})) == (
        "config.sensors[0].pin: expected a pin of pico under micropython, got 31: `dibble boards pico` shows them"
    )
    actions = [{"class": "dry", "pin": 6}]
    said = complaint(config("esp32_devkit", {**SOIL, "pin": 34}, actions=actions))
    assert said.startswith("config.actions[0].pin: expected a pin of esp32_devkit under micropython, got 6")
    said = complaint(config("pico", {"driver": "sht4x"}, i2c={"sda": 4, "scl": 40}))
    assert said.startswith("config.i2c.scl: expected a pin of pico under micropython, got 40")
    said = complaint(config("pico", {**SOIL, "pin": 26, "power_pin": "D5"}))
    assert said.startswith("config.sensors[0].power_pin: expected a pin of pico under micropython, got 'D5'")


def test_names_that_runtimes_know_beside_the_header() -> None:
    check_wiring(config("pico", {**SOIL, "pin": "GP26"}), "micropython")
    check_wiring(config("pico", {**SOIL, "pin": "A0"}, i2c={"sda": "SDA", "scl": "SCL"}), "circuitpython")
    check_wiring(config("pico", {**SOIL, "pin": 26}, led="LED"), "micropython")
    assert "config.sensors[0].pin: expected a pin of pico under circuitpython, got 'SDA'" in complaint(
        config("pico", {**SOIL, "pin": "SDA"}), "circuitpython"
    )


def test_analog_drivers_want_a_converter() -> None:
    for driver in (SOIL, {"driver": "battery"}, {"driver": "wind_vane"}, {"driver": "mox_adc"}):
        assert complaint(config("pico", {**driver, "pin": 15})) == (
            "config.sensors[0].pin: expected a pin of pico with an ADC (26, 27, 28), got 15: move the wire to one"
        )
    said = complaint(config("esp32_devkit", {**SOIL, "pin": 25}))  # ADC2, dead with Wi-Fi
    assert said.startswith("config.sensors[0].pin: expected a pin of esp32_devkit with an ADC (32, 33, 34, 35, 36, 39)")
    check_wiring(config("pico", {"driver": "battery", "pin": 29}), "micropython")  # its own divider, on no header


def test_pins_that_are_inputs_only() -> None:
    probe = {**SOIL, "pin": 33}
    for where, table in (
        ("config.actions[0].pin", config("esp32_devkit", probe, actions=[{"class": "dry", "pin": 35}])),
        ("config.sensors[0].power_pin", config("esp32_devkit", {**probe, "power_pin": 35})),
        ("config.sensors[0].pin", config("esp32_devkit", {"driver": "ds18b20", "pin": 35})),
        ("config.i2c.sda", config("esp32_devkit", {"driver": "sht4x"}, i2c={"sda": 35, "scl": 18})),
        ("config.led", config("esp32_devkit", probe, led=35)),
    ):
        assert complaint(table).startswith(f"{where}: expected a pin that can be an output, got 35, which esp32_devkit")


def test_pull_ups_that_a_pin_has_not() -> None:
    for driver in ("anemometer", "rain_gauge"):
        said = complaint(config("esp32_devkit", {"driver": driver, "pin": 39}))
        assert said.startswith("config.sensors[0].pin: expected a pin with a pull-up of its own, got 39")
        check_wiring(config("esp32_devkit", {"driver": driver, "pin": 39, "pull_up": False}), "micropython")
        check_wiring(config("esp32_devkit", {"driver": driver, "pin": 33}), "micropython")


def test_wind_vanes_pull_up_on_an_esp32() -> None:
    said = complaint(config("esp32_devkit", {"driver": "wind_vane", "pin": 34}))
    assert said.startswith(
        "config.sensors[0].pull_up_ohm: expected pull_up_ohm of 14000 to 22000, best 15000, and such"
    )
    check_wiring(config("esp32_devkit", {"driver": "wind_vane", "pin": 34, "pull_up_ohm": 15000}), "micropython")
    check_wiring(config("pico", {"driver": "wind_vane", "pin": 26}), "micropython")


def test_watchdogs_that_take_less() -> None:
    most = all_boards()["pico"].runtimes["micropython"].watchdog_max_ms
    check_wiring(config("pico", {**SOIL, "pin": 26}, watchdog_ms=most), "micropython")
    said = complaint(config("pico", {**SOIL, "pin": 26}, watchdog_ms=most + 1))
    expected = f"config.watchdog_ms: expected at most {most}, as pico's watchdog takes, got {most + 1}"
    assert said == f"{expected}: take less, or 0 for none"


def test_boards_that_nobody_knows_and_runtimes_that_they_do_not_run() -> None:
    said = complaint(config("pico_v", {**SOIL, "pin": 26}))
    assert said.startswith("config.board: expected a name of `dibble boards`, got 'pico_v'; ") and "pico_w" in said
    check_wiring(config("", {**SOIL, "pin": 99}), "micropython")  # it doesn't say
    said = complaint(config("microbit_v1", {**SOIL, "pin": 0}), "circuitpython")
    assert said.startswith("config.board: expected a board for circuitpython, got microbit_v1, which runs micropython")


def test_a_deploy_holds_it_against_the_board_before_anything_else() -> None:
    with pytest.raises(InputError, match=r"config\.sensors\[0\]\.pin: expected a pin of pico with an ADC"):
        check_together(config("pico", {**SOIL, "pin": 15}), Bounds(1 << 20, 0, "micropython"), None, {})


@pytest.mark.parametrize(
    ("machine", "build", "told"),
    [
        ("Raspberry Pi Pico with RP2040", "", ""),
        ("Raspberry Pi Pico W with RP2040", "", "(pico_w)"),
        ("Generic ESP32 module with ESP32", "", "Generic ESP32 module with ESP32"),
        ("Somebody's own with RP2040", "", ""),
        ("", "raspberry_pi_pico", ""),
        ("", "raspberry_pi_pico_w", "raspberry_pi_pico_w (pico_w)"),
        ("", "", ""),
    ],
)
def test_another_board_is_told(machine: str, build: str, told: str) -> None:
    said = mismatch(config("pico", {**SOIL, "pin": 26}), machine, build)
    assert (told in said and said.startswith("config.board: expected pico (")) if told else said == ""


def test_a_generic_firmware_fits_each_board_with_its_chip() -> None:
    table = config("esp32_devkit", {**SOIL, "pin": 34})
    assert mismatch(table, "Generic ESP32 module with ESP32") == ""
    assert "ESP32S3" in mismatch(table, "Generic ESP32S3 module with ESP32S3")


def test_the_board_to_reckon_with() -> None:
    table = {"board": "pico_w", "sensors": [{**SOIL, "pin": 26}]}
    assert board_for(None, table, "pico") == "pico_w"
    assert board_for("pico_2", table) == "pico_2"
    assert board_for(None, None, "pico") == board_for(None, {**table, "board": ""}, "pico") == "pico"
    with pytest.raises(InputError, match="--board: expected a name"):
        board_for(None, None)
    with pytest.raises(InputError, match="with an ADC"):
        board_for(None, {**table, "sensors": [{**SOIL, "pin": 15}]})


def test_new_writes_it(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["new", str(tmp_path / "gate-1"), "--board", "esp32"])
    assert done.exit_code == 0
    table = json.loads((tmp_path / "gate-1" / "config.json").read_text())
    assert list(table)[:2] == ["node", "board"] and table["board"] == "esp32_devkit"
    check_wiring(whole(table))
