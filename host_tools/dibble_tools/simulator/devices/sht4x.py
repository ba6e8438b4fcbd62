"""A model of the SHT4x: temperature and humidity by commands of one byte."""

from collections.abc import Callable, Sequence

from dibble_tools.simulator.devices.sensirion import SensirionDevice, ticks

MEASURE_UC = 320 * 0.0083  # 320 uA while it measures: data sheet, electrical characteristics


class Sht4x(SensirionDevice):
    """Durations are the longest of the data sheet."""

    def __init__(self, now_us: Callable[[], int], serial: int = 0x0F_BA_7C_11) -> None:
        super().__init__(now_us)
        self.air_temperature_c = 20.0
        self.humidity_percent = 50.0
        self.serial = serial
        self._commands = {
            b"\xfd": (8300, self._high_precision),
            b"\x89": (1000, lambda: (self.serial >> 16, self.serial & 0xFFFF)),
            b"\x94": (1000, lambda: ()),
        }

    def _high_precision(self) -> Sequence[int]:
        self._spent_uc += MEASURE_UC
        return self._measure((ticks((self.air_temperature_c + 45) / 175), ticks((self.humidity_percent + 6) / 125)))
