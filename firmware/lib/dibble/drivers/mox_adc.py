"""A heated metal-oxide gas sensor in a divider: its resistance falls with gas, and is judged against clean air.

    supply -- sensor -- pin -- load -- ground

The baseline is the logarithm of the resistance in clean air, the highest there is: each reading moves
it by a quarter of the way up or by 1 : 1024 of the way down, so that gas of some hours hardly lowers it
and the sensor's ageing of some weeks does. It starts at the first warm reading, and starts anew after
each reboot.
"""

from dibble import SensorError
from dibble.drivers.analog_input import AnalogInput
from dibble.drivers.log2 import millilog2
from dibble.drivers.proportion import proportion
from dibble.drivers.warm_up import WarmUp, powered_warm_up_s
from dibble.forgetting import start_only

CHANNELS = (("gas_ratio_millilog2", "millilog2"), ("gas_resistance_ohm", "ohm"))
SETTINGS = (
    ("pin", (int, str), 0, 255, None),
    ("load_ohm", int, 100, 1000000, 10000),  # of the divider, in series with the sensor
    ("supply_mv", int, 1000, 5500, 3300),  # of sensor and load in series
    ("divider_permille", int, 1000, 20000, 1000),  # the load's voltage per thousand of the pin's
    ("warm_up_s", int, 0, 86400, 1800),
    ("samples", int, 3, 64, 16),
)
RISE_SHIFT = 2
FALL_SHIFT = 10
BASELINE_BITS = 12  # of fraction; 30,000 thousandths << 12 < 2**27


@start_only
def build(settings, port, bus):
    return Mox(port, settings)


def resistance_ohm(load_uv, supply_uv, load_ohm):
    """Return the sensor's resistance; None where the load has less than 1 % of the supply, or more than 99 %.

    At most 99 * load_ohm, so a load of 1,000,000 ohm stays below 2**27.
    """
    percent_uv = supply_uv // 100
    if not percent_uv <= load_uv <= supply_uv - percent_uv:
        return None
    return proportion(load_ohm, supply_uv - load_uv, load_uv)


def next_baseline(baseline, log):
    """Return the baseline (fraction bits included) after one more reading (without any)."""
    rise = (log << BASELINE_BITS) - baseline
    return baseline + (rise >> (RISE_SHIFT if rise > 0 else FALL_SHIFT))


class Mox:
    """See SETTINGS."""

    @start_only
    def __init__(self, port, settings):
        self.settings = settings
        self.raw = None
        self.input = AnalogInput(port, settings["pin"], settings["samples"])
        self.warm_up = WarmUp(
            port, settings["pin"], powered_warm_up_s(settings, "a metal-oxide sensor needs its warm_up_s")
        )
        self.baseline = None

    def start(self):
        """Nothing to wake: the heater is always on. Warm-up and baseline go on through faults."""

    def read(self):
        settings = self.settings
        pin = settings["pin"]
        self.warm_up.check()
        uv = self.input.steady_uv()
        self.raw = self.input.raw
        load_uv = proportion(uv, settings["divider_permille"], 1000)
        ohm = resistance_ohm(load_uv, 1000 * settings["supply_mv"], settings["load_ohm"])
        if ohm is None:
            raise SensorError(
                "expected 1 to 99 %% of %d mV of a gas sensor at pin %s, got %d mV: unplugged, shorted or another load?"
                % (settings["supply_mv"], pin, load_uv // 1000)
            )
        log = millilog2(ohm)
        if self.baseline is None:
            self.baseline = log << BASELINE_BITS
        self.baseline = next_baseline(self.baseline, log)
        return (log - ((self.baseline + (1 << BASELINE_BITS - 1)) >> BASELINE_BITS), ohm)
