"""A model of the SGP30: air quality signals, once it has been started for 15 s, and right once it has learnt."""

import math
from collections.abc import Callable, Sequence

from dibble_tools.simulator.devices.sensirion import SensirionDevice, crc8
from dibble_tools.simulator.node.bus import Nack

WARM_UP_US = 15_000_000
HEATER_MA = 48  # data sheet, product summary
NOTHING = (400, 0)
BASELINE = (0x8973, 0x8AAE)  # those of Adafruit's example
LEARNING_US = 12 * 3_600_000_000  # data sheet 6.3, with a measurement each second
LATEST_US = 1_200_000
UNLEARNT_SHARE = 0.5  # how much too much it says at first: chosen
HUMID_SHARE = 0.02  # for each g/m3 that it wasn't told: chosen
TOLD_G_M3 = 11.57  # data sheet, table 10: what it assumes


def absolute_humidity_g_m3(air_temperature_c: float, humidity_percent: float) -> float:
    """Source: data sheet 6.3, humidity compensation."""
    saturated_hpa = 6.112 * math.exp(17.62 * air_temperature_c / (243.12 + air_temperature_c))
    return 216.7 * humidity_percent / 100 * saturated_hpa / (273.15 + air_temperature_c)


class Sgp30(SensirionDevice):
    """Durations are the longest of the data sheet; what it does before it is started is the fixed answer.

    Attributes:
        feature_set: word that tells product type and version.
        learns: it has to learn what clean air is, from a measurement each second, or to be given what it learnt before.
        air_temperature_c, humidity_percent: of the air; None: as it assumes.
    """

    def __init__(self, now_us: Callable[[], int], feature_set: int = 0x0022) -> None:
        self._init_us: int | None = None
        self._learnt_us = 0
        self._told_g_m3 = TOLD_G_M3
        self._measured_us: int | None = None
        super().__init__(now_us)
        self.tvoc_ppb = 0.0
        self.eco2_ppm = 400.0
        self.learns = True
        self.air_temperature_c: float | None = None
        self.humidity_percent = 50.0
        self.feature_set = feature_set
        self._commands = {
            b"\x20\x2f": (10000, lambda: (self.feature_set,)),
            b"\x20\x03": (10000, self._init),
            b"\x20\x08": (12000, self._air_quality),
            b"\x20\x15": (10000, lambda: BASELINE if self._warm() else (0, 0)),
        }

    @property
    def charge_uc(self) -> float:
        return self._spent_uc + self._heated_uc()

    def power_cycle(self) -> None:
        super().power_cycle()
        self._spent_uc += self._heated_uc()
        self._init_us = None
        self._learnt_us = 0
        self._told_g_m3 = TOLD_G_M3

    def write(self, data: bytes) -> None:
        command, words = data[:2], data[2:]
        if command not in (b"\x20\x1e", b"\x20\x61") or not words:
            super().write(data)
            return
        if self.absent or self._now_us() < self._ready_us or len(words) % 3:
            raise Nack
        values = [int.from_bytes(words[at : at + 2], "big") for at in range(0, len(words), 3)]
        if [crc8(value) for value in values] != list(words[2::3]):
            raise Nack
        if command == b"\x20\x61":
            self._told_g_m3 = values[0] / 256
        elif tuple(reversed(values)) == BASELINE:
            self._learnt_us = LEARNING_US
        self._ready_us = self._now_us() + 10000

    def learnt(self) -> bool:
        return not self.learns or self._learnt_us >= LEARNING_US

    def _heated_uc(self) -> float:
        return 0.0 if self._init_us is None else HEATER_MA * (self._now_us() - self._init_us) / 1000

    def _init(self) -> Sequence[int]:
        self._spent_uc += self._heated_uc()
        self._init_us = self._now_us()
        self._learnt_us = 0
        return ()

    def _warm(self) -> bool:
        return self._init_us is not None and self._now_us() - self._init_us >= WARM_UP_US

    def _air_quality(self) -> Sequence[int]:
        since_us = self._now_us() - (self._measured_us if self._measured_us is not None else -math.inf)
        self._measured_us = self._now_us()
        if since_us <= LATEST_US:
            self._learnt_us += int(since_us)
        if not self._warm():
            return NOTHING
        wrong = 1.0 if self.learnt() else 1 + UNLEARNT_SHARE * (1 - self._learnt_us / LEARNING_US)
        if self.air_temperature_c is not None:
            there = absolute_humidity_g_m3(self.air_temperature_c, self.humidity_percent)
            wrong *= 1 + HUMID_SHARE * (there - self._told_g_m3)
        tvoc_ppb = min(max(round(self.tvoc_ppb * wrong), 0), 60000)
        return self._measure((min(max(round(self.eco2_ppm), 400), 60000), tvoc_ppb))
