"""Heater scans of all three chips against a model of their registers: times, charge, lost steps, what is refused."""

import math
import random
from fractions import Fraction
from typing import Any

import pytest
from dibble import ConfigError, SensorError
from dibble.drivers import bme680, bme680_scan, channels_of
from dibble.inference.fixed_point import MISSING
from dibble_tools.simulator.devices.bme680 import Bme680
from dibble_tools.simulator.devices.cable import I2cCable
from dibble_tools.simulator.node.bus import SimBus, VirtualClock

SETTINGS = {
    "driver": "bme680",
    "channels": (),
    "address": 0x77,
    "heater_c": 320,
    "heater_ms": 0,
    "interval_s": 600,
    "profile": "hp354",
    "scans": 1,
    "each": False,
    "mode": "",
}
UNITS_354 = 77
BME680, BME688, BME690 = range(3)


class Clock(VirtualClock):
    """Counts the waits in which the processor may stop."""

    light_sleep = False
    dozed_ms = 0

    def doze_ms(self, ms: int, light: bool) -> None:
        self.dozed_ms += ms if light else 0
        self.sleep_ms(ms)


class Rig:
    """A started scanner; `scan()` reads as a node does."""

    def __init__(self, variant: int, **settings: Any) -> None:
        self.clock = Clock()
        self.device = Bme680(self.clock.now_us, variant=variant)
        self.bus = SimBus({0x77: self.device})
        self.driver = bme680.build({**SETTINGS, **settings}, self.clock, self.bus)
        self.clock.sleep_ms(10)
        self.driver.start()

    def scan(self) -> tuple[int, ...]:
        self.driver.read_cheap()
        return self.driver.read_costly()

    def timed(self) -> tuple[float, float]:
        """Return seconds and mA of a scan, whose sensor has been heated before."""
        began_us, before_uc = self.clock.now_us(), self.device.charge_uc
        self.driver.read_costly()
        seconds = (self.clock.now_us() - began_us) / 1e6
        return seconds, (self.device.charge_uc - before_uc) / 1000 / seconds


def octaves(ohm: int, other: int) -> float:
    return math.log2(ohm / other)


@pytest.mark.parametrize("variant", [BME688, BME690])
@pytest.mark.parametrize("new_stays", [True, False])
def test_a_parallel_scan_takes_the_profiles_time_and_loses_nothing(variant: int, new_stays: bool) -> None:
    """HP-354: 10.8 s and 12 mA, at 140 ms polls, over scans enough for the measurement index to wrap."""
    rig = Rig(variant)
    rig.device.new_stays = new_stays
    rig.scan()
    for _ in range(12):
        seconds, milliampere = rig.timed()
        assert 10.7 < seconds < 11.0 and abs(milliampere - 12) < 0.1
        assert rig.driver.lost == 0 and rig.driver.partial == ""


@pytest.mark.parametrize("profile", sorted(bme680_scan.PROFILES))
@pytest.mark.parametrize("variant", [BME680, BME688, BME690])
def test_a_forced_scan_is_within_a_twentieth_of_the_profiles_time(variant: int, profile: str) -> None:
    """Steps over 4,032 ms too, of which HP-354 and others have some."""
    rig = Rig(variant, profile=profile, mode="forced")
    rig.scan()
    wanted_s = sum(units for _, units in bme680_scan.steps_of(profile)) * 0.14
    seconds, milliampere = rig.timed()
    assert abs(seconds / wanted_s - 1) < 0.05
    assert 11.4 < milliampere < 12.1


@pytest.mark.parametrize(("variant", "mode"), [(BME680, ""), (BME688, ""), (BME690, ""), (BME688, "forced")])
def test_each_step_is_the_truth_at_its_temperature(variant: int, mode: str) -> None:
    """Once the cold is forgotten: in the fifth scan, within what 10 C of the heater and a count are."""
    rig = Rig(variant, scans=5, mode=mode, profile="100:30 200:10 260:5 320:5")
    rig.device.gas_resistance_ohm = 70_000
    readings = rig.scan()
    for celsius, ohm in zip((100, 200, 260, 320), readings, strict=True):
        assert abs(octaves(ohm, 70_000) - rig.device.octaves(celsius)) < 0.25


@pytest.mark.parametrize("celsius", [-15.0, 20.0, 45.0])
@pytest.mark.parametrize("step", ["50:5", "100:5", "400:5"])
def test_heater_reaches_its_step_in_any_weather(step: str, celsius: float) -> None:
    """Within 12 C: anew at each scan, and down to 50 C where the air isn't warmer."""
    rig = Rig(BME688, profile=step)
    for weather in (celsius, 0.0, celsius):
        rig.device.air_temperature_c = weather
        rig.scan()
        wanted = max(int(step.split(":")[0]), weather + 10)
        assert abs(rig.device.heater_c - wanted) < 12


@pytest.mark.parametrize("variant", [BME680, BME688])
def test_the_first_scan_after_a_sleep_is_far_below_the_fifth(variant: int) -> None:
    """1.5 to 3.2 octaves at 100 C: why a node's scans are numbered."""
    rig = Rig(variant, scans=5, each=True, interval_s=600)
    rig.scan()
    rig.clock.sleep_ms(600_000)
    readings = rig.scan()
    assert len(readings) == 50
    for step in (1, 2, 3):
        assert 1.5 <= octaves(readings[40 + step], readings[step]) <= 3.2
    assert octaves(readings[49], readings[9]) < 0.1


def test_several_scans_give_the_last_or_each() -> None:
    assert len(Rig(BME688, scans=3).scan()) == 10
    settings = {**SETTINGS, "scans": 2, "each": True, "profile": "short"}
    names = [name for name, _ in channels_of([settings])[0][0]]
    assert names[3:] == [f"gas_s{scan}_{step}_ohm" for scan in (1, 2) for step in range(3)]
    one = [name for name, _ in channels_of([SETTINGS])[0][0]]
    assert one == [
        "air_temperature_centi_c",
        "humidity_permille",
        "pressure_pa",
        *(f"gas_{step}_ohm" for step in range(10)),
    ]
    assert len(channels_of([{**SETTINGS, "profile": ""}])[0][0]) == 4


def test_a_lost_step_costs_its_scan_and_no_other() -> None:
    rig = Rig(BME688)
    clean = Rig(BME688)
    lost = iter([False] * 4 + [True] + [False] * 99)
    rig.device.loses = lambda: next(lost)
    rig.driver.read_cheap()
    clean.driver.read_cheap()
    began_us = rig.clock.now_us()
    clean.driver.read_costly()
    second = clean.driver.read_costly()
    got = rig.driver.read_costly()
    assert rig.driver.lost == 1
    assert 21 < (rig.clock.now_us() - began_us) / 1e6 < 22
    assert all(abs(octaves(a, b)) < 0.15 for a, b in zip(got, second, strict=True))


def test_a_sensor_that_loses_steps_in_each_scan_is_a_fault_and_not_left_hot() -> None:
    rig = Rig(BME688)
    rng = random.Random(1)
    rig.device.loses = lambda: rng.random() < 0.5
    with pytest.raises(SensorError, match=r"expected 1 whole scan of 10 steps at I2C 0x77, got 0, and \d+ with a lost"):
        rig.scan()
    before_uc = rig.device.charge_uc
    rig.clock.sleep_ms(60_000)
    rig.driver.read_cheap()
    assert rig.device.charge_uc - before_uc < 100


def test_a_node_that_looks_too_seldom_loses_steps() -> None:
    """Three fields hold 420 ms."""
    rig = Rig(BME688, profile="320:1 200:1 100:1 200:1 320:1")
    rig.driver.read_cheap()
    rig.clock.doze_ms = lambda ms, light: rig.clock.sleep_ms(600)  # type: ignore[method-assign]
    with pytest.raises(SensorError, match="with a lost step"):
        rig.driver.read_costly()


def test_what_is_old_when_a_scan_begins_isnt_of_it() -> None:
    """The fields still hold the scan before, whose index and bit for new data they keep."""
    rig = Rig(BME688, profile="320:3 100:3 200:3")
    rig.scan()
    rig.device.gas_resistance_ohm = 400_000
    rig.clock.sleep_ms(1000)
    assert all(ohm > 300_000 for ohm in rig.scan())


def test_steps_without_a_stable_heater_are_missing_and_told() -> None:
    for variant in (BME680, BME688):
        rig = Rig(variant, profile="320:2 100:2 200:2")
        rig.scan()
        stable = iter([True, False, True])
        convert = rig.device._convert_gas

        def some(ms: float, convert: Any = convert, device: Bme680 = rig.device, stable: Any = stable) -> None:
            device.heater_is_weak = not next(stable)
            convert(ms)

        rig.device._convert_gas = some  # type: ignore[method-assign]
        readings = rig.scan()
        assert [ohm == MISSING for ohm in readings] == [False, True, False]
        assert rig.driver.partial == "expected each step valid and stable at I2C 0x77, got step 1 not stable"
        rig.device._convert_gas = convert  # type: ignore[method-assign]
        assert MISSING not in rig.scan() and rig.driver.partial == ""


def test_no_step_at_all_is_a_fault() -> None:
    for variant, message in (
        (BME680, "a step that is valid and stable .*, got none, .*step 2 not"),
        (BME688, "1 whole"),
    ):
        rig = Rig(variant, profile="short")
        rig.device.gas_is_dummy = True
        with pytest.raises(SensorError, match=rf"expected {message}"):
            rig.scan()


def test_one_lost_answer_at_any_moment_of_a_scan_is_no_fault() -> None:
    for variant in (BME680, BME688):
        rig = Rig(variant, profile="320:2 100:2")
        cable = rig.bus.devices[0x77] = I2cCable(rig.device, random.Random(1))  # type: ignore[index]
        rig.scan()
        for _ in range(12):
            rig.driver.read_cheap()
            cable.lose = 1
            rig.driver.read_costly()


def test_waits_between_polls_are_light_sleep_where_the_node_sleeps_lightly() -> None:
    for light, dozed_ms in ((True, 10_500), (False, 0)):
        rig = Rig(BME688)
        rig.clock.light_sleep = light
        rig.scan()
        assert dozed_ms <= rig.clock.dozed_ms <= 11_100 * light


def test_parallel_isnt_asked_of_a_bme680() -> None:
    with pytest.raises(SensorError, match=r"expected a BME688 or BME690 for parallel scans at .*, got a BME680"):
        Rig(BME680, mode="parallel").scan()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"profile": "320:5 " * 11}, "profile: expected 1 to 10 steps, got 11"),
        ({"profile": "hp355"}, "profile: expected steps as 320:5, or one of hp301, .*, short, got 'hp355'"),
        ({"profile": "500:5"}, "profile: expected 50 to 400 C, got 500 in 500:5"),
        ({"profile": "320:5 49:5"}, "profile: expected 50 to 400 C, got 49 in 49:5"),
        ({"profile": "320:0"}, "profile: expected 1 to 255 units of 140 ms, got 0 in 320:0"),
        ({"profile": "320:256"}, "profile: expected 1 to 255 units of 140 ms, got 256 in 320:256"),
        ({"profile": "320"}, "profile: expected steps as 320:5"),
        ({"profile": "-320:5"}, "profile: expected steps as 320:5"),
        ({"profile": " "}, "profile: expected 1 to 10 steps, got 0"),
        ({"mode": "sequential"}, "mode: expected forced or parallel, got 'sequential'"),
        ({"scans": 10, "interval_s": 100}, "interval_s: expected at least 108, as long as 10 scans, got 100"),
        ({"scans": 7, "each": True}, "profile: expected at most 60 steps in all scans that are given, got 70"),
    ],
)
def test_what_cant_be_is_refused(settings: dict[str, Any], message: str) -> None:
    whole = {**SETTINGS, **settings}
    with pytest.raises(ConfigError, match=message):
        bme680.channels(whole)
        bme680.build(whole, VirtualClock(), SimBus({}))


def test_gas_is_to_the_ohm_at_every_count_and_range() -> None:
    for gas_range in range(16):
        for adc in range(1024):
            exact = Fraction(10**6 * (262144 >> gas_range), 4096 + 3 * (adc - 512))
            assert bme680_scan.gas_high_ohm(adc, gas_range) == math.floor(exact + Fraction(1, 2))


def test_times_are_the_nearest_that_the_register_can_say() -> None:
    for ms in range(1, 4033):
        code, meant = bme680_scan.time_code(ms)
        assert 0 <= code <= 255 and (code & 63) << 2 * (code >> 6) == meant
        unit = 1 << 2 * (code >> 6)
        assert abs(meant - ms) <= unit // 2
