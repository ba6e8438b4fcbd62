"""Microphones as CircuitPython's boards have them: see dibble.streams. Never run on CircuitPython itself."""

from array import array

from dibble import ConfigError
from dibble.ports.circuitpython_pins import named
from dibble.ports.circuitpython_time import ticks_diff, ticks_ms
from dibble.senses.widen import widen
from dibble.streams import Backlog

HALF_MS = 40  # of the ring of audioi2sin (ports/raspberrypi/common-hal/audioi2sin/I2SIn.c), or
HALF_BYTES = 4096
FRAME_BYTES = 8  # of a sample in it, both channels of 32 bits each
NOT_YET = 0xFFFF  # no value of 12 bits, with or without the converter's error bit
MIDDLE = 32768
PDM_HZ = 16000  # the least rate


class I2sMic:
    """audioi2sin.I2SIn, which waits for a hop, and behind which a ring runs on: of 24 bits the upper 16.

    Who is more than half a ring behind has lost all that is in it.
    """

    def __init__(self, settings, rate_hz, hop):
        try:
            from audioi2sin import I2SIn
        except ImportError:
            raise ConfigError("config.listen.driver: expected a CircuitPython with audioi2sin (10.3 and later)")
        self._kind = I2SIn
        self._pins = [named(settings[name]) for name in ("sck", "ws", "sd")]
        self._rate_hz = rate_hz
        self._hop = hop
        self._mics = []

    def start(self):
        if self._mics:
            self._mics.pop().deinit()
        try:
            mic = self._kind(*self._pins, sample_rate=self._rate_hz, bit_depth=32, output_bit_depth=16)
        except (ValueError, RuntimeError) as error:  # pins in use, or not side by side
            raise ConfigError("config.listen: expected pins that I2S can have, got: %s" % error)
        self._mics.append(mic)
        half = max(HALF_MS * self._rate_hz // 1000, HALF_BYTES // FRAME_BYTES)
        self._backlog = Backlog(ticks_ms, ticks_diff, self._rate_hz, half, True)

    def readinto(self, into):
        backlog = self._backlog
        backlog.passed()
        waited = backlog.waiting < self._hop
        self._mics[0].record(into, self._hop)
        backlog.passed(self._hop)
        if waited:
            backlog.held_at_most(0)
        return True

    def lost(self):
        return self._backlog.lost()


class PdmMic:
    """audiobusio.PDMIn, which waits for a hop, and hears nothing between two of them."""

    def __init__(self, settings, rate_hz, hop):
        try:
            from audiobusio import PDMIn
        except ImportError:
            raise ConfigError("config.listen.driver: expected a board with audiobusio.PDMIn, this has none")
        if rate_hz < PDM_HZ:
            raise ConfigError(
                "config.listen.driver: pdm_mic: expected a model of %d samples a second or more, got %d"
                % (PDM_HZ, rate_hz)
            )
        self._kind = PDMIn
        self._pins = [named(settings[name]) for name in ("clock", "data")]
        self._rate_hz = rate_hz
        self._hop = hop
        self._words = array("H", bytearray(2 * hop))
        self._mics = []

    def start(self):
        if self._mics:
            self._mics.pop().deinit()
        try:
            mic = self._kind(*self._pins, sample_rate=self._rate_hz, bit_depth=16)
        except (ValueError, RuntimeError) as error:
            raise ConfigError("config.listen: expected pins of a PDM microphone, got: %s" % error)
        self._mics.append(mic)
        self._backlog = Backlog(ticks_ms, ticks_diff, self._rate_hz, 0)

    def readinto(self, into):
        backlog = self._backlog
        backlog.passed()  # what came since the last time is lost
        self._mics[0].record(self._words, self._hop)
        backlog.skip()
        i = 0
        for word in self._words:
            into[i] = word - MIDDLE
            i += 1
        return True

    def lost(self):
        return self._backlog.lost()


class AdcMic:
    """analogbufio.BufferedIn that fills a ring for ever, and doesn't say how far it is.

    The last value of each hop is marked as not there yet: what isn't marked any more has been written. Where the hop
    before has lost its mark, too, the ring was round.
    """

    def __init__(self, settings, rate_hz, hop):
        try:
            from analogbufio import BufferedIn
        except ImportError:
            raise ConfigError("config.listen.driver: expected a board with analogbufio, this has none")
        self._kind = BufferedIn
        self._pin = named(settings["pin"])
        self._rate_hz = rate_hz
        self._hop = hop
        self._hops = max(3, -(-settings["ring_ms"] * rate_hz // (1000 * hop)) + 1)
        self._ring = array("H", bytearray(2 * hop * self._hops))
        self._mics = []
        self._at = self._lost = 0

    def start(self):
        if self._mics:
            self._mics.pop().deinit()
        try:
            mic = self._kind(self._pin, sample_rate=self._rate_hz)
        except (ValueError, RuntimeError) as error:
            raise ConfigError("config.listen: expected a free pin of the ADC, got: %s" % error)
        self._mics.append(mic)
        self._at = 0
        self._seen = ticks_ms()
        self._mark_all()
        self._mics[0].readinto(self._ring, loop=True)

    def _mark_all(self):
        for i in range(self._hops):
            self._ring[(i + 1) * self._hop - 1] = NOT_YET

    def _is_there(self, at):
        return self._ring[(at + 1) * self._hop - 1] != NOT_YET

    def _was_round(self):
        """Tell whether the hop before the next is newer than that: all is lost, and begins anew."""
        if not self._is_there((self._at or self._hops) - 1):
            return False
        ms = max(0, ticks_diff(ticks_ms(), self._seen))
        self._lost += max(self._hops * self._hop, min(ms, Backlog.LONGEST_MS) * self._rate_hz // 1000)
        self._seen = ticks_ms()
        self._mark_all()
        self._at = -1
        return True

    def _begins_anew(self):
        """Return whether it has found the hop that was the first to be written whole since all were marked."""
        for i in range(self._hops):
            if self._is_there(i) and not self._is_there((i or self._hops) - 1):
                self._at = i
                return True
        return False

    def readinto(self, into):
        if self._at < 0 and not self._begins_anew():
            return False
        if self._was_round() or not self._is_there(self._at):
            return False
        hop = self._hop
        widen(self._ring, self._at * hop, into, hop)
        if self._was_round():
            return False
        self._ring[(self._at + 1) * hop - 1] = NOT_YET
        self._at = (self._at + 1) % self._hops
        self._seen = ticks_ms()
        return True

    def lost(self):
        lost = self._lost
        self._lost -= lost
        return lost
