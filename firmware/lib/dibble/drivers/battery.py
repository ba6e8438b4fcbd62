"""A battery's voltage through a divider."""

from dibble import SensorError
from dibble.drivers.analog_input import AnalogInput
from dibble.drivers.proportion import proportion
from dibble.forgetting import start_only

CHANNELS = (("battery_mv", "mv"),)
SETTINGS = (
    ("pin", (int, str), 0, 255, None),
    ("divider_permille", int, 1000, 20000, 2000),  # battery voltage per thousand of the pin's
    ("samples", int, 3, 64, 16),
)


@start_only
def build(settings, port, bus):
    return Battery(port, settings)


class Battery:
    """See SETTINGS."""

    @start_only
    def __init__(self, port, settings):
        self.settings = settings
        self.input = AnalogInput(port, settings["pin"], settings["samples"])

    def start(self):
        """Nothing to wake: the divider always conducts."""

    def read(self):
        settings = self.settings
        uv = self.input.steady_uv()
        if not uv:  # then nothing would run
            raise SensorError("expected a battery's voltage at pin %s, got 0 uV: no divider?" % settings["pin"])
        return (proportion(uv, settings["divider_permille"], 1000000),)
