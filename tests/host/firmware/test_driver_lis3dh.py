"""The LIS3DH driver on a model of its registers: what it tells, what it loses, and each way it can fail."""

import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from collars import BEHAVIOURS, animal
from dibble import ConfigError, SensorError
from dibble.drivers import lis3dh
from dibble_tools.data.motion import motion_of
from dibble_tools.model.convert import convert
from dibble_tools.simulator.devices.cable import I2cCable
from dibble_tools.simulator.devices.lis3dh import Lis3dh
from dibble_tools.simulator.node.bus import SimBus, VirtualClock
from sklearn.tree import DecisionTreeClassifier

NAMES = [name for name, _ in lis3dh.CHANNELS]


class Rig:
    """A started accelerometer; `read()` after an interval in which the node asked it, as a dict."""

    def __init__(self, seed: int = 0, **settings: Any) -> None:
        self.clock = VirtualClock()
        self.device = Lis3dh(self.clock.now_us, seed)
        self.settings = {"address": 0x18, "rate_hz": 25, "range_g": 4, "samples": 0, **settings}
        self.cable = I2cCable(self.device, random.Random(1))
        port = SimpleNamespace(sleep_ms=self.clock.sleep_ms)
        self.driver = lis3dh.build(self.settings, port, SimBus({0x18: self.cable}))
        self.driver.start()

    def read(self, seconds: float = 10) -> dict[str, int]:
        for _ in range(int(seconds * 2)):
            self.clock.sleep_ms(500)
            self.driver.keep_alive()
        return dict(zip(NAMES, self.driver.read(), strict=True))


def test_one_that_lies_still_feels_gravity_alone() -> None:
    told = Rig().read()
    assert abs(told["z_mean_mg"] - 1000) < 80 and abs(told["x_mean_mg"]) < 80
    assert told["octave_0_mg"] < 12 and told["x_span_mg"] < 20
    assert (told["samples_count"], told["overruns_count"]) == (250, 0)


def test_every_sample_is_taken_once_and_told_as_the_host_has_it() -> None:
    rig = Rig()
    rig.device.moves = animal(1, "walking")
    felt: list[tuple[int, int, int]] = []
    given = rig.device._felt

    def feel(at_s: float) -> tuple[int, int, int]:
        felt.append(given(at_s))
        return felt[-1]

    rig.device._felt = feel  # type: ignore[method-assign]
    first, second = rig.read(), rig.read()
    digits = np.array(felt) >> 4
    for at, told in ((0, first), (250, second)):
        assert list(told.values())[:-2] == [2 * value for value in motion_of(digits[at : at + 250])]


@pytest.mark.parametrize(("range_g", "scale"), [(2, 1), (4, 2), (8, 4), (16, 12)])
def test_a_step_is_as_large_as_the_range_makes_it(range_g: int, scale: int) -> None:
    rig = Rig(range_g=range_g)
    rig.device.moves = lambda at_s: (-500.0, 0.0, 900.0)
    told = rig.read()
    assert abs(told["x_mean_mg"] + 500) < 80 and all(told[name] % scale == 0 for name in NAMES[:-2])


def test_an_octave_is_a_band_of_frequencies() -> None:
    for octave, hz in ((0, 9.0), (2, 2.3), (4, 0.55)):
        rig = Rig()
        rig.device.moves = lambda at_s, hz=hz: (300 * np.sin(6.2832 * hz * at_s), 0.0, 1000.0)  # type: ignore[misc]
        told = rig.read(20)
        moved = [told[f"octave_{k}_mg"] for k in range(6)]
        assert moved.index(max(moved)) == octave, (hz, moved)


def test_who_comes_late_is_told_that_samples_were_lost() -> None:
    rig = Rig()
    rig.read()
    rig.clock.sleep_ms(3000)
    told = rig.read(5)
    assert told["overruns_count"] == 1 and told["samples_count"] == 32 + 113
    assert rig.read()["overruns_count"] == 0


def test_a_vibration_is_taken_when_it_is_read() -> None:
    rig = Rig(rate_hz=400, samples=256)
    assert rig.driver.keep_alive_ms == 0
    rig.device.moves = lambda at_s: (200 * np.sin(6.2832 * 150 * at_s), 0.0, 1000.0)
    rig.clock.sleep_ms(60_000)
    before = rig.clock.now_us()
    told = rig.read(0)
    assert 256 <= told["samples_count"] < 256 + 32 and not told["overruns_count"]
    assert rig.clock.now_us() - before < 900_000
    assert told["octave_0_mg"] > 2 * told["octave_2_mg"]


def test_what_a_configuration_may_not_ask_for() -> None:
    for settings, reason in (
        ({"rate_hz": 30}, "lis3dh.rate_hz: expected one of 10, 25, 50, 100, 200, 400, got 30"),
        ({"range_g": 3}, "lis3dh.range_g: expected one of 2, 4, 8, 16, got 3"),
        ({"rate_hz": 100}, "lis3dh.rate_hz: expected at most 50, or `samples`, got 100"),
        ({"samples": 20}, "lis3dh.samples: expected 0, or at least 64, got 20"),
    ):
        with pytest.raises(ConfigError, match=reason):
            Rig(**settings)


def test_it_tells_what_fails() -> None:
    rig = Rig()
    with pytest.raises(SensorError, match="expected at least 64 samples at I2C 0x18"):
        rig.read(1)
    rig.device.absent = True
    with pytest.raises(SensorError):
        rig.read()
    wrong = Rig.__new__(Rig)
    Rig.__init__(wrong)
    wrong.device._get = lambda number: 0x32  # type: ignore[method-assign]
    with pytest.raises(SensorError, match="expected chip id 0x33 at I2C 0x18, got 0x32"):
        wrong.driver.start()


def test_lost_power_in_between_is_a_fault_and_start_mends_it() -> None:
    rig = Rig()
    rig.device.power_cycle()
    with pytest.raises(SensorError, match="expected at least 64 samples"):
        rig.read()
    rig.driver.start()
    assert rig.read()["samples_count"] == 250


def test_behaviours_of_animals_not_seen_are_told_apart() -> None:
    rows: list[list[int]] = []
    labels: list[str] = []
    animals: list[int] = []
    for number in range(6):
        for behaviour in BEHAVIOURS:
            rig = Rig(number)
            rig.device.moves = animal(number, behaviour)
            for _ in range(5):
                rows.append(list(rig.read().values()))
                labels.append(behaviour)
                animals.append(number)
    x, y, seen = np.array(rows), np.array(labels), np.array(animals) < 4
    model = convert(DecisionTreeClassifier(max_leaf_nodes=8, random_state=0).fit(x[seen], y[seen]), x[seen])
    told = np.array(model.classes)[model.decide(x[~seen]).class_index]
    assert (told == y[~seen]).mean() > 0.85
