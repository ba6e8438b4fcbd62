"""A model of the SHT3x: temperature and humidity by commands of two bytes, and what other firmware left behind."""

from collections.abc import Callable, Sequence

from dibble_tools.simulator.devices.sensirion import SensirionDevice, ticks
from dibble_tools.simulator.node.bus import Nack

MEASURE_UC = 600 * 0.0155  # 600 uA while it measures: data sheet 2
ALERT_AND_RESET = 0x8010  # the status register after each kind of reset
HEATER = 0x2000
HEATER_WARMS_C = 3.0  # "a few degrees": data sheet 4.10
BREAK = b"\x30\x93"
FETCH = b"\xe0\x00"


class Sht3x(SensirionDevice):
    """Durations are the longest of the data sheet.

    Attributes:
        periodic: other firmware left it measuring by itself: it acknowledges nothing but BREAK and fetching, a reset
            neither (libdriver/sht35 issue 8).
        heater_on: stays so through a reset; heater_at_power_on: as some boards come up (esphome issue 1465).
        stuck_heater: the heater is on and nothing ends it.
    """

    def __init__(self, now_us: Callable[[], int]) -> None:
        self.heater_at_power_on = False
        super().__init__(now_us)
        self.air_temperature_c = 20.0
        self.humidity_percent = 50.0
        self.stuck_heater = False
        self._commands = {
            b"\x24\x00": (15500, self._single_shot),
            b"\xf3\x2d": (1000, lambda: (self._status(),)),
            b"\x30\xa2": (1500, lambda: ()),
            b"\x30\x66": (1000, self._heater_off),
            BREAK: (1000, self._break),
        }

    def power_cycle(self) -> None:
        super().power_cycle()
        self.periodic = False
        self.heater_on = self.heater_at_power_on

    def write(self, data: bytes) -> None:
        if self.periodic and data not in (BREAK, FETCH):
            raise Nack
        super().write(data)

    def _break(self) -> Sequence[int]:
        self.periodic = False
        return ()

    def _heater_off(self) -> Sequence[int]:
        self.heater_on = False
        return ()

    def _status(self) -> int:
        return ALERT_AND_RESET | (HEATER if self.stuck_heater or self.heater_on else 0)

    def _single_shot(self) -> Sequence[int]:
        self._spent_uc += MEASURE_UC
        warmth_c = HEATER_WARMS_C if self.stuck_heater or self.heater_on else 0.0
        share = (self.air_temperature_c + warmth_c + 45) / 175
        return self._measure((ticks(share), ticks(self.humidity_percent / 100)))
