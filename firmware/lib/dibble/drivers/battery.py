"""A battery's voltage through a divider."""

from dibble.drivers.oversampling import steady_uv
from dibble.drivers.proportion import proportion

CHANNELS = (("battery_mv", "mv"),)
SETTINGS = (
    ("pin", (int, str), 0, 255, None),
    ("divider_permille", int, 1000, 20000, 2000),  # battery voltage per thousand of the pin's
    ("samples", int, 3, 64, 16),
)


def build(settings, port, bus):
    return Battery(port, settings)


class Battery:
    """See SETTINGS."""

    def __init__(self, port, settings):
        self.port = port
        self.settings = settings
        self.adc = port.analog(settings["pin"])

    def start(self):
        """Nothing to wake: the divider always conducts."""

    def read(self):
        settings = self.settings
        uv = steady_uv(self.port, self.adc, settings["pin"], settings["samples"])
        return (proportion(uv, settings["divider_permille"], 1000000),)
