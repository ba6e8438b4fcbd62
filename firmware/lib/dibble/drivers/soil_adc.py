"""A capacitive soil probe at an analog pin, by two voltages measured in dry and in saturated soil."""

from dibble import ConfigError, SensorError
from dibble.drivers.analog_input import AnalogInput
from dibble.drivers.proportion import proportion
from dibble.forgetting import start_only

CHANNELS = (("soil_moisture_permille", "permille"),)
STUCK_CYCLES = 36  # its noise alone changes some of so many measurements
MAX_STEP = (150,)
SETTINGS = (
    ("pin", (int, str), 0, 255, None),
    ("probe_curve", [int], 2, 2, None),  # [mV in dry soil, mV in saturated soil]; batches differ: measure each probe
    ("samples", int, 3, 64, 16),
    ("supply_mv_nominal", int, 0, 5500, 0),  # the probe's supply when its curve was measured; 0: no correction
    ("supply_pin", (int, str), 0, 255, ""),
    ("supply_divider_permille", int, 1000, 20000, 2000),
)
LEAST_SPAN_MV = 100
MOST_MV = 5000


@start_only
def build(settings, port, bus):
    return SoilProbe(port, settings)


def moisture_permille(uv, dry_mv, wet_mv):
    """Return where a voltage lies on the line from dry (0) to wet (1000); None if far beyond either end.

    Args:
        uv: 0 .. 2**28.
        dry_mv, wet_mv: 0..5000, at least 100 apart, in either order.
    Returns:
        int 0..1000; a quarter of the span beyond an end still counts as that end.
    """
    span_uv = 1000 * (dry_mv - wet_mv)
    from_dry_uv = 1000 * dry_mv - uv
    if span_uv < 0:
        span_uv = -span_uv
        from_dry_uv = -from_dry_uv
    quarter_uv = span_uv >> 2
    if from_dry_uv < -quarter_uv or from_dry_uv > span_uv + quarter_uv:
        return None
    return proportion(min(max(from_dry_uv, 0), span_uv), 1000, span_uv)


class SoilProbe:
    """See SETTINGS.

    Attributes:
        raw: of the last reading, see AnalogInput.
    Raises:
        ConfigError: the curve's voltages, or a supply's correction without a pin.
    """

    @start_only
    def __init__(self, port, settings):
        pin = settings["pin"]
        curve = settings["probe_curve"]
        if max(curve) > MOST_MV:
            raise ConfigError("expected probe_curve in mV, up to %d, got %s at pin %s" % (MOST_MV, curve, pin))
        if abs(curve[0] - curve[1]) < LEAST_SPAN_MV:
            raise ConfigError(
                "expected the ends of probe_curve %d mV apart, got %s at pin %s" % (LEAST_SPAN_MV, curve, pin)
            )
        self.settings = settings
        self.raw = None
        self.input = AnalogInput(port, pin, settings["samples"])
        self.supply = None
        if settings["supply_mv_nominal"]:
            if settings["supply_pin"] == "":
                raise ConfigError("expected supply_pin with supply_mv_nominal, got none for the probe at pin %s" % pin)
            self.supply = AnalogInput(port, settings["supply_pin"], settings["samples"])

    def start(self):
        """Nothing to wake: the probe runs while it has power."""

    def read(self):
        settings = self.settings
        uv = self.input.steady_uv()
        self.raw = self.input.raw
        if self.supply:
            # The output is a share of the supply: bring it to what the curve was measured at.
            # At most twice 5,000,000 uV.
            uv = proportion(uv, settings["supply_mv_nominal"], self.supply_mv())
        dry_mv, wet_mv = settings["probe_curve"]
        permille = moisture_permille(uv, dry_mv, wet_mv)
        if permille is None:
            raise SensorError(
                "expected %d to %d mV of a soil probe at pin %s, got %d mV: unplugged or shorted?"
                % (dry_mv, wet_mv, settings["pin"], uv // 1000)
            )
        return (permille,)

    def supply_mv(self):
        """Return the probe's supply, which has to be between half and twice the nominal one."""
        settings = self.settings
        uv = self.supply.steady_uv()
        mv = proportion(uv, settings["supply_divider_permille"], 1000000)
        nominal_mv = settings["supply_mv_nominal"]
        if not nominal_mv <= 2 * mv <= 4 * nominal_mv:
            raise SensorError(
                "expected a probe's supply near %d mV at pin %s, got %d mV" % (nominal_mv, settings["supply_pin"], mv)
            )
        return mv
