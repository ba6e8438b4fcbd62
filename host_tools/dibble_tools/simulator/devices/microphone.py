"""Microphones: a recording that is played to a pin, and how each runtime's own ring takes it, late readers and all.

Sources, beside data sheets: MicroPython 1.28 extmod/machine_i2s.c and ports/rp2/machine_i2s.c (blocks of 16 frames by
DMA, dropped where the ring has no room; a hop is filled by the DMA's interrupt, 64 frames at most each time);
CircuitPython ports/raspberrypi/common-hal/audioi2sin/I2SIn.c (two halves of 40 ms or 4096 bytes; who is more than
a half behind loses all that waits), ports/nordic and ports/raspberrypi/common-hal/audiobusio/PDMIn.c (no ring between
records).
"""

import random
import struct
from collections import deque
from collections.abc import Sequence
from pathlib import Path

NOISE = 6  # of a microphone by itself, in steps of 16 bits: an INMP441 has 61 dBA of 120 dB
DMA_FRAMES = 16  # of one interrupt on an RP2: half of 256 bytes, 8 each
COPIED_FRAMES = 64  # from the ring at most at each
FRAME_BYTES = 8
I2S, ADC, I2S_IN, PDM = 1, 2, 3, 4  # kinds of streams: simulator/node/guest and guest_circuitpython ask for these
FULL, ADC_FULL = 32768, 4096


class PlayedSound:
    """A recording, played once from a moment on; before and after it there is only the microphone's own noise.

    Args:
        samples: of 16 bits.
        rate_hz: of the recording.
        start_us: when it begins.
        again: and begins anew, with no pause.
    """

    def __init__(
        self, samples: Sequence[int], rate_hz: int, start_us: int, seed: int = 0, *, again: bool = False
    ) -> None:
        self._again = again
        self._samples = samples
        self._rate_hz = rate_hz
        self._start_us = start_us
        self._rng = random.Random(f"microphone {seed}")

    @classmethod
    def of_file(cls, path: Path, start_us: int, *, again: bool = False) -> "PlayedSound":
        """Return a recording as it lies in a file."""
        from dibble_tools.data.sound.recordings import at_its_own_rate

        samples, rate_hz = at_its_own_rate(path)
        return cls(samples.tolist(), rate_hz, start_us, again=again)

    def at_rate(self, rate_hz: int) -> "PlayedSound":
        """Return it as a microphone takes it at another rate: low-passed to what that holds."""
        if rate_hz == self._rate_hz:
            return self
        import numpy as np

        from dibble_tools.data.sound.recordings import resampled

        samples = np.round(resampled(np.array(self._samples), self._rate_hz, rate_hz)).astype(int)
        return PlayedSound(samples.tolist(), rate_hz, self._start_us, again=self._again)

    @property
    def end_us(self) -> int:
        """When its last sample is over."""
        return self._start_us + len(self._samples) * 1_000_000 // self._rate_hz

    def heard(self, at_us: float) -> int:
        """Return the sample of a moment."""
        at = int((at_us - self._start_us) * self._rate_hz / 1e6)
        if self._again:
            at %= len(self._samples)
        noise = self._rng.randint(-NOISE, NOISE)
        value = self._samples[at] if 0 <= at < len(self._samples) else 0
        return max(-FULL, min(FULL - 1, value + noise))


class SampleClock:
    """The samples of a microphone, by their numbers: a clock of its own, from the moment it starts.

    Args:
        sound: None: nothing is wired to the pin.
    """

    def __init__(self, sound: PlayedSound | None, rate_hz: int, now_us: int) -> None:
        self._sound = sound and sound.at_rate(rate_hz)
        self.rate_hz = rate_hz
        self._start_us = now_us

    def number(self, now_us: int) -> int:
        """Return how many samples there were by a moment."""
        return (now_us - self._start_us) * self.rate_hz // 1_000_000

    def moment_us(self, number: int) -> int:
        """Return when there are so many."""
        return self._start_us + -(-number * 1_000_000 // self.rate_hz)

    def samples(self, first: int, end: int) -> list[int]:
        """Return samples by their numbers."""
        sound = self._sound
        if sound is None:
            return [0] * (end - first)
        step = 1e6 / self.rate_hz
        return [sound.heard(self._start_us + i * step) for i in range(first, end)]


class I2sRing:
    """machine.I2S of MicroPython, receiving 16 bits mono.

    Args:
        room_bytes: ibuf.
    Attributes:
        dropped: samples for which there was no room.
    """

    def __init__(self, stream: SampleClock, room_bytes: int) -> None:
        self._stream = stream
        self._room = room_bytes // FRAME_BYTES
        self._ring: deque[tuple[int, int]] = deque()
        self._held = 0
        self._blocks = 0
        self._wanted = 0
        self._flight: list[int] = []
        self.dropped = 0
        self.done_us: int | None = None

    def request(self, count: int, now_us: int) -> None:
        """Ask for so many samples."""
        self._wanted, self.done_us = 0, None
        self.run(now_us)
        self._wanted = count
        self._flight = []

    def take(self) -> bytes:
        """Return those that were asked for."""
        self._wanted, self.done_us = 0, None
        return struct.pack(f"<{len(self._flight)}h", *self._flight)

    def run(self, until_us: int) -> int | None:
        """Let the DMA run until a moment, or until what was asked for is there: return when that was."""
        while self.done_us is None:
            moment = self._stream.moment_us((self._blocks + 1) * DMA_FRAMES)
            if moment > until_us:
                return None
            first = self._blocks * DMA_FRAMES
            self._blocks += 1
            if self._held + DMA_FRAMES < self._room:  # a ring keeps one byte free
                self._ring.append((first, first + DMA_FRAMES))
                self._held += DMA_FRAMES
            else:
                self.dropped += DMA_FRAMES
            count = min(COPIED_FRAMES, self._wanted - len(self._flight))
            if count > 0 and self._held >= count:
                self._copy(count)
                if len(self._flight) == self._wanted:
                    self.done_us = moment
        return self.done_us

    def _copy(self, count: int) -> None:
        self._held -= count
        while count:
            first, end = self._ring.popleft()
            cut = min(end, first + count)
            self._flight += self._stream.samples(first, cut)
            count -= cut - first
            if cut < end:
                self._ring.appendleft((cut, end))


class AdcRun:
    """The ADC of an RP2 in free run: values of 12 bits since they were last asked for, as its FIFO gave them to DMA."""

    def __init__(self, stream: SampleClock) -> None:
        self._stream = stream
        self._told = 0

    def values(self, now_us: int, most: int) -> bytes:
        """Return a 32-bit count of all values that came since, and the last `most` of them, 16 bits each."""
        end = self._stream.number(now_us)
        came = end - self._told
        first = max(self._told, end - most)
        self._told = end
        values = [(sample + FULL) * ADC_FULL // (2 * FULL) for sample in self._stream.samples(first, end)]
        return struct.pack(f"<I{len(values)}H", came, *values)


class Recorder:
    """CircuitPython's record(): I2SIn, behind which a ring of two halves runs on, and PDMIn, which has none.

    Args:
        half: samples of half a ring; 0: there is none, so what comes between two calls is gone.
    Attributes:
        overflow: some was lost, as I2SIn tells; PDMIn doesn't.
    """

    def __init__(self, stream: SampleClock, half: int, now_us: int) -> None:
        self._stream = stream
        self._half = half
        self._at = stream.number(now_us)
        self.overflow = False

    def record(self, count: int, now_us: int) -> tuple[int, list[int]]:
        """Return when so many samples are there, and them."""
        written = self._stream.number(now_us)
        behind = written - self._at
        if self._half:
            behind %= 2 * self._half
        if behind > self._half or not self._half:
            self.overflow = True
            self._at = written
        elif written - self._at != behind:  # round once or more: it looks as if nothing had happened
            self._at = written - behind
        end = self._at + count
        found = self._stream.samples(self._at, end)
        self._at = end
        return max(now_us, self._stream.moment_us(end)), found
