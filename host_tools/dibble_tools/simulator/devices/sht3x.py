"""A model of the SHT3x in single-shot mode: temperature and humidity by commands of two bytes."""

from collections.abc import Callable, Sequence

from dibble_tools.simulator.devices.sensirion import SensirionDevice, ticks

MEASURE_UC = 600 * 0.0155  # 600 uA while it measures: data sheet 2
ALERT_AND_RESET = 0x8010  # the status register after each kind of reset
HEATER = 0x2000


class Sht3x(SensirionDevice):
    """Durations are the longest of the data sheet.

    Attributes:
        stuck_heater: the heater is on and a reset doesn't end it.
    """

    def __init__(self, now_us: Callable[[], int]) -> None:
        super().__init__(now_us)
        self.air_temperature_c = 20.0
        self.humidity_percent = 50.0
        self.stuck_heater = False
        self._commands = {
            b"\x24\x00": (15500, self._single_shot),
            b"\xf3\x2d": (1000, lambda: (self._status(),)),
            b"\x30\xa2": (1500, lambda: ()),
        }

    def _status(self) -> int:
        return ALERT_AND_RESET | (HEATER if self.stuck_heater else 0)

    def _single_shot(self) -> Sequence[int]:
        self._spent_uc += MEASURE_UC
        return self._measure((ticks((self.air_temperature_c + 45) / 175), ticks(self.humidity_percent / 100)))
