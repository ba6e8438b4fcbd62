"""Many readings of an analog pin -> one, or an error when nothing drives the pin."""

from dibble import SensorError
from dibble.inference.fixed_point import divide

# Wi-Fi and a poor reference move a driven pin by some ten millivolts; an open one wanders by hundreds.
STEADY_UV = 100000


def steady_uv(port, adc, pin, samples):
    """Return the mean of a millisecond's readings each, less the extremes (an eighth at either end).

    Args:
        port: for its sleep_ms.
        adc: what port.analog(pin) returned.
        pin: its name, for the error.
        samples: readings, 3..64.
    Raises:
        SensorError: the readings that are left differ by more than STEADY_UV.
    """
    readings = []
    for _ in range(samples):
        readings.append(adc.read_uv())
        port.sleep_ms(1)
    readings.sort()
    cut = (samples + 7) >> 3
    low = readings[cut]
    high = readings[samples - 1 - cut]
    if high - low > STEADY_UV:
        raise SensorError(
            "expected a steady voltage at pin %s, got readings from %d to %d uV: disconnected?" % (pin, low, high)
        )
    # At most 48 readings of 5,000,000 uV: 240,000,000 < 2**30.
    return divide(sum(readings[cut : samples - cut]), samples - 2 * cut)
