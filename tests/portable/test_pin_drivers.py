"""The drivers of single pins, whole, at one voltage or one count."""

from dibble import SensorError
from dibble.drivers import anemometer, battery, ds18b20, gas_adc, mox_adc, soil_adc, wind_vane


class Port:
    """A port whose every pin is at the same voltage and closes a contact once in 50 ms."""

    def __init__(self, uv):
        self.uv = uv
        self.at_end = uv == 3300000
        self.now_ms = 0
        self.taken_ms = 0
        self.sent = []
        self.rom = b"\x28\x4a\x1c\xe8\x06\x00\x00\x7d"
        self.scratchpad = b"\x5e\xff\x00\x00\x7f\xff\x0c\x10\x92"

    def analog(self, pin):
        return self

    def read_uv(self):
        return self.uv

    def pulses(self, pin, lockout_ms, pull_up):
        return self

    def take(self):
        closures = (self.now_ms - self.taken_ms) // 50
        self.taken_ms = self.now_ms
        return closures

    def onewire(self, pin):
        return self

    def reset(self):
        self.sent = []
        self.reads = 0
        return True

    def write(self, byte):
        self.sent.append(byte)

    def read(self):
        code = self.sent[0] if self.sent[0] == 0x33 else self.sent[9]
        if code == 0x44:
            return 0xFF
        self.reads += 1
        return (self.rom if code == 0x33 else self.scratchpad)[self.reads - 1]

    def ticks_ms(self):
        return self.now_ms

    def ticks_diff(self, newer, older):
        return newer - older

    def sleep_ms(self, ms):
        self.now_ms += ms


def driver_of(module, uv, **given):
    settings = {"pin": "A0"}
    for name, _, _, _, default in module.SETTINGS:
        settings.setdefault(name, default)
    settings.update(given)
    driver = module.build(settings, Port(uv), None)
    driver.start()
    return driver


def complaint(driver):
    try:
        driver.read()
    except SensorError as error:
        return str(error)
    return ""


def test_battery():
    assert driver_of(battery, 2100250).read() == (4201,)


def test_soil_probe():
    assert driver_of(soil_adc, 1750000, probe_curve=[2300, 1200]).read() == (500,)
    corrected = driver_of(soil_adc, 1500000, probe_curve=[2300, 1200], supply_mv_nominal=3500, supply_pin=27)
    assert corrected.read() == (500,)
    text = "expected 2300 to 1200 mV of a soil probe at pin A0, got 12 mV: unplugged or shorted?"
    assert complaint(driver_of(soil_adc, 12345, probe_curve=[2300, 1200])) == text


def test_gas_cell():
    assert driver_of(gas_adc, 450000, zero_uv=400000, uv_per_ppm=50000).read() == (1000,)
    driver = driver_of(gas_adc, 0, zero_uv=400000, uv_per_ppm=50000)
    assert "at most 500 ppb below zero" in complaint(driver)
    assert "saturated" in complaint(driver_of(gas_adc, 3100000, zero_uv=400000, uv_per_ppm=50000))


def test_metal_oxide_sensor():
    driver = driver_of(mox_adc, 1650000)
    text = "expected a warm gas sensor at pin A0, got one warming up: 30 min left"
    assert complaint(driver) == text
    port = driver.warm_up.port
    port.sleep_ms(1800000)
    assert driver.read() == (0, 10000)
    port.uv = 2200000
    assert driver.read() == (-999, 5000)
    port.uv = 0
    assert complaint(driver).startswith("expected 1 to 99 % of 3300 mV of a gas sensor at pin A0, got 0 mV")


def test_anemometer():
    assert driver_of(anemometer, 0).read() == (1334, 1334)
    storm = driver_of(anemometer, 0)
    storm.port.take = lambda: 338
    assert complaint(storm).startswith("expected wind of at most 7500 cm/s at pin A0, got 7515")


def test_wind_vane():
    assert driver_of(wind_vane, 300000).read() == (90,)
    assert complaint(driver_of(wind_vane, 3200000)).startswith("expected 212 to 3046 mV of a wind vane at pin A0")


def test_the_converters_very_end_is_no_value():
    given = (
        (battery, {}),
        (soil_adc, {"probe_curve": [3300, 1200]}),
        (gas_adc, {"zero_uv": 400000, "uv_per_ppm": 50000, "saturated_mv": 5000}),
        (mox_adc, {"warm_up_s": 0, "supply_mv": 5000}),
        (wind_vane, {"supply_mv": 3600}),
    )
    text = "expected a voltage within the converter's range at pin A0, got its very end, 3300 mV: shorted, or too high"
    for module, settings in given:
        assert complaint(driver_of(module, 3300000, **settings)) == text, module
    assert complaint(driver_of(battery, 0)) == "expected a battery's voltage at pin A0, got 0 uV: no divider?"


def test_an_eighth_of_the_readings_may_be_at_the_end():
    for ends, fine in ((2, True), (3, False)):
        driver = driver_of(battery, 3290000)
        seen = []

        def read_uv():
            seen.append(1)
            driver.input._adc.at_end = len(seen) <= ends  # noqa: B023 - called within the loop's turn
            return 3290000

        driver.input._adc.read_uv = read_uv
        assert (complaint(driver) == "") == fine


def test_raw_is_the_sum_of_all_readings():
    driver = driver_of(soil_adc, 1750000, probe_curve=[2300, 1200])
    driver.read()
    assert driver.raw == 16 * 1750000


def test_thermometer():
    driver = driver_of(ds18b20, 0)
    assert driver.read() == (-1012,)
    driver.port.scratchpad = bytes(9)
    text = "expected configuration 0x7f of the DS18B20 at pin A0, got 0x00"
    assert complaint(driver) == text
