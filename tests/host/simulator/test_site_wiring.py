"""Simulated sensors lie where a configuration expects them."""

import pytest
from dibble_tools.boards.catalogue import all_boards
from dibble_tools.boards.example import example_config
from dibble_tools.node.config import whole
from dibble_tools.simulator.node.wire import Flash, Hardware
from dibble_tools.simulator.orchard.site import TO_UNIX_S, Site
from dibble_tools.simulator.orchard.truth import Field

START_S = 820_454_400  # 2026-01-01


@pytest.fixture(scope="module")
def field():
    return Field(0, start_s=START_S + TO_UNIX_S)


@pytest.fixture
def site(field):
    return Site(field, Hardware(Flash(8), START_S), 0)


EXAMPLES = [
    (name, kind)
    for name, board in all_boards().items()
    for kind, has in board.runtimes.items()
    if has.node == "full" and kind == "micropython"
]


@pytest.mark.parametrize(("board", "runtime"), EXAMPLES)
def test_what_an_example_reads_answers(site, board, runtime):
    config = whole(example_config(board, runtime))
    site.wire(config)
    for sensor in config["sensors"]:
        there = site.hardware.i2c if "address" in sensor else site.hardware.analog
        assert sensor.get("address", sensor.get("pin")) in there


def test_the_battery_has_its_voltage_behind_any_divider(site):
    battery = {"driver": "battery", "pin": "GP27", "divider_permille": 2000}
    site.wire(whole({"sensors": [battery]}))
    volts = site.battery.volts(0.0)
    assert site.hardware.analog[27].microvolts() == pytest.approx(volts / 2 * 1e6, rel=0.01)
    assert site.hardware.analog.keys() == {27}


def test_two_probes_are_two_and_a_vane_has_its_resistor(site):
    probes = [{"driver": "soil_adc", "pin": pin, "probe_curve": [2300, 1200]} for pin in (26, 27)]
    site.wire(whole({"sensors": [*probes, {"driver": "wind_vane", "pin": 28, "pull_up_ohm": 22000}]}))
    analog = site.hardware.analog
    assert analog[26] is not analog[27]
    assert site.vane.pull_up_ohm == 22000
    site.move()
    assert site.probes[1].moisture == site.probe.moisture > 0


def test_the_first_actions_pin_is_the_valve(site):
    said = []
    site.on_valve = said.append
    relay = {"class": "dry", "pin": 11}
    site.wire(whole({"i2c": {"sda": 4, "scl": 5}, "sensors": [{"driver": "sht3x"}], "actions": [relay]}))
    site.switched(16, 1)
    assert said == []
    site.switched(11, 1)
    assert said == [True]


def test_the_wind_vane_is_never_a_battery(site):
    """The configuration of `dibble new` and the default wires agree on the pin of a Pico's supply."""
    everything = {entry["driver"]: entry for entry in site.config(["battery_mv", "wind_direction_deg"], 600)["sensors"]}
    example = {entry["driver"]: entry for entry in example_config("pico")["sensors"]}
    assert everything["battery"]["pin"] == example["battery"]["pin"] != everything["wind_vane"]["pin"]
