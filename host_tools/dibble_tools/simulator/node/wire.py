"""The hardware behind a simulated node: what each request of the VM's `machine` and `time` means.

simulator/node/guest/wire.py tells the layout of requests and answers.
"""

import contextlib
import random
import struct
from collections.abc import Callable
from typing import Any

from dibble_tools.simulator.devices.camera import Camera
from dibble_tools.simulator.devices.microphone import (
    ADC,
    I2S,
    I2S_IN,
    AdcRun,
    I2sRing,
    PlayedSound,
    Recorder,
    SampleClock,
)
from dibble_tools.simulator.node.bus import TICKS_PERIOD, Analog, I2cDevice, Nack, OneWireDevice, Pulses
from dibble_tools.simulator.node.flash import Flash
from dibble_tools.simulator.node.wifi import NO_RADIO, Wifi
from dibble_tools.simulator.unkindness import Likeness

REQUEST = struct.Struct("<BHIH")
ANSWER = struct.Struct("<BII")
POWER_ON, WATCHDOG = 1, 3  # machine.reset_cause()
UV_FULL = 3_300_000  # of the analog converter: 65535
MOST_INTERRUPTS = 64  # of one answer
FALLING, RISING = 1, 2
LATENCY_US = 150  # of an interrupt: what changes again sooner is seen once
ESP32_END_UV = {"0 dB": 1_100_000, "11 dB": 3_100_000, "11 dB, bent": 2_868_000}  # of read_uv()
US_PER_BYTE = 95  # of the I2C bus at 100 kHz
LIKE = Likeness()
EARLY_SHARE = 0.3  # of the light sleeps, that end early
EARLY_MS = (27, 64)
LONGEST_SLEEP_MS = (1 << 32) // 1000
FILLED = 254  # status of a sleep in which a hop of samples was filled; simulator/node/guest/wire.py has the same


class WatchdogBite(Exception):
    """The node didn't feed its watchdog in time."""


class NodeReset(Exception):
    """The node asked to be reset."""


class NodeHangs(Exception):
    """The node does nothing any more until its power is cut."""


class Hardware:
    """Devices on their pins and buses, in virtual time.

    Args:
        flash: the chip.
        start_s: the field's time, seconds since 2000.
        like: the board.
        seed: of when it is unkind.
    Attributes:
        i2c, analog, pulses, onewire: address or pin -> device.
        sounds: data pin -> what is heard there, by a microphone.
        camera: at the board's parallel interface; None: none.
        dropped: samples that a stream's ring had no room for, of this life.
        charged_us: time that the node has computed for, of this life, as its stand-ins for counted work say.
        worked: how often, in all lives: of frames, looks at a hop, decisions on a sound: guest/work.py.
        outputs: pin -> level, as the node drives it.
        on_output: called with (pin, level) when one changes.
        on_time: called after time has passed: the world moves on.
        clock_offset_s: what the node's clock shows less the field's seconds since 2000.
        ticks_offset_ms: what ticks_ms() showed at the start.
        awake_us, asleep_us: time spent in each state.
        unkind: of unkindness.UNKINDNESSES.
        wifi: the board's radio; None: it has none, nor a module for it.
    """

    def __init__(self, flash: Flash, start_s: int = 0, like: Likeness = LIKE, seed: int = 0) -> None:
        self.flash = flash
        self.like = like
        self.unkind = like.unkind
        self._rng = random.Random(f"board {seed}")
        self.wifi = Wifi(like.unkind, random.Random(f"wifi {seed}")) if like.wifi else None
        self.now_us = start_s * 1_000_000
        self.i2c: dict[int, I2cDevice] = {}
        self.analog: dict[int, Analog] = {}
        self.pulses: dict[int, Pulses] = {}
        self.onewire: dict[int, OneWireDevice] = {}
        self.sounds: dict[int, PlayedSound] = {}
        self.camera: Camera | None = None
        self._buffer_free_us = 0
        self.charged_us = 0
        self.worked = [0, 0, 0]
        self.outputs: dict[int, int] = {}
        self.inputs: dict[int, int] = {}
        self.on_output: Callable[[int, int], None] = lambda pin, level: None
        self.on_time: Callable[[], None] = lambda: None
        self.clock_offset_s = 0
        self.ticks_offset_ms = 0
        self.awake_us = self.asleep_us = 0
        self.cause = POWER_ON
        self.power_on(POWER_ON)
        self._operations: dict[int, Callable[[int, int, bytes], tuple[int, bytes]]] = {
            ord("S"): self._sleep,
            ord("Z"): self._light_sleep,
            ord("P"): lambda a, b, data: (self.inputs.get(a, 1), b""),
            ord("O"): self._output,
            ord("I"): self._interrupt,
            ord("A"): self._analog,
            ord("W"): self._i2c_write,
            ord("R"): self._i2c_read,
            ord("1"): self._onewire_write,
            ord("2"): self._onewire_read,
            ord("T"): lambda a, b, data: (0, _number(self.clock_s())),
            ord("U"): self._set_clock,
            ord("F"): self._feed,
            ord("X"): self._reset,
            ord("H"): self._arm,
            ord("Q"): self._radio,
            ord("C"): lambda a, b, data: (self.cause, b""),
            ord("M"): self._listen,
            ord("D"): self._samples,
            ord("V"): self._view,
            ord("L"): self._work,
            ord("N"): lambda a, b, data: (0, b"dibble01"),
            ord("G"): self._program,
            ord("E"): self._erase,
            ord("K"): lambda a, b, data: (0, _number(self.flash.blocks)),
        }

    def power_on(self, cause: int) -> None:
        """Forget what a node loses with its power, or at a reset."""
        self.cause = cause
        self.outputs = {}
        self._listening: dict[int, tuple[int, int]] = {}  # pin -> until when its changes were told, which of them
        self._pending: list[tuple[int, int, bool]] = []
        self._sleeping_until: int | None = None
        self._stream: I2sRing | AdcRun | Recorder | None = None
        self.charged_us = 0
        self._watchdog_us: int | None = None
        self._bite_at: int | None = None
        self._reset_at: int | None = None  # by a timer
        self._clock_lost_us = 0
        if "clock_unset" in self.unkind:
            self.clock_offset_s = self.like.unset_s - self.now_us // 1_000_000
        if self.wifi:
            self.wifi.power_on()

    def clock_s(self) -> int:
        """Return the time that the node's clock shows, in seconds since 2000."""
        return (self.now_us - self._clock_lost_us) // 1_000_000 + self.clock_offset_s

    def ticks_ms(self) -> int:
        return (self.now_us // 1000 + self.ticks_offset_ms) % TICKS_PERIOD

    def handle(self, operation: int, a: int, b: int, data: bytes) -> bytes:
        """Return the answer to one request.

        Raises:
            PowerCut, WatchdogBite, NodeReset: the VM has to be ended.
        """
        status, payload = self._operations[operation](a, b, data)
        return ANSWER.pack(status, self.ticks_ms(), len(payload)) + payload

    def watchdog_armed(self) -> bool:
        return self._bite_at is not None

    def bite(self) -> None:
        """Let the time pass until the watchdog bites."""
        assert self._bite_at is not None
        with contextlib.suppress(WatchdogBite):
            self.pass_time(self._bite_at + 1, awake=True)

    def pass_time(self, until_us: int, *, awake: bool) -> None:
        """Let time pass; the watchdog bites where it ends first."""
        if self._reset_at is not None and self._reset_at < until_us:
            moment, self._reset_at = max(self.now_us, self._reset_at), None
            self.pass_time(moment, awake=awake)
            raise NodeReset
        bite = self._bite_at is not None and self._bite_at < until_us
        if bite:
            assert self._bite_at is not None
            until_us = max(self.now_us, self._bite_at)
        if awake:
            self.awake_us += until_us - self.now_us
        else:
            self.asleep_us += until_us - self.now_us
        self.now_us = until_us
        self.on_time()
        if bite:
            raise WatchdogBite

    def _sleep(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        """Sleep b ms; end early with 1 + pin and its interrupts, ticks << 1 | closed, until another pin has one.

        a = 1 goes on with the sleep that ended early.
        """
        if not a:
            self._sleeping_until = self.now_us + b * 1000
            pending = [
                (max(moment, self.now_us), pin, closed)
                for pin, (since, edges) in self._listening.items()
                for moment, closed in self._seen(pin, since, self._sleeping_until)
                if edges & (FALLING if closed else RISING)
            ]
            self._pending = sorted(pending, key=lambda change: change[0])[::-1]
            for pin, (_, edges) in self._listening.items():
                self._listening[pin] = self._sleeping_until, edges
        assert self._sleeping_until is not None
        until_us = max(self.now_us, self._pending[-1][0] if self._pending else self._sleeping_until)
        filled_us = self._stream.run(until_us) if isinstance(self._stream, I2sRing) else None
        if filled_us is not None:
            self.pass_time(max(self.now_us, filled_us), awake=True)
            return FILLED, b""
        if self._pending:
            pin = self._pending[-1][1]
            changes: list[tuple[int, bool]] = []
            while self._pending and self._pending[-1][1] == pin and len(changes) < MOST_INTERRUPTS:
                moment, _, closed = self._pending.pop()
                changes.append((moment, closed))
            self.pass_time(max(changes[-1][0], self.now_us), awake=True)
            words = [(at // 1000 + self.ticks_offset_ms) % TICKS_PERIOD << 1 | closed for at, closed in changes]
            return 1 + pin, struct.pack(f"<{len(words)}I", *words)
        self.pass_time(self._sleeping_until, awake=True)
        return 0, b""

    @property
    def dropped(self) -> int:
        return self._stream.dropped if isinstance(self._stream, I2sRing) else 0

    def _listen(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        """Start a stream of kind a at rate b. data: 32 bits each, its pin and its ring's room."""
        pin, room = struct.unpack("<II", data)
        stream = SampleClock(self.sounds.get(pin), b, self.now_us)
        if a == I2S:
            self._stream = I2sRing(stream, room)
        elif a == ADC:
            self._stream = AdcRun(stream)
        else:
            self._stream = Recorder(stream, room if a == I2S_IN else 0, self.now_us)
        return 0, b""

    def _samples(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        """Answer what a stream is asked: of I2S a = 1 for b samples to come, 0 for those that are there.

        Of an ADC the last b values since it was last asked; of a recorder b samples, for which this waits: status 1
        where some were lost before.
        """
        stream = self._stream
        if isinstance(stream, I2sRing):
            if a:
                stream.request(b, self.now_us)
                return 0, b""
            return 0, stream.take()
        if isinstance(stream, AdcRun):
            return 0, stream.values(self.now_us, b)
        assert stream is not None
        stream.overflow = False
        moment, samples = stream.record(b, self.now_us)
        self.pass_time(moment, awake=True)
        return int(stream.overflow), struct.pack(f"<{len(samples)}h", *samples)

    def _view(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        """Answer what a camera is asked; status 1: it isn't there (a = 0), or no frame comes in time.

        a = 1: the frame that fills a buffer which became free when the last one was handed back: now, where b is 1.
        a = 2: the next that begins. data: height, width, bits of a pixel; ms that it is waited for, 0: for ever.
        """
        camera = self.camera
        if not a:
            self._buffer_free_us = self.now_us
            return int(camera is None or camera.absent), b""
        height, width, bits, most_ms = struct.unpack("<HHBH", data)
        if a == 2 or b:
            self._buffer_free_us = self.now_us
        moment = camera.next_frame(self._buffer_free_us) if camera else None
        if camera is None or moment is None or (most_ms and moment > self.now_us + 1000 * most_ms):
            self.pass_time(self.now_us + 1000 * most_ms, awake=True)
            return 1, b""
        self.pass_time(max(moment, self.now_us), awake=True)
        return 0, camera.pixels(moment, height, width, bits)

    def _work(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        """Let b us pass, for which the node computes: a tells for what."""
        self.worked[a] += 1
        self.charged_us += b
        self.pass_time(self.now_us + b, awake=True)
        return 0, b""

    def _seen(self, pin: int, since_us: int, end_us: int) -> list[tuple[int, bool]]:
        """Return a contact's changes as an interrupt sees them: it runs a little later, and reads the pin then."""
        seen: list[tuple[int, bool]] = []
        for moment, closed in reversed(self.pulses[pin].changes(since_us, end_us)):
            late = bool(seen) and seen[-1][0] - moment < LATENCY_US
            seen.append(seen[-1] if late else (moment, closed))
        return seen[::-1]

    def _light_sleep(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        """Sleep b ms at most; status 1: so long a sleep can't be."""
        if "sleep_too_long" in self.unkind and b >= LONGEST_SLEEP_MS:
            return 1, b""
        if "watchdog_hangs_sleep" in self.unkind and self._bite_at is not None:
            raise NodeHangs
        sleep_us = b * 1000
        if "sleep_ends_early" in self.unkind and self._rng.random() < EARLY_SHARE:
            whole = self._rng.random() < 0.5
            early_us = self._rng.uniform(0, sleep_us) if whole else 1000 * self._rng.uniform(*EARLY_MS)
            sleep_us = min(sleep_us, int(early_us))
        before_us = self.now_us
        try:
            self.pass_time(self.now_us + sleep_us, awake=False)
        finally:
            if "calendar_stands_still" in self.unkind:
                self._clock_lost_us += self.now_us - before_us
        for pin, (_, edges) in self._listening.items():  # no interrupt comes through
            self._listening[pin] = self.now_us, edges
        return 0, b""

    def _radio(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        """See Wifi.answer(); status NO_RADIO: the board has none."""
        if self.wifi is None:
            return NO_RADIO, b""
        status, ms = self.wifi.answer(a, b, self.now_us)
        if ms:
            self.pass_time(self.now_us + 1000 * ms, awake=True)
        return status, b""

    def _output(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        if self.outputs.get(a) != b:
            self.outputs[a] = b
            self.on_output(a, b)
        return 0, b""

    def _interrupt(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        if b and a in self.pulses:
            self._listening[a] = self.now_us, b
        else:
            self._listening.pop(a, None)
        return 0, b""

    def _analog(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        """Return 16 bits; of an ESP32 (b: 1 its default, else 2 + attenuation) microvolts, status 1 at its end."""
        microvolts = self.analog[a].microvolts() if a in self.analog else 0.0
        if b:
            default = 0 if "adc_0db" in self.unkind else 3
            bent = ", bent" if "adc_top_bends" in self.unkind else ""
            end_uv = ESP32_END_UV["11 dB" + bent if (default if b == 1 else b - 2) else "0 dB"]
            return int(microvolts >= end_uv), _number(min(microvolts, end_uv))
        return 0, _number(min(65535, max(0, round(microvolts * 65535 / UV_FULL))))

    def _i2c_write(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        try:
            device = self._device(a)
            if data:  # a scan asks for the address alone, which each part acknowledges
                device.write(data)
        except Nack:
            return 1, b""
        finally:
            self.pass_time(self.now_us + US_PER_BYTE * (1 + len(data)), awake=True)
        return 0, b""

    def _i2c_read(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        try:
            return 0, self._device(a).read(b)
        except Nack:
            return 1, b""
        finally:
            self.pass_time(self.now_us + US_PER_BYTE * (1 + b), awake=True)

    def _device(self, address: int) -> I2cDevice:
        if address not in self.i2c:
            raise Nack
        return self.i2c[address]

    def _onewire_write(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        """Reset for b = 256; write a bit for 257 and 258, else a byte."""
        if b == 256:
            return int(a in self.onewire and self.onewire[a].reset()), b""
        if a in self.onewire and b > 256:
            self.onewire[a].write_bit(b - 257)
        elif a in self.onewire:
            self.onewire[a].write(b)
        return 0, b""

    def _onewire_read(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        """Read a byte, or a bit for b = 1."""
        if a not in self.onewire:
            return 0, _number(1 if b else 255)
        return 0, _number(self.onewire[a].read_bit() if b else self.onewire[a].read())

    def _set_clock(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        self._clock_lost_us = 0
        self.clock_offset_s = b - self.now_us // 1_000_000
        return 0, b""

    def _feed(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        if b:
            self._watchdog_us = b * 1000
        if self._watchdog_us:
            self._bite_at = self.now_us + self._watchdog_us
        return 0, b""

    def _arm(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        """Reset the node after b ms; 0: no longer."""
        self._reset_at = self.now_us + b * 1000 if b else None
        return 0, b""

    def _reset(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        raise NodeReset

    def _program(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        self.flash.program(a, b, data)
        return 0, b""

    def _erase(self, a: int, b: int, data: bytes) -> tuple[int, bytes]:
        self.flash.erase(a)
        return 0, b""


def _number(value: Any) -> bytes:
    return int(value).to_bytes(4, "little", signed=True)
