"""A model of Adafruit's STEMMA soil sensor: a seesaw with a touch channel and a thermometer.

It behaves as adafruit/seesaw's firmware does: it acknowledges nothing while it works on a command or
boots, knows no error, and fills an answer that it doesn't have with 0xFF.
"""

from collections.abc import Callable

from dibble_tools.simulator.node.bus import Nack

BOOT_US = 250_000
WORK_US = {b"\x00\x01": 1000, b"\x00\x04": 3000, b"\x0f\x10": 4500}
TOUCH_UC = 25.0  # an assumption: 5 mA more for 5 ms


class SeesawSoil:
    """One probe with its own two points.

    Attributes:
        soil_moisture_percent: 0 in dry soil, 100 in saturated soil.
        slow_us: how much longer than usual its next answers take.
        lost_answers: number of the next answers that it doesn't have.
        spoilt_answers: number of the next touch answers with a wrong upper byte.
        absent: it answers nothing, as if its wires were loose.
        unplugged_touch: the touch value of a probe without its capacitor, else None.
    """

    def __init__(
        self, now_us: Callable[[], int], touch_dry: int = 320, touch_wet: int = 1015, hardware_id: int = 0x55
    ) -> None:
        self._now_us = now_us
        self.touch_dry = touch_dry
        self.touch_wet = touch_wet
        self.hardware_id = hardware_id
        self.soil_moisture_percent = 50.0
        self.soil_temperature_c = 15.0
        self.charge_uc = 0.0
        self.slow_us = 0
        self.lost_answers = 0
        self.spoilt_answers = 0
        self.absent = False
        self.unplugged_touch: int | None = None
        self.power_cycle()

    def power_cycle(self) -> None:
        """Boot, as at power-on and after a reset."""
        self._ready_us = self._now_us() + BOOT_US
        self._answer = b""

    def write(self, data: bytes) -> None:
        if self.absent or self._now_us() < self._ready_us:
            raise Nack
        if data == b"\x00\x7f\xff":
            self.power_cycle()
            return
        self._answer = self._work(data)
        self._ready_us = self._now_us() + WORK_US.get(data, 1000) + self.slow_us

    def read(self, size: int) -> bytes:
        if self.absent or self._now_us() < self._ready_us:
            raise Nack
        answer, self._answer = self._answer[:size], self._answer[size:]
        return answer + b"\xff" * (size - len(answer))

    def _work(self, command: bytes) -> bytes:
        if self.lost_answers:
            self.lost_answers -= 1
            return b""
        if command == b"\x00\x01":
            return bytes([self.hardware_id])
        if command == b"\x00\x04":
            return round(self.soil_temperature_c * 65536).to_bytes(4, "big", signed=True)
        if command == b"\x0f\x10":
            self.charge_uc += TOUCH_UC
            return self._touch().to_bytes(2, "big")
        return b""

    def _touch(self) -> int:
        touch = self.unplugged_touch
        if touch is None:
            touch = round(self.touch_dry + (self.touch_wet - self.touch_dry) * self.soil_moisture_percent / 100)
        if self.spoilt_answers:
            self.spoilt_answers -= 1
            touch |= 0x8000
        return touch
