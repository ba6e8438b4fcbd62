"""The DS18B20's driver over a simulated one, byte by byte."""

import random
from fractions import Fraction
from math import floor

import pytest
from dibble import ConfigError, SensorError
from dibble.drivers import ds18b20
from dibble.drivers.onewire_search import search
from dibble_tools.node.config import whole
from dibble_tools.simulator.devices.cable import OneWireCable
from dibble_tools.simulator.devices.ds18b20 import Ds18b20, OneWireBus, maxim_crc
from dibble_tools.simulator.node.bus import VirtualClock
from pin_port import PinPort, settings_of


class Wired:
    """A driver, its device and the clock."""

    def __init__(self, **device):
        self.clock = VirtualClock()
        self.device = Ds18b20(self.clock.now_us, **device)
        self.driver = ds18b20.build(settings_of(ds18b20, pin=4), PinPort({4: self.device}, self.clock), None)

    def read(self, temperature_c):
        self.device.temperature_c = temperature_c
        return self.driver.read()


@pytest.fixture
def wired():
    found = Wired()
    found.driver.start()
    return found


@pytest.mark.parametrize("temperature_c", [-55.0, -25.0625, -10.125, -0.5, -0.0625, 0.0, 0.0625, 21.37, 84.9375, 125.0])
def test_temperature_to_a_sixteenth_with_halves_up(wired, temperature_c):
    sixteenths = floor(Fraction(temperature_c) * 16 + Fraction(1, 2))
    assert wired.read(temperature_c) == (floor(Fraction(100 * sixteenths, 16) + Fraction(1, 2)),)


def test_a_slow_part_is_waited_for(wired):
    wired.device.slowness = 1.2
    assert wired.read(10.0) == (1000,)
    assert wired.read(-10.0) == (-1000,)


def test_a_conversion_that_never_ends_is_an_error_within_a_second(wired):
    wired.device.slowness = 100
    begin_ms = wired.clock.ticks_ms()
    with pytest.raises(SensorError, match="expected a conversion within 1000 ms of the DS18B20 at pin 4, got none"):
        wired.read(10.0)
    assert wired.clock.ticks_ms() - begin_ms == 1000


def test_a_part_set_to_9_bits_is_set_to_12():
    wired = Wired(eeprom=b"\x4b\x46\x1f")
    wired.driver.start()
    assert wired.read(20.0625) == (2006,)


def test_power_lost_between_readings_recovers():
    wired = Wired(eeprom=b"\x4b\x46\x1f")
    wired.driver.start()
    wired.device.power_cycle()
    with pytest.raises(SensorError, match="expected configuration 0x7f of the DS18B20 at pin 4, got 0x1f"):
        wired.read(20.0625)
    wired.driver.start()
    assert wired.read(20.0625) == (2006,)


def several(*temperatures_c):
    """Return (bus, its devices) of parts with serial numbers of their own."""
    clock = VirtualClock()
    devices = [Ds18b20(clock.now_us, serial=bytes((17 * i + 3, i, 0xE8, 6, 0, 0))) for i in range(len(temperatures_c))]
    for device, temperature_c in zip(devices, temperatures_c, strict=True):
        device.temperature_c = temperature_c
    return PinPort({4: OneWireBus(devices)}, clock), devices


def test_two_at_once_answer_what_neither_says():
    """The kind of fault: both answer SKIP ROM, and a few of the wires' ands have a good CRC."""
    port, devices = several(20.0, 20.0)
    bus = port.devices[4]
    bus.reset()
    bus.write(0x33)
    rom = bytes(bus.read() for _ in range(8))
    assert rom not in [device.rom for device in devices] and rom[0] == 0x28


def test_two_on_one_pin_are_told_with_their_roms():
    port, devices = several(10.0, 20.0)
    driver = ds18b20.build(settings_of(ds18b20, pin=4), port, None)
    with pytest.raises(
        SensorError, match="expected one device, or the rom of each, of the DS18B20 at pin 4, got "
    ) as e:
        driver.start()
    assert sorted(str(e.value).split(", got ")[1].split(", ")) == sorted(device.rom.hex() for device in devices)


def test_several_by_their_roms():
    port, devices = several(10.0, 20.0, -5.5)
    for device in devices:
        driver = ds18b20.build(settings_of(ds18b20, pin=4, rom=device.rom.hex()), port, None)
        driver.start()
        assert driver.read() == (round(100 * device.temperature_c),)


def test_a_second_one_put_on_the_wire_later_is_never_believed():
    for seed in range(40):
        rng = random.Random(seed)
        port, devices = several(*[rng.uniform(-10, 40) for _ in range(2)])
        bus = port.devices[4]
        bus.devices = devices[:1]
        driver = ds18b20.build(settings_of(ds18b20, pin=4), port, None)
        driver.start()
        bus.devices = devices
        truth = driver.read()[0]
        assert abs(truth - 100 * devices[0].temperature_c) <= 4


def test_another_part_in_the_place_of_the_first_is_found_by_start():
    port, devices = several(10.0, 20.0)
    bus = port.devices[4]
    bus.devices = devices[:1]
    driver = ds18b20.build(settings_of(ds18b20, pin=4), port, None)
    driver.start()
    bus.devices = devices[1:]
    with pytest.raises(SensorError):
        driver.read()
    driver.start()
    assert driver.read() == (2000,)


@pytest.mark.parametrize("rom", ["28", "28zz1ce8060000d2", "104a1ce80600005f", "284a1ce806000000", "284a1ce80600"])
def test_a_rom_that_cant_be_one_is_refused(rom):
    with pytest.raises(
        ConfigError, match=f"expected a DS18B20's rom, 16 digits that begin with 28, at pin 4, got {rom}"
    ):
        ds18b20.build(settings_of(ds18b20, pin=4, rom=rom), PinPort({4: None}), None)


def test_two_may_share_a_pin_by_their_roms_only():
    roms = ["284a1ce806000001", "284a1ce806000002"]
    whole({"sensors": [{"driver": "ds18b20", "pin": 4, "rom": rom} for rom in roms]})
    for one, other in ((roms[0], roms[0]), (roms[0], ""), ("", "")):
        with pytest.raises(ConfigError, match="expected a pin of its own, got 4"):
            whole({"sensors": [{"driver": "ds18b20", "pin": 4, "rom": rom} for rom in (one, other)]})


def test_a_bit_lost_on_the_cable_now_and_then_is_no_fault(wired):
    cable = wired.driver.wire = OneWireCable(wired.device, random.Random(1))
    sleep_ms = wired.clock.sleep_ms
    cable.spoil = 1
    wired.driver.start()
    wired.driver.port.sleep_ms = lambda ms: (sleep_ms(ms), setattr(cable, "spoil", int(ms == 750)))
    wired.driver.read()
    assert cable.spoil == 0
    cable.flip_share = 0.002
    wired.driver.port.sleep_ms = sleep_ms
    failed = 0
    for _ in range(1000):
        try:
            assert wired.read(21.5) == (2150,)
        except SensorError:
            failed += 1
    assert failed < 20  # of 18 bytes twice in a thousand: once in a thousand


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
def test_search_finds_all(count):
    port, devices = several(*[20.0] * count)
    assert sorted(search(port.devices[4], 8)) == sorted(device.rom for device in devices)
    if count:
        assert len(search(port.devices[4], count - 1)) == count - 1


def test_power_lost_while_converting_is_an_error(wired):
    sleep_ms = wired.clock.sleep_ms

    def brown_out(ms):
        sleep_ms(ms)
        wired.device.power_cycle()

    wired.driver.port.sleep_ms = brown_out
    with pytest.raises(SensorError, match=r"got the power-on value of 85\.00 degrees"):
        wired.read(20.0)
    wired.driver.port.sleep_ms = sleep_ms
    wired.driver.start()
    assert wired.read(20.0) == (2000,)


def test_nothing_on_the_wire_is_an_error(wired):
    wired.device.present = False
    for call in (wired.driver.start, wired.driver.read):
        with pytest.raises(SensorError, match="expected a device of the DS18B20 at pin 4, got no presence pulse"):
            call()
    wired.device.present = True
    wired.driver.start()
    assert wired.read(1.0) == (100,)


def test_unplugged_while_converting_is_an_error(wired):
    sleep_ms = wired.clock.sleep_ms

    def unplug(ms):
        sleep_ms(ms)
        wired.device.present = False

    wired.driver.port.sleep_ms = unplug
    with pytest.raises(SensorError, match="got no presence pulse"):
        wired.read(20.0)


def test_only_ones_after_a_presence_pulse_are_an_error(wired):
    class Ones:
        def reset(self):
            return True

        def write(self, byte):
            pass

        def read(self):
            return 0xFF

    wired.driver.wire = Ones()
    with pytest.raises(SensorError, match=r"expected CRC 0x.. of the scratchpad of the DS18B20 at pin 4, got 0xff"):
        wired.driver.read()


def test_a_wire_held_low_is_an_error(wired):
    wired.device.held_low = True
    with pytest.raises(SensorError, match="expected a DS18B20's rom of the DS18B20 at pin 4, got 0000000000000000"):
        wired.driver.start()
    with pytest.raises(SensorError, match="expected a conversion"):
        wired.driver.read()


@pytest.mark.parametrize("bit", range(8))
def test_a_damaged_scratchpad_is_an_error(wired, bit):
    wired.device.damage = 1 << bit
    with pytest.raises(SensorError, match=r"expected CRC 0x.. of the scratchpad"):
        wired.read(20.0)


def test_a_temperature_beyond_the_part_is_an_error(wired):
    wired.driver.scratchpad = lambda: b"\xd1\x07\x00\x00\x7f\xff\x0c\x10"
    with pytest.raises(SensorError, match="expected -55 to 125 degrees of the DS18B20 at pin 4, got 2001 sixteenths"):
        wired.driver.read()


def test_crc_equals_long_division():
    for seed in range(256):
        data = bytes((seed * k * k + 31 * k) & 0xFF for k in range(9))
        assert ds18b20.crc8(data) == maxim_crc(data)


def test_the_charge_of_a_conversion_is_counted(wired):
    wired.read(20.0)
    wired.read(20.0)
    assert wired.device.charge_uc == 1200


def test_the_model_gives_old_results_to_a_driver_that_does_not_wait(wired):
    wired.read(20.0)
    wired.device.temperature_c = 30.0
    wired.driver.command(0x44)
    assert wired.driver.scratchpad()[:2] == b"\x40\x01"
