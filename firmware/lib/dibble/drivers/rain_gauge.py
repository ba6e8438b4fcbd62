"""A tipping bucket that closes a contact at each tip: rain since the last reading, and in all.

The total is kept over resets; of a reset only what fell since the last reading is lost. No contact is counted in light
sleep: with this sensor the node sleeps idle.
"""

from dibble import RecordError, SensorError
from dibble.drivers.proportion import proportion
from dibble.forgetting import start_only
from dibble.inference.crc32 import crc32
from dibble.storage.words import crc_bytes, number_at, number_bytes

CHANNELS = (("rain_um", "um"), ("rain_total_um", "um"))
SETTINGS = (
    ("pin", (int, str), 0, 255, None),
    ("nm_per_tip", int, 10000, 10000000, 279400),  # nanometres of rain a tip: SEN-15901 has 0.2794 mm
    ("lockout_ms", int, 1, 500, 50),  # a contact that was open for less bounces; a tip takes a tenth of a second
    ("pull_up", bool, 0, 1, True),  # False: a resistor from the pin to the supply, for pins that have none of their own
)
COUNTS_ASLEEP = True
FASTEST_MS = 500  # a tip: 2 m of rain an hour, four times the heaviest ever measured
MOST_UM = 1000000000  # of the total: a kilometre, then it begins anew
_STATE_BYTES = 8  # of each gauge: its pin, and its tips


@start_only
def build(settings, port, bus):
    return RainGauge(port, settings)


class RainGauge:
    """See SETTINGS.

    Attributes:
        tips: in all.
    """

    @start_only
    def __init__(self, port, settings):
        self.port = port
        self.settings = settings
        self.pulses = port.pulses(settings["pin"], settings["lockout_ms"], settings["pull_up"])
        text = str(settings["pin"]).encode()
        self._key = crc_bytes(crc32(text, len(text)))
        self._memory = port.memory("rain")
        self.tips = None  # not read yet
        self._began = port.ticks_ms()

    def start(self):
        """Nothing to wake: the contact counts by interrupt."""

    def read(self):
        settings = self.settings
        if self.tips is None:
            self.tips = self._others()[1]
        now = self.port.ticks_ms()
        passed_ms = self.port.ticks_diff(now, self._began)
        self._began = now
        tips = self.pulses.take()
        if 0 <= passed_ms < tips * FASTEST_MS - 10 * FASTEST_MS:
            raise SensorError(
                "expected at most a tip in %d ms of the rain gauge at pin %s, got %d in %d ms: a bouncing contact?"
                % (FASTEST_MS, settings["pin"], tips, passed_ms)
            )
        if tips:
            self.tips += tips
            if self.tips > proportion(MOST_UM, 1000, settings["nm_per_tip"]):
                self.tips = tips
            others = self._others()[0]
            try:
                self._memory.write(others + self._key + number_bytes(self.tips))
            except (OSError, RecordError):
                pass  # a drive that the node may not write: the total begins anew at a reset
        return self._um(tips), self._um(self.tips)

    def _um(self, tips):
        """Return micrometres of rain."""
        return proportion(tips, self.settings["nm_per_tip"], 1000)

    def _others(self):
        """Return (what is kept of other gauges, this one's tips)."""
        state = self._memory.newest() or b""
        others = b""
        tips = 0
        for at in range(0, len(state) - _STATE_BYTES + 1, _STATE_BYTES):
            if state[at : at + 4] == self._key:
                tips = number_at(state, at + 4)
            else:
                others += state[at : at + _STATE_BYTES]
        return others, tips
