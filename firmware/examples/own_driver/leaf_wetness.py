"""A driver of one's own: a leaf wetness grid at an analog pin. It lies in the board's root, beside main.py.

A driver has CHANNELS (name, unit), SETTINGS (name, type, least, most, default or None: must be given) and
build(settings, port, bus), which returns what has start() and read(). `dibble deploy` finds it beside config.json.
"""

from dibble import SensorError

CHANNELS = (("leaf_wetness_permille", "permille"),)
SETTINGS = (
    ("pin", (int, str), 0, 255, None),
    ("dry_mv", int, 0, 5000, 3000),
    ("wet_mv", int, 0, 5000, 1200),
)


def build(settings, port, bus):
    return LeafWetness(port.analog(settings["pin"]), settings)


class LeafWetness:
    """A grid whose voltage falls as it gets wet."""

    def __init__(self, adc, settings):
        self.adc = adc
        self.settings = settings

    def start(self):
        """Nothing to wake."""

    def read(self):
        """Return (0 dry .. 1000 wet,), in integers.

        Raises:
            SensorError: a voltage that no grid has.
        """
        millivolts = self.adc.read_uv() // 1000
        dry, wet = self.settings["dry_mv"], self.settings["wet_mv"]
        if not wet - 300 <= millivolts <= dry + 300:
            raise SensorError(
                "expected %d to %d mV of the leaf wetness grid at pin %s, got %d mV: unplugged?"
                % (wet - 300, dry + 300, self.settings["pin"], millivolts)
            )
        return (min(1000, max(0, (dry - millivolts) * 1000 // (dry - wet))),)
