"""Microphones as MicroPython's boards have them: see dibble.streams."""

import sys
from array import array
from time import ticks_diff, ticks_ms

import machine

from dibble import ConfigError
from dibble.senses.listener import ALL
from dibble.senses.widen import widen
from dibble.streams import Backlog

FRAME_BYTES = 8  # of the ring of machine.I2S, for each sample: both channels, 32 bits each
MARGIN_MS = 20  # that the ring holds beyond what counts as lost: the clock is coarse, and a callback comes late
COPIED = 80  # samples beyond a hop that may wait when a hop isn't full after most of its time: what one interrupt moves


class I2sMic:
    """machine.I2S that never waits: a hop is filled by its interrupt while the node computes the one before.

    Its ring drops what it has no room for, and doesn't say so (ports/rp2/machine_i2s.c, empty_dma): so the clock does.
    """

    def __init__(self, settings, rate_hz, hop):
        self._settings = settings
        self._rate_hz = rate_hz
        self._hop = hop
        self._drained_ms = hop * 750 // rate_hz
        self._flight = array("h", bytearray(2 * hop))
        self._filled = False
        self._begun = 0
        self._i2s = self._backlog = None

    def start(self):
        pins = self._settings
        ring_ms = pins["ring_ms"]
        kind = getattr(machine, "I2S", None)
        if not kind:
            raise ConfigError("config.listen.driver: expected a board whose MicroPython has machine.I2S, this has none")
        if self._i2s:
            self._i2s.deinit()
        self._i2s = kind(
            pins["id"],
            sck=machine.Pin(pins["sck"]),
            ws=machine.Pin(pins["ws"]),
            sd=machine.Pin(pins["sd"]),
            mode=kind.RX,
            bits=16,
            format=kind.MONO,
            rate=self._rate_hz,
            ibuf=FRAME_BYTES * (ring_ms + MARGIN_MS) * self._rate_hz // 1000,
        )
        self._i2s.irq(self._done)
        self._backlog = Backlog(ticks_ms, ticks_diff, self._rate_hz, ring_ms * self._rate_hz // 1000)
        self._fill()

    def _fill(self):
        self._filled = False
        self._begun = ticks_ms()
        self._i2s.readinto(self._flight)

    def _done(self, _):
        self._filled = True

    def readinto(self, into):
        backlog = self._backlog
        if not self._filled:  # what waits in the ring fills a hop in a quarter of its time: there can't be much
            if ticks_diff(ticks_ms(), self._begun) >= self._drained_ms:
                backlog.passed()
                backlog.held_at_most(self._hop + COPIED)
            return False
        backlog.passed(self._hop)
        into[ALL] = self._flight
        self._fill()
        return True

    def lost(self):
        self._backlog.passed()
        return self._backlog.lost()


# RP2040 data sheet 4.9, RP2350 data sheet 12.4: the ADC's registers.
ADC_BASE = {False: 0x4004C000, True: 0x400A0000}  # of an RP2350?
TREQ_ADC = {False: 36, True: 48}  # RP2040 data sheet 2.5.3.1, RP2350 12.6.4.1
CS, FCS, FIFO, DIV = 0x00, 0x08, 0x0C, 0x10
CS_EN, CS_START_MANY, CS_AINSEL = 1, 8, 12
FCS_EN, FCS_DREQ_EN, FCS_UNDER, FCS_OVER, FCS_THRESH = 1, 8, 1 << 10, 1 << 11, 1 << 24
ADC_HZ = 48000000
FIRST_PIN = 26
WIDE_FIRST_PIN = 40  # of an RP2350B
MOST_LOG2 = 15  # of the ring's bytes
LONGEST_MS = 8000  # between two looks; beyond that some of what is lost isn't counted


class AdcMic:
    """The RP2's ADC in free run; two DMA channels, each of which starts the other, fill a ring of 12-bit values.

    One alone would end with its count, after at most 2**28 samples on an RP2350.
    """

    def __init__(self, settings, rate_hz, hop):
        if sys.platform != "rp2":
            raise ConfigError(
                "config.listen.driver: adc_mic: expected an RP2040 or RP2350, whose ADC fills a ring by itself, got "
                "%s: use a microphone with I2S" % sys.platform
            )
        self._rp2350 = "RP2350" in getattr(sys.implementation, "_machine", "")
        self._pin = settings["pin"]
        self._rate_hz = rate_hz
        self._hop = hop
        wanted = settings["ring_ms"] * rate_hz // 1000 + hop
        log2 = 1
        while 1 << log2 < 2 * wanted:
            log2 += 1
        if log2 > MOST_LOG2 or hop * 2 > 1 << log2 - 1:
            raise ConfigError(
                "config.listen.ring_ms: expected a ring of at most %d bytes, got %d ms at %d samples a second"
                % (1 << MOST_LOG2, settings["ring_ms"], rate_hz)
            )
        self._log2 = log2
        self._size = 1 << log2 - 1  # samples
        self._first = self._second = None

    def start(self):
        import rp2
        from uctypes import addressof

        machine.ADC(machine.Pin(self._pin))  # takes the pin's digital side off it
        size = self._size
        memory = array("H", bytearray(4 * size))
        skip = -addressof(memory) % (2 * size) >> 1  # the DMA's ring begins at a multiple of its size
        self._ring = memoryview(memory)[skip : skip + size]
        base = ADC_BASE[self._rp2350]
        machine.mem32[base + CS] = 0
        machine.mem32[base + FCS] = FCS_OVER | FCS_UNDER | FCS_THRESH | FCS_DREQ_EN | FCS_EN
        machine.mem32[base + DIV] = (ADC_HZ // self._rate_hz - 1) << 8
        if self._first:
            self._first.close()
            self._second.close()
        first, second = self._first, self._second = rp2.DMA(), rp2.DMA()
        for dma, other in ((first, second), (second, first)):
            ctrl = dma.pack_ctrl(
                size=1,
                inc_read=False,
                inc_write=True,
                ring_sel=True,
                ring_size=self._log2,
                treq_sel=TREQ_ADC[self._rp2350],
                chain_to=other.channel,
            )
            dma.config(read=base + FIFO, write=self._ring, count=size, ctrl=ctrl)
        self._at = self._waiting = self._lost = 0
        self._seen = ticks_ms()
        first.active(True)
        channel = self._pin - (WIDE_FIRST_PIN if self._pin >= WIDE_FIRST_PIN else FIRST_PIN)
        machine.mem32[base + CS] = channel << CS_AINSEL | CS_START_MANY | CS_EN

    def _look(self):
        """Count what came since the last look; return whether the ring had no room for it.

        Where the DMA writes tells the count but for whole rounds, and the clock tells these.
        """
        now = ticks_ms()
        ms = min(ticks_diff(now, self._seen), LONGEST_MS)
        self._seen = now
        size = self._size
        at = (size - (self._first if self._first.active() else self._second).count) % size
        came = (at - self._at - self._waiting) % size
        came += max(0, (ms * self._rate_hz // 1000 - came + (size >> 1)) // size) * size
        self._waiting += came
        if self._waiting < size:
            return False
        self._lost += self._waiting
        self._at = at
        self._waiting = 0
        return True

    def readinto(self, into):
        hop = self._hop
        if self._look() or self._waiting < hop:
            return False
        widen(self._ring, self._at, into, hop)
        if self._look():  # while they were taken out
            return False
        self._at = (self._at + hop) % self._size
        self._waiting -= hop
        return True

    def lost(self):
        self._look()
        lost = self._lost
        self._lost -= lost
        return lost
