"""The rain gauge's driver over a simulated tipping bucket, and a node that counts in its sleep and over resets."""

import random
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest
from dibble import SensorError
from dibble.drivers import rain_gauge
from dibble_tools.simulator.devices.rain_gauge import RainGauge
from dibble_tools.simulator.node.firmware import firmware_folder
from node_helpers import Bench
from pin_port import PinPort, settings_of


def wired(seed=1, **settings):
    gauge = RainGauge(random.Random(seed))
    port = PinPort({9: gauge})
    return gauge, port, rain_gauge.build(settings_of(rain_gauge, pin=9, **settings), port, None)


def micrometres(tips):
    return floor(Fraction(tips * 279400, 1000) + Fraction(1, 2))


@pytest.mark.parametrize("mm_h", [0.5, 5.0, 60.0, 300.0])
def test_each_tip_counts_once_bounces_and_all(mm_h):
    gauge, port, driver = wired()
    gauge.mm_h = mm_h
    total = 0
    for _ in range(12):
        before = gauge.tips
        port.sleep_ms(600_000)
        rain, total = driver.read()
        assert rain == micrometres(gauge.tips - before)
    assert total == micrometres(gauge.tips)
    assert abs(total / 1000 - 2 * mm_h) <= 2 * gauge.mm_per_tip


def test_no_rain_writes_nothing():
    _, port, driver = wired()
    port.sleep_ms(600_000)
    assert driver.read() == (0, 0) and port.kept.payload is None


def test_the_total_outlives_a_reset():
    gauge, port, driver = wired()
    gauge.mm_h = 20.0
    port.sleep_ms(3_600_000)
    total = driver.read()[1]
    assert total > 19000
    gauge.mm_h = 0.0
    again = rain_gauge.build(settings_of(rain_gauge, pin=9), port, None)
    port.sleep_ms(600_000)
    assert again.read() == (0, total)


def test_two_gauges_keep_their_own_totals():
    gauges = {pin: RainGauge(random.Random(pin)) for pin in (9, 10)}
    port = PinPort(gauges)
    totals = {}
    for pin, mm_h in ((9, 10.0), (10, 40.0)):
        gauges[pin].mm_h = mm_h
        driver = rain_gauge.build(settings_of(rain_gauge, pin=pin), port, None)
        port.sleep_ms(3_600_000)
        totals[pin] = driver.read()[1]
    for pin, gauge in gauges.items():
        gauge.mm_h = 0.0
        driver = rain_gauge.build(settings_of(rain_gauge, pin=pin), port, None)
        assert driver.read()[1] == totals[pin]
    assert totals[9] != totals[10]


def test_more_than_can_fall_is_an_error():
    class Chattering:
        def changes(self, start_us, end_us):
            return [(us, us // 60_000 % 2 == 0) for us in range(-(-start_us // 60_000) * 60_000, end_us, 60_000)]

    port = PinPort({9: Chattering()})
    driver = rain_gauge.build(settings_of(rain_gauge, pin=9), port, None)
    port.sleep_ms(60_000)
    with pytest.raises(
        SensorError, match="expected at most a tip in 500 ms of the rain gauge at pin 9, got 499 in 60000"
    ):
        driver.read()


def test_the_total_begins_anew_after_a_kilometre():
    _, port, driver = wired(nm_per_tip=10_000_000)
    driver.tips = 100_000
    driver.pulses.take = lambda: 1
    port.sleep_ms(10_000)
    assert driver.read() == (10_000, 10_000)


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return firmware_folder(tmp_path_factory.mktemp("firmware") / "node")


def test_a_node_counts_while_it_sleeps_and_over_a_reset(firmware, tmp_path):
    """It says that it sleeps idle: a light sleep would miss the tips."""
    bench = Bench(firmware, tmp_path, sensors=[{"driver": "rain_gauge", "pin": 9}], actions=[], interval_s=600)
    gauge = RainGauge(random.Random(4))
    gauge.mm_h = 12.0
    bench.hardware.pulses = {9: gauge}
    bench.run(125)
    assert "rain_gauge counts while the node sleeps: its sleep is idle" in bench.events("boot")
    assert bench.hardware.asleep_us == 0
    rows = bench.rows()
    falling = [row.readings["rain_um"] for row in rows[1:]]
    assert abs(sum(falling) / 1000 - 24) < 1 and min(falling) > 1000
    total = rows[-1].readings["rain_total_um"]
    bench.hardware.power_on(1)
    bench.vm.console = b""
    bench.run(30)
    assert bench.rows()[0].readings["rain_total_um"] - total < 3 * 280
    assert bench.rows()[-1].readings["rain_total_um"] > total
