"""The MLX90640 driver on a model of its words: halves in turn, offsets, gain, and each way it can fail."""

from types import SimpleNamespace
from typing import Any

import pytest
from dibble import SensorError
from dibble.drivers import mlx90640_raw
from dibble_tools.simulator.devices.mlx90640 import CONTROL, Mlx90640
from dibble_tools.simulator.node.bus import SimBus, VirtualClock

NAMES = [name for name, _ in mlx90640_raw.CHANNELS]


class Rig:
    """A started array; `read()` ten seconds later, as a dict."""

    def __init__(self, **device: Any) -> None:
        self.clock = VirtualClock()
        self.device = Mlx90640(self.clock.now_us, **device)
        settings = {"address": 0x33, "warm_counts": 30, "blocks": False, "frames": 0}
        port = SimpleNamespace(sleep_ms=self.clock.sleep_ms)
        self.driver = mlx90640_raw.build(settings, port, SimBus({0x33: self.device}))

    def started(self) -> "Rig":
        self.driver.start()
        return self

    def read(self) -> dict[str, int]:
        self.clock.sleep_ms(10_000)
        return dict(zip(NAMES, self.driver.read(), strict=True))


@pytest.fixture
def rig() -> Rig:
    return Rig().started()


def person(row: float, column: float) -> float:
    return 31.0 if abs(row - 0.5) < 0.2 and abs(column - 0.8) < 0.1 else 18.0


def test_each_pixel_is_its_count_times_the_gain_less_its_offset(rig: Rig) -> None:
    """Against the data sheet's formulas in floats, of the same words: within half a count and the gain's step."""
    rig.device.scene = person
    rig.read()
    gain = rig.device.memory[0x30] / rig.device._gain
    for place, count in enumerate(rig.device._pixels):
        signed = count - 0x10000 if count & 0x8000 else count
        assert abs(rig.driver.heat.frame[place] - (signed * gain - rig.device.offset(place))) < 0.6


def test_a_person_stands_out_where_they_stand(rig: Rig) -> None:
    rig.device.scene = lambda row, column: 18.0
    for _ in range(3):
        assert rig.read()["warm_permille"] == 0
    rig.device.scene = person
    told = rig.read()
    assert 50 < told["warm_permille"] == told["moved_permille"] < 80
    assert 100 < told["warm_max_counts"] < 200
    assert 300 <= told["warm_row_permille"] <= 700 <= told["warm_column_permille"] <= 900


def test_an_array_that_warms_up_tells_of_nobody(rig: Rig) -> None:
    """15 C in 5 minutes, as in the sun, and a supply that sinks: what all pixels do together."""
    for i in range(30):
        rig.device.array_c = 20 + i / 2
        rig.device.supply_v = 3.3 - i / 300
        assert rig.read()["warm_permille"] == 0


def test_both_halves_are_of_the_same_moment(rig: Rig) -> None:
    """A warm body that comes shows in all its pixels, not as a chess board."""
    rig.device.scene = lambda row, column: 18.0
    for _ in range(3):
        rig.read()
    rig.device.scene = lambda row, column: 30.0 if row < 0.3 else 18.0
    rig.read()
    assert all(value > 50 for value in rig.driver.heat.above[: 32 * 7])


def test_broken_pixels_of_its_memory_take_their_neighbours() -> None:
    rig = Rig(broken=(0, 33, 767)).started()
    rig.read()
    frame = rig.driver.heat.frame
    assert frame[33] == (frame[32] + frame[34] + 1) // 2 and frame[0] == frame[1] and frame[767] == frame[766]


def test_more_broken_pixels_than_the_data_sheet_allows_are_a_fault() -> None:
    with pytest.raises(SensorError, match="at most 4 broken pixels at I2C 0x33, got 5"):
        Rig(broken=(1, 3, 5, 7, 9)).started()


def test_a_memory_that_is_all_ones_is_a_fault() -> None:
    rig = Rig()
    rig.device.memory = [0xFFFF] * 832
    with pytest.raises(SensorError, match="gain of the factory's at I2C 0x33, got 0xffff in its memory"):
        rig.started()


def test_an_array_without_new_data_is_a_fault(rig: Rig) -> None:
    rig.read()
    rig.device.never_ready = True
    with pytest.raises(SensorError, match="new data within 1000 ms at I2C 0x33, got status 0x00"):
        rig.read()


def test_halves_that_dont_take_turns_are_a_fault(rig: Rig) -> None:
    rig.device.one_half = 0
    rig.clock.sleep_ms(1000)
    with pytest.raises(SensorError, match="halves of a frame in turn at I2C 0x33, got none in 8"):
        rig.read()


def test_a_half_that_is_overwritten_while_it_is_read_is_read_anew(rig: Rig) -> None:
    rig.device.torn = 2
    assert rig.read()["warm_permille"] == 0
    assert rig.device.torn == 0
    rig.device.torn = 99
    with pytest.raises(SensorError, match="halves of a frame in turn"):
        rig.read()


def test_an_array_that_lost_its_power_is_set_up_anew(rig: Rig) -> None:
    rig.read()
    rig.device.power_cycle()
    rig.clock.sleep_ms(100)
    assert rig.read()["warm_permille"] == 0
    assert rig.device._words[CONTROL] == mlx90640_raw.CHESS_4_A_SECOND


def test_pixels_that_were_never_measured_are_a_fault(rig: Rig) -> None:
    rig.read()
    rig.device.stuck = True
    rig.device._pixels[64] = 0x7FFF
    with pytest.raises(SensorError, match="expected pixels that were measured at I2C 0x33, got 0x7fff in row 2"):
        rig.read()


def test_a_gain_that_cant_be_is_a_fault(rig: Rig) -> None:
    rig.read()
    rig.device.stuck = True
    rig.device._gain = 100
    with pytest.raises(SensorError, match="gain of half to twice the factory's"):
        rig.read()


def test_a_silent_array_is_a_fault(rig: Rig) -> None:
    rig.device.absent = True
    with pytest.raises(SensorError, match="expected an answer at I2C 0x33, got none"):
        rig.read()


def test_a_frame_that_never_changes_is_seen_in_its_raw_value(rig: Rig) -> None:
    rig.read()
    rig.device.stuck = True
    rig.read()
    first = rig.driver.raw
    rig.read()
    assert rig.driver.raw == first
    rig.device.stuck = False
    rig.read()
    assert rig.driver.raw != first
