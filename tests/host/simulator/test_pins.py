"""Pins are those of the named board: what its chip hasn't is refused, and the orchard's sensors hang where it can."""

from pathlib import Path

import pytest
from dibble_tools.boards.catalogue import all_boards, likeness, read_power
from dibble_tools.boards.wiring import WiringPort
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.config import sensors_of, whole
from dibble_tools.simulator.node.flash import Flash
from dibble_tools.simulator.node.pins import pins_of
from dibble_tools.simulator.node.vm import FieldVm
from dibble_tools.simulator.node.wire import Hardware
from dibble_tools.simulator.orchard.site import GIVES
from dibble_tools.simulator.season import Orchard, SimulatedBoard, Simulation
from dibble_tools.simulator.unkindness import Likeness, chip_of

MODEL = Path(__file__).parents[3] / "models" / "orchard"
NUMBERED = [
    name
    for name, board in all_boards().items()
    if "micropython" in board.runtimes and board.chip.name.startswith(("RP2", "ESP32"))
]
TRY = """
from machine import ADC, Pin
def can(make):
    try:
        make()
        return 1
    except ValueError:
        return 0
for kind in (lambda n: Pin(n), lambda n: ADC(Pin(n)), lambda n: Pin(n, Pin.OUT, value=0)):
    print([n for n in range(50) if can(lambda: kind(n))])
print(can(lambda: Pin("GP4")))
"""


@pytest.mark.parametrize("name", NUMBERED)
def test_a_boards_header_is_what_its_chip_has(name):
    board = all_boards()[name]
    runtime = board.runtimes["micropython"]
    has = pins_of(chip_of(likeness(name)))
    numbers = {pin for pin in runtime.pins.values() if isinstance(pin, int)}
    assert numbers <= has.digital, sorted(numbers - has.digital)
    assert {runtime.pins[label] for label in board.header.adc if label in runtime.pins} <= has.analog
    assert {runtime.pins[label] for label in board.header.input_only} == has.inputs & numbers


@pytest.mark.parametrize(
    ("like", "analog", "not_there", "names"),
    [
        (Likeness(), {26, 27, 28, 29}, {30, 40}, True),
        (
            likeness("esp32_devkit"),
            {0, 2, 4, 12, 13, 14, 15, 25, 26, 27, *range(32, 40)},
            {6, 11, 20, 28, 29, 40},
            False,
        ),
        (likeness("esp32_c3"), set(range(6)), {12, 26, 34}, False),
    ],
)
def test_the_vm_has_the_pins_of_its_chip(tmp_path, like, analog, not_there, names):
    (tmp_path / "try.py").write_text(TRY)
    vm = FieldVm(Hardware(Flash(64), 0, like))
    vm.install(tmp_path)
    vm.power(1, "/try.py")
    digital, converted, driven, named = map(eval, vm.text().splitlines())
    assert set(digital) == pins_of(chip_of(like)).digital and not set(digital) & not_there
    assert set(converted) == analog
    assert set(digital) - set(driven) == pins_of(chip_of(like)).inputs
    assert named == names


@pytest.mark.parametrize("name", ["esp32_devkit", "esp32_c3", "esp32_s3", "pico_w"])
def test_the_orchards_sensors_hang_on_pins_that_the_chip_has_for_them(name):
    board = SimulatedBoard(read_power(name), likeness(name))
    made = Simulation(HostModel.open(MODEL), board, Orchard(), days=0.001)
    channels = [channel for gives in GIVES.values() for channel in gives]
    config = whole(made.site.config(channels, 600, ("irrigate",)))
    port = WiringPort()
    sensors_of(config, port)
    used = port.used + [("output", action["pin"]) for action in config["actions"]]
    has = pins_of(chip_of(board.like))
    assert {pin for use, pin in used if use == "analog"} <= has.analog
    assert all(pin in has.digital for _, pin in used)
    assert not {pin for use, pin in used if use in ("output", "1-Wire", "I2C")} & has.inputs
    assert len({pin for _, pin in used}) == len(used)
