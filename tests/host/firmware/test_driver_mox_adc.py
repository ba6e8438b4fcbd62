"""The metal-oxide sensor's driver over a simulated one, and the logarithm against math.log2."""

import math
import random
from fractions import Fraction

import pytest
from dibble import SensorError
from dibble.drivers import mox_adc
from dibble.drivers.log2 import millilog2
from dibble_tools.simulator.devices.analog import AnalogPin, MoxSensor
from dibble_tools.simulator.node.bus import VirtualClock
from pin_port import PinPort, Steady, settings_of


def driver_of(device, clock=None, **settings):
    return mox_adc.build(settings_of(mox_adc, pin=33, **settings), PinPort({33: device}, clock), None)


class Node:
    """A warm sensor read every ten minutes."""

    def __init__(self, seed, drift_doublings_per_year=0.0, gas_ppm=0.0):
        self.clock = VirtualClock()
        rng = random.Random(seed)
        self.sensor = MoxSensor(self.clock.now_us, rng, drift_doublings_per_year)
        self.sensor.gas_ppm = gas_ppm
        self.driver = driver_of(AnalogPin(self.sensor.volts, rng, noise_v=0.001), self.clock)
        self.warming = self.errors()

    def errors(self):
        count = 0
        while True:
            try:
                self.driver.start()
                self.driver.read()
            except SensorError as error:
                assert "warming up" in str(error)
                count += 1
                self.clock.sleep_ms(600_000)
            else:
                return count

    def run(self, readings):
        for _ in range(readings):
            self.clock.sleep_ms(600_000)
            self.sensor.age_years = self.clock.now_us() / 3.156e13
            last = self.driver.read()
        return last


@pytest.mark.parametrize("seed", range(8))
def test_resistance_of_parts_a_decade_apart(seed):
    node = Node(seed)
    assert node.warming == 3
    assert abs(node.run(1)[1] / node.sensor.resistance_ohm() - 1) < 0.02


@pytest.mark.parametrize("gas_ppm", [0.5, 1.0, 3.0, 15.0])
def test_ratio_is_the_doublings_from_clean_air(gas_ppm):
    node = Node(1)
    assert abs(node.run(10)[0]) <= 10
    node.sensor.gas_ppm = gas_ppm
    expected = -1000 * node.sensor.exponent * math.log2(1 + gas_ppm)
    assert abs(node.run(1)[0] - expected) <= 25


def test_gas_of_half_a_day_hardly_moves_the_baseline():
    node = Node(1)
    node.run(10)
    node.sensor.gas_ppm = 3.0
    first = node.run(1)[0]
    last = node.run(71)[0]
    assert first < -1100
    assert 0 <= last - first <= 100
    node.sensor.gas_ppm = 0.0
    assert abs(node.run(20)[0]) <= 10


def test_ageing_of_a_season_is_followed():
    node = Node(1, drift_doublings_per_year=1.0)
    ratios = [node.run(144)[0] for _ in range(90)]
    assert min(ratios) > -40
    assert node.sensor.age_years > 0.24


def test_cleaner_air_than_ever_becomes_the_baseline_within_hours():
    node = Node(1, gas_ppm=3.0)
    assert abs(node.run(10)[0]) <= 10
    node.sensor.gas_ppm = 0.0
    assert 800 < node.run(1)[0] < 1000
    assert abs(node.run(20)[0]) <= 10


def test_the_first_half_hour_is_an_error():
    clock = VirtualClock()
    driver = driver_of(Steady(1_650_000), clock)
    with pytest.raises(SensorError, match="expected a warm gas sensor at pin 33, got one warming up: 30 min left"):
        driver.read()
    clock.sleep_ms(1_799_999)
    with pytest.raises(SensorError, match="1 min left"):
        driver.read()
    clock.sleep_ms(1)
    assert driver.read() == (0, 10_000)


@pytest.mark.parametrize("uv", [0, 32_999, 3_267_001, 3_298_000])
def test_unplugged_or_shorted_is_an_error(uv):
    with pytest.raises(SensorError, match=f"expected 1 to 99 % of 3300 mV of a gas sensor at pin 33, got {uv // 1000}"):
        driver_of(Steady(uv), warm_up_s=0).read()


def test_a_module_of_5_v_behind_a_divider():
    driver = driver_of(Steady(1_250_000), warm_up_s=0, supply_mv=5000, divider_permille=2000, load_ohm=4700)
    assert driver.read() == (0, 4700)


def test_an_open_pin_is_an_error():
    for seed in range(300):
        pin = AnalogPin(lambda: 0.5, random.Random(seed))
        pin.disconnected = True
        with pytest.raises(SensorError):
            driver_of(pin, warm_up_s=0).read()


def test_two_sensors_have_baselines_of_their_own():
    port = PinPort({1: Steady(1_650_000), 2: Steady(330_000)})
    drivers = [mox_adc.build(settings_of(mox_adc, pin=pin, warm_up_s=0), port, None) for pin in (1, 2)]
    assert [driver.read() for driver in drivers] == [(0, 10_000), (0, 90_000)]


def test_logarithm_is_less_than_a_thousandth_off():
    rng = random.Random(1)
    for n in [*range(1, 20_000), *(rng.randrange(1, 1 << 30) for _ in range(20_000))]:
        assert abs(millilog2(n) - 1000 * math.log2(n)) < 1, n


def test_logarithm_never_falls_where_its_mantissa_changes():
    # Above 15 bits the mantissa cuts bits off: its steps are where a fall could be.
    for exponent in range(14, 30):
        step = 1 << exponent - 14
        logs = [millilog2((1 << exponent) + i * step) for i in range(1 << 14)]
        assert logs == sorted(logs)
        assert logs[0] == 1000 * exponent
        assert millilog2((1 << exponent) - 1) <= logs[0]


@pytest.mark.parametrize("load_ohm", [100, 4700, 1_000_000])
def test_resistance_equals_fractions(load_ohm):
    for load_uv in range(33_000, 3_267_001, 9973):
        exact = Fraction(load_ohm * (3_300_000 - load_uv), load_uv)
        assert mox_adc.resistance_ohm(load_uv, 3_300_000, load_ohm) == math.floor(exact + Fraction(1, 2))
