"""An analog pin as drivers read it: many times for one value, and never at the converter's very end."""

from dibble import SensorError
from dibble.drivers.oversampling import steady_uv
from dibble.forgetting import start_only


class AnalogInput:
    """A pin and how often it is read for one value.

    Args:
        port: has analog(), whose read_uv() also sets at_end: the converter can't rise any further.
        pin, samples: 3..64.
    Attributes:
        raw: sum of all readings in uV of the last value: what tells a quiet line from a dead one.
    """

    @start_only
    def __init__(self, port, pin, samples):
        self.raw = 0
        self._port = port
        self._pin = pin
        self._samples = samples
        self._ends = 0
        self._adc = port.analog(pin)

    def steady_uv(self):
        """Return oversampling.steady_uv() of the pin.

        Raises:
            SensorError: the voltage isn't steady, or beyond what the converter measures.
        """
        self.raw = self._ends = 0  # at most 64 * 5,000,000
        uv = steady_uv(self._port, self, self._pin, self._samples)
        if self._ends > (self._samples + 7) >> 3:  # more than an eighth, which steady_uv() cuts off
            raise SensorError(
                "expected a voltage within the converter's range at pin %s, got its very end, %d mV: "
                "shorted, or too high" % (self._pin, uv // 1000)
            )
        return uv

    def read_uv(self):
        uv = self._adc.read_uv()
        self.raw += uv
        if self._adc.at_end:
            self._ends += 1
        return uv
