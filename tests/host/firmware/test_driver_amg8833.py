"""The AMG8833 driver on a model of its registers: what it tells of a scene, and each way it can fail."""

import random
from types import SimpleNamespace
from typing import Any

import pytest
from dibble import SensorError
from dibble.drivers import amg8833, channels_given
from dibble_tools.simulator.devices.amg8833 import NORMAL_MA, Amg8833
from dibble_tools.simulator.devices.cable import I2cCable
from dibble_tools.simulator.node.bus import SimBus, VirtualClock

NAMES = [name for name, _ in amg8833.CHANNELS]


class Rig:
    """A started array; `read()` a minute later, as a dict."""

    def __init__(self, **settings: Any) -> None:
        self.clock = VirtualClock()
        self.device = Amg8833(self.clock.now_us)
        self.settings = {"driver": "amg8833", "address": 0x69, "warm_centi_c": 150, "blocks": False, "frames": 0}
        self.settings |= settings
        self.cable = I2cCable(self.device, random.Random(1))
        port = SimpleNamespace(sleep_ms=self.clock.sleep_ms)
        self.driver = amg8833.build(self.settings, port, SimBus({0x69: self.cable}))
        self.driver.start()

    def read(self) -> dict[str, int]:
        self.clock.sleep_ms(60_000)
        return dict(zip([name for name, _ in channels_given(self.settings)], self.driver.read(), strict=True))


@pytest.fixture
def rig() -> Rig:
    return Rig()


def settled(rig: Rig) -> dict[str, int]:
    for _ in range(4):
        told = rig.read()
    return told


def person(row: float, column: float) -> float:
    return 31.0 if abs(row - 0.5) < 0.2 and abs(column - 0.78) < 0.2 else 18.0


def test_a_still_scene_tells_of_nobody(rig: Rig) -> None:
    rig.device.scene = lambda row, column: 10 + 8 * column
    told = settled(rig)
    assert (told["warm_permille"], told["moved_permille"]) == (0, 0)
    assert abs(told["frame_mean_centi_c"] - 1400) < 50 and told["warm_max_centi_c"] < 75


def test_a_person_stands_out_where_they_stand(rig: Rig) -> None:
    rig.device.scene = lambda row, column: 18.0
    settled(rig)
    rig.device.scene = person
    told = rig.read()
    assert told["warm_permille"] == 4 * 1000 // 64 == told["moved_permille"]
    assert abs(told["warm_max_centi_c"] - 1300) <= 75
    assert told["warm_row_permille"] in (428, 571) and told["warm_column_permille"] in (714, 857)
    assert rig.read()["moved_permille"] == 0


def test_the_sun_on_everything_is_nobody(rig: Rig) -> None:
    settled(rig)
    rig.device.scene = lambda row, column: 33.0
    assert rig.read()["warm_permille"] == 0


@pytest.mark.parametrize("celsius", [-20.0, -0.25, -0.0625, 0.0, 25.0, 80.0])
def test_the_thermistor_has_a_sign_and_a_magnitude(rig: Rig, celsius: float) -> None:
    rig.device.array_c = celsius
    assert rig.read()["array_temperature_centi_c"] == round(celsius * 16) * 100 // 16 + (celsius == -0.0625)


@pytest.mark.parametrize("celsius", [-15.0, -0.25, 0.0, 60.0])
def test_pixels_are_in_twos_complement(rig: Rig, celsius: float) -> None:
    rig.device.scene = lambda row, column: celsius
    assert abs(settled(rig)["frame_mean_centi_c"] - 100 * celsius) < 50


def test_dead_pixels_take_their_neighbours(rig: Rig) -> None:
    rig.device.dead = {0, 9, 35}
    told = settled(rig)
    assert told["frame_max_centi_c"] < 2500 and told["warm_permille"] == 0


def test_too_many_dead_pixels_are_a_fault(rig: Rig) -> None:
    rig.device.dead = set(range(9))
    with pytest.raises(SensorError, match="but for 8 at most at I2C 0x69, got 9 others"):
        rig.read()


def test_blocks_tell_where(rig: Rig) -> None:
    rig = Rig(blocks=True)
    rig.device.scene = lambda row, column: 18.0
    settled(rig)
    rig.device.scene = person
    told = rig.read()
    warm = {name for name, value in told.items() if name.startswith("block_") and value > 500}
    assert warm == {"block_1_2_centi_c", "block_1_3_centi_c", "block_2_2_centi_c", "block_2_3_centi_c"}


def test_a_silent_array_is_a_fault(rig: Rig) -> None:
    rig.device.absent = True
    with pytest.raises(SensorError, match="expected an answer at I2C 0x69, got none"):
        rig.read()


def test_one_lost_answer_is_asked_again(rig: Rig) -> None:
    rig.cable.lose = 1
    assert rig.read()["warm_permille"] == 0
    rig.cable.lose = 2
    with pytest.raises(SensorError, match="expected an answer at I2C 0x69, got none"):
        rig.read()


def test_a_bit_that_no_pixel_has_is_a_fault(rig: Rig) -> None:
    """An address line that floats, or 0xFF from a bus that nobody drives."""
    rig.clock.sleep_ms(60_000)
    rig.device._measure()
    rig.device.stuck = True
    rig.device._pixels = b"\xff" * 128
    with pytest.raises(SensorError, match="expected pixels of 12 bits at I2C 0x69, got 0xffff"):
        rig.driver.read()


def test_an_array_that_lost_its_power_and_sleeps_is_a_fault_until_it_is_started(rig: Rig) -> None:
    rig.device.write(b"\x00\x10")
    with pytest.raises(SensorError, match="expected normal mode 0x00 at I2C 0x69, got 0x10"):
        rig.read()
    rig.driver.start()
    assert rig.read()["warm_permille"] == 0


def test_a_frame_that_never_changes_is_seen_in_its_raw_value(rig: Rig) -> None:
    rig.read()
    first = rig.driver.raw
    rig.read()
    assert rig.driver.raw != first
    rig.device.stuck = True
    rig.read()
    first = rig.driver.raw
    rig.read()
    assert rig.driver.raw == first


def test_its_first_seconds_wander_but_tell_of_nobody() -> None:
    rig = Rig()
    for _ in range(20):
        rig.clock.sleep_ms(1000)
        assert dict(zip(NAMES, rig.driver.read(), strict=True))["warm_permille"] == 0


def test_it_draws_what_its_data_sheet_says(rig: Rig) -> None:
    before = rig.device.charge_uc
    rig.clock.sleep_ms(10_000)
    assert abs(rig.device.charge_uc - before - NORMAL_MA * 10_000) < 1
