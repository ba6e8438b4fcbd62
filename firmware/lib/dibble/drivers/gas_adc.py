"""An electrochemical ethylene cell behind an amplifier: a voltage that rises in proportion to the gas."""

from dibble import SensorError
from dibble.drivers.analog_input import AnalogInput
from dibble.drivers.proportion import proportion
from dibble.drivers.warm_up import WarmUp, powered_warm_up_s
from dibble.forgetting import start_only

CHANNELS = (("ethylene_ppb", "ppb"),)
SETTINGS = (
    ("pin", (int, str), 0, 255, None),
    ("zero_uv", int, 0, 5000000, None),  # in clean air
    ("uv_per_ppm", int, 100, 10000000, None),  # the cell's and its amplifier's, from their data sheets
    ("below_zero_ppb", int, 0, 100000, 500),  # drift and noise below zero count as 0; further is a fault
    ("saturated_mv", int, 100, 5000, 3000),  # where the amplifier or the ADC stops rising
    ("warm_up_s", int, 0, 86400, 0),
    ("samples", int, 3, 64, 16),
)


@start_only
def build(settings, port, bus):
    return GasCell(port, settings)


class GasCell:
    """See SETTINGS."""

    @start_only
    def __init__(self, port, settings):
        self.settings = settings
        self.raw = None
        self.input = AnalogInput(port, settings["pin"], settings["samples"])
        self.warm_up = WarmUp(
            port, settings["pin"], powered_warm_up_s(settings, "an electrochemical cell needs its warm_up_s")
        )

    def start(self):
        """Nothing to wake: the cell is always biased, or was for power_up_ms. Its warm-up goes on through faults."""

    def read(self):
        settings = self.settings
        pin = settings["pin"]
        self.warm_up.check()
        uv = self.input.steady_uv()
        self.raw = self.input.raw
        if uv >= 1000 * settings["saturated_mv"]:
            raise SensorError(
                "expected less than %d mV of a gas cell at pin %s, got %d mV: saturated"
                % (settings["saturated_mv"], pin, uv // 1000)
            )
        # A ppm is 100 uV or more, so 5,000,000 uV are at most 50,000,000 ppb.
        above_uv = uv - settings["zero_uv"]
        ppb = proportion(abs(above_uv), 1000, settings["uv_per_ppm"])
        if above_uv >= 0:
            return (ppb,)
        if ppb > settings["below_zero_ppb"]:
            raise SensorError(
                "expected at most %d ppb below zero of a gas cell at pin %s, got %d: unplugged, or a zero to set anew"
                % (settings["below_zero_ppb"], pin, ppb)
            )
        return (0,)
