"""What reading a node's sensors costs: its own drivers over device models, in virtual time, for one interval."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dibble import SensorError
from dibble.drivers import driver

from dibble_tools.simulator.devices.amg8833 import Amg8833
from dibble_tools.simulator.devices.bme680 import BME688, Bme680
from dibble_tools.simulator.devices.camera import FRAME_US
from dibble_tools.simulator.devices.ds18b20 import Ds18b20
from dibble_tools.simulator.devices.ens160 import Ens160
from dibble_tools.simulator.devices.lis3dh import Lis3dh
from dibble_tools.simulator.devices.mlx90640 import Mlx90640
from dibble_tools.simulator.devices.seesaw_soil import SeesawSoil
from dibble_tools.simulator.devices.sgp30 import Sgp30
from dibble_tools.simulator.devices.sht3x import Sht3x
from dibble_tools.simulator.devices.sht4x import Sht4x
from dibble_tools.simulator.node.bus import SimBus, VirtualClock

CHIPS: dict[str, Callable[[Callable[[], int]], Any]] = {
    "sht4x": Sht4x,
    "sht3x": Sht3x,
    "bme680": Bme680,
    "bme680_adafruit": Bme680,
    "seesaw_soil": SeesawSoil,
    "sgp30": Sgp30,
    "ens160": Ens160,
    "amg8833": Amg8833,
    "lis3dh": Lis3dh,
    "mlx90640_raw": Mlx90640,
}
SAME_WORK = {"bme680_adafruit": "bme680"}  # the other one needs Adafruit's library
# mA while a sensor has power, beside what its device model counts; data sheets, recalled and unverified.
STANDING_MA = {
    "soil_adc": 5.0,  # DFRobot SEN0193
    "seesaw_soil": 3.0,  # its microcontroller never sleeps
    "gas_adc": 1.0,  # a cell's amplifier; a pump is its power_pin's
    "mox_adc": 56.0,  # TGS2602's heater
    "wind_vane": 0.15,  # through its pull-up
    "ens160": 0.01,
    "battery": 0.02,  # a divider of 2 x 100 kohm
    "esp_camera": 40.0,  # an OV2640 that sends frames, 140 mW
    "parallel_camera": 18.0,  # an OV7670, 60 mW
}
CAMERA_START_MS = 300  # of its registers, and its reset
SETTLED_MS = 1000  # since a sensor got its power, where that isn't switched
SPREAD = 1.5  # how far a sensor's charge may be off


@dataclass(frozen=True)
class Sensing:
    """One sensor's share of a cycle.

    Attributes:
        awake_ms: that the node waits for it, awake.
        charge_uc: that it draws from one reading to the next.
    """

    awake_ms: float
    charge_uc: float


class _Level:
    """An analog pin at one voltage, and a contact that rests."""

    at_end = False

    def read_uv(self) -> int:
        return 1_700_000

    def take(self) -> int:
        return 3


class _Port:
    """What a driver is handed as `port`."""

    def __init__(self, clock: VirtualClock, wire: Any, light_sleep: bool) -> None:
        self.light_sleep = light_sleep
        self.sleep_ms = clock.sleep_ms
        self._clock = clock
        self.dozed_ms = 0
        self.ticks_ms = clock.ticks_ms
        self.ticks_diff = clock.ticks_diff
        self._wire = wire

    def doze_ms(self, ms: int, light: bool) -> None:
        self.dozed_ms += ms if light else 0
        self._clock.sleep_ms(ms)

    def analog(self, pin: object) -> _Level:
        return _Level()

    def pulses(self, pin: object, lockout_ms: int, pull_up: bool) -> _Level:
        return _Level()

    def onewire(self, pin: object) -> Any:
        return self._wire

    def cameras(self) -> "_Cameras":
        return _Cameras(self._clock)

    def memory(self, name: str) -> "_Forgetful":
        return _Forgetful()

    def date(self) -> tuple[int, int]:
        return 0, 0


class _Cameras:
    """A port's cameras: each gives dark frames, so late as a camera does."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.height = self.width = 120
        self.bits, self.swapped = 16, True
        self.frame = [0] * (self.height * self.width)
        self.EspCamera = self.ParallelCamera = lambda settings, bus: self

    def start(self) -> None:
        self.clock.sleep_ms(CAMERA_START_MS)

    def take(self) -> list[int]:
        self.clock.sleep_ms(2 * FRAME_US // 1000)  # what waited, and the next
        return self.frame


class _Forgetful:
    """What a driver keeps over resets: nothing."""

    def newest(self) -> None:
        return None

    def write(self, payload: bytes) -> None:
        pass


def sensing(settings: dict[str, Any], interval_s: int, *, light_sleep: bool = False, costly: bool = True) -> Sensing:
    """Return the cost of one sensor of a whole configuration in an interval.

    Args:
        light_sleep: the node's processor may stop while a driver waits for long.
        costly: with its costly readings, of which an interval may have none.
    """
    name = settings["driver"]
    clock = VirtualClock()
    chip = CHIPS[name](clock.now_us) if name in CHIPS else None
    if isinstance(chip, Bme680) and settings.get("mode") == "parallel":
        chip = Bme680(clock.now_us, variant=BME688)
    wire = Ds18b20(clock.now_us)
    bus = SimBus({settings["address"]: chip} if chip else {})
    module = driver(SAME_WORK.get(name, name))
    device = chip or (wire if name == "ds18b20" else None)
    port = _Port(clock, wire, light_sleep)
    reader = module.build({**settings, "interval_s": interval_s}, port, bus)
    switched = settings["power_pin"] != ""
    asked = costly or not settings["costly"]
    clock.sleep_ms(SETTLED_MS)
    _cycle(reader, settings, clock, start=True)
    _rest(clock, interval_s * 1000, device, switched)
    if asked and switched and isinstance(device, Mlx90640):
        device.switch(True)
    began_us, before = clock.now_us(), device.charge_uc if device else 0.0
    dozed_ms = port.dozed_ms
    if asked:
        _cycle(reader, settings, clock, start=switched, costly=costly)
    awake_ms = (clock.now_us() - began_us) / 1000 - (port.dozed_ms - dozed_ms)
    if each_ms := getattr(reader, "keep_alive_ms", getattr(module, "KEEP_ALIVE_MS", 0)):
        asked_us = clock.now_us()
        reader.keep_alive()
        awake_ms += (clock.now_us() - asked_us) / 1000 * (interval_s * 1000 / each_ms - 1)
    _rest(clock, interval_s * 1000 - (clock.now_us() - began_us) / 1000, device, switched)
    charge_uc = (device.charge_uc if device else 0.0) - before
    powered_ms = awake_ms if switched else interval_s * 1000
    return Sensing(awake_ms, charge_uc + STANDING_MA.get(name, 0.0) * powered_ms)


def _cycle(reader: Any, settings: dict[str, Any], clock: VirtualClock, *, start: bool, costly: bool = True) -> None:
    """Power up, start and read; a reading that the voltage doesn't allow costs as much as one that it does."""
    if start:
        clock.sleep_ms(settings["power_up_ms"])
        reader.start()
    try:
        if hasattr(reader, "read_cheap"):
            reader.read_cheap()
            if costly:
                reader.read_costly()
        else:
            reader.read()
    except SensorError:
        pass


def _rest(clock: VirtualClock, ms: float, device: Any, switched: bool) -> None:
    if switched and isinstance(device, Mlx90640):
        device.switch(False)
    elif switched and device:
        device.power_cycle()
    clock.sleep_ms(max(0, round(ms)))
