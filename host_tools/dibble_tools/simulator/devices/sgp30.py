"""A model of the SGP30: air quality signals, once it has been started for 15 s."""

from collections.abc import Callable, Sequence

from dibble_tools.simulator.devices.sensirion import SensirionDevice

WARM_UP_US = 15_000_000
HEATER_MA = 48  # data sheet, product summary
NOTHING = (400, 0)
BASELINE = (0x8973, 0x8AAE)  # those of Adafruit's example


class Sgp30(SensirionDevice):
    """Durations are the longest of the data sheet; what it does before it is started is the fixed answer.

    Attributes:
        feature_set: word that tells product type and version.
    """

    def __init__(self, now_us: Callable[[], int], feature_set: int = 0x0022) -> None:
        self._init_us: int | None = None
        super().__init__(now_us)
        self.tvoc_ppb = 0.0
        self.eco2_ppm = 400.0
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

    def _heated_uc(self) -> float:
        return 0.0 if self._init_us is None else HEATER_MA * (self._now_us() - self._init_us) / 1000

    def _init(self) -> Sequence[int]:
        self._spent_uc += self._heated_uc()
        self._init_us = self._now_us()
        return ()

    def _warm(self) -> bool:
        return self._init_us is not None and self._now_us() - self._init_us >= WARM_UP_US

    def _air_quality(self) -> Sequence[int]:
        if not self._warm():
            return NOTHING
        return self._measure((min(max(round(self.eco2_ppm), 400), 60000), min(max(round(self.tvoc_ppb), 0), 60000)))
