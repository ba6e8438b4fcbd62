"""A node's season: its lives on the VM, one after another, and every decision beside the truth of its moment."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dibble_tools.model.host_model import MODEL_FILE, HostModel
from dibble_tools.node.config import whole
from dibble_tools.node.console_lines import Event, LineReader, Rejected, Row
from dibble_tools.node.record_log import Records, read_folder
from dibble_tools.simulator.devices.microphone import PlayedSound
from dibble_tools.simulator.faults import Faults
from dibble_tools.simulator.node.energy import SETTLE_MS, Energy
from dibble_tools.simulator.node.firmware import firmware_folder, sources_folder
from dibble_tools.simulator.node.flash import Flash, PowerCut
from dibble_tools.simulator.node.vm import FieldVm, Stop
from dibble_tools.simulator.node.wire import LIKE, POWER_ON, WATCHDOG, Hardware
from dibble_tools.simulator.orchard.site import TO_UNIX_S, Site
from dibble_tools.simulator.orchard.truth import Field
from dibble_tools.simulator.unkindness import Likeness

START_S = 820_454_400  # 2026-01-01, in the boards' seconds since 2000
FLASH_BLOCKS = 192
SOURCES_BLOCKS = 512  # of a node whose files aren't compiled, as what they take can be charged then
MOVE_US = 60_000_000  # the truth follows the time in steps of this
HEARD_US = 1_000_000  # and what a node that listens tells in these
UP_S = 5.0  # until it surely hears, from power-on
NOTICED_US = 86_400_000_000  # until somebody cuts the power of a node that hangs
LISTENING_HEAP = "256wk"  # of a VM with the kernels of a PC's words
PINS = 64  # a microphone is at whichever is asked
HEAP = "96wk"  # 96 KB of a 32-bit board, fewer than an ESP32 or a Pico has: this VM's words are twice as long


@dataclass
class Moment:
    """One decision, and the truth of its moment.

    Attributes:
        life: number of the life it was made in.
        at_s: true seconds since 2000.
        state, previous_state, state_since_s, near: of the field; near: within a sensor's error of another state.
        unwritten: the node said in this cycle that its log couldn't be written.
    """

    line: Row
    life: int
    at_s: float
    state: str
    previous_state: str
    state_since_s: float
    near: bool
    unwritten: bool = False


@dataclass(frozen=True)
class Truth:
    """The field at a moment, and what the node had used by then."""

    at_s: float
    state: str
    air_temperature_c: float
    soil_moisture_permille: float
    ethylene_ppb: float
    wind_speed_m_s: float
    used_mah: float


@dataclass
class Watering:
    """The valve opened: when, how dry the soil was, for how long."""

    at_s: float
    dryness: float  # above 0: drier than the limit; 1 is a sensor's error
    hours: float = 0.0


@dataclass
class Season:
    """What a season brought.

    Attributes:
        lives: what ended each life: "stop", "reset", "watchdog", "cut", "hang", "end".
        energy: by account.
        worked: of a node that listens, how often: frames, looks at a hop, decisions on a sound.
    """

    moments: list[Moment] = field(default_factory=list)
    events: list[tuple[float, Event]] = field(default_factory=list)
    waterings: list[Watering] = field(default_factory=list)
    lives: list[str] = field(default_factory=list)
    records: Records = field(default_factory=Records)
    energy: Energy = field(default_factory=Energy)
    truth: list[Truth] = field(default_factory=list)
    damaged_lines: int = 0
    tracebacks: int = 0
    batch: int = 0
    awake_share: float = 0.0
    fault_episodes: dict[str, int] = field(default_factory=dict)
    console: str = ""
    worked: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True)
class SimulatedBoard:
    """What a board does to a season.

    Attributes:
        power: its currents, boards.catalogue.read_power().
        like: how unkind it is, boards.catalogue.likeness().
        predict_us: of one prediction on it.
        bent_adc: its converter isn't straight, as an ESP32's.
        heap: of the VM.
    """

    power: dict[str, float]
    like: Likeness = LIKE
    predict_us: float = 0.0
    bent_adc: bool = False
    heap: str = HEAP


@dataclass(frozen=True)
class Orchard:
    """Where and when a season is.

    Attributes:
        soil: a name in soil_water.SOILS.
        station: of the weather.
        start_s: seconds since 2000.
        seed: of the sensors, the fruit and the faults.
    """

    soil: str = "loam"
    station: str = "EWR"
    start_s: int = START_S
    seed: int = 0


@dataclass(frozen=True)
class Hearing:
    """What the microphone of a node that listens hears, and what that takes its board.

    Attributes:
        samples: int16, played over and over, so that they begin at UP_S after power-on: a place has no silence before.
        rate_hz: of them.
        voice: voice.dib; None: none.
        work_us: of a frame, of a look at a hop, of a decision on a sound.
        viper: the board's firmware has kernels in machine code.
    """

    samples: np.ndarray
    rate_hz: int
    voice: HostModel | None
    work_us: tuple[int, int, int]
    viper: bool


class Simulation:
    """One node in the field.

    Args:
        model: what it runs.
        board: what it runs on; orchard: where it stands.
        days: how long.
        gate: the first stage's model; None: every costly reading is taken.
        faults: of faults.FAULTS.
        config: the node's config.json; None: one that gives the model its channels.
        interval_s: of its cycles, where `config` is None.
        hearing: of a node that listens, by `config`.
        progress: called with the share of the season that is over.
    """

    def __init__(
        self,
        model: HostModel,
        board: SimulatedBoard,
        orchard: Orchard | None = None,
        *,
        days: float,
        gate: HostModel | None = None,
        faults: tuple[str, ...] = (),
        config: dict[str, Any] | None = None,
        interval_s: int = 600,
        hearing: Hearing | None = None,
        progress: Callable[[float], None] = lambda share: None,
    ) -> None:
        self.model = model
        self._gate = gate
        self._board = board
        self._progress = progress
        place = orchard or Orchard()
        self.hardware = Hardware(
            Flash(SOURCES_BLOCKS if hearing else FLASH_BLOCKS), place.start_s, board.like, place.seed
        )
        truth = Field(place.seed, place.soil, place.station, place.start_s + TO_UNIX_S)
        self.site = Site(truth, self.hardware, place.seed, bent_adc=board.bent_adc)
        names = [channel.name for channel in self.model.channels]
        self.config = config or self.site.config(names, interval_s, tuple(self.model.classes))
        if config:
            self.site.wire(whole(config))
        if config is None and board.power["watched_sleep_ma"] > board.power["light_sleep_ma"]:
            self.config["watchdog_ms"] = 0  # a battery would be empty in days
        watched = whole(self.config)["watchdog_ms"]
        self._sleep_ma = board.power["watched_sleep_ma" if watched else "light_sleep_ma"]
        if gate and config is None:
            self.config["gate"] = {"skip": "skip"}
        self.faults = Faults(faults, self.site, place.seed)
        self.vm = FieldVm(self.hardware, LISTENING_HEAP if hearing else board.heap)
        self._hearing = hearing
        self._step_us = MOVE_US
        if hearing:
            begin_us = self.hardware.now_us + int(UP_S * 1e6)
            played = PlayedSound(hearing.samples.tolist(), hearing.rate_hz, begin_us, again=True)
            self.hardware.sounds = dict.fromkeys(range(PINS), played)
            self.vm.work_us = hearing.work_us
            self._step_us = HEARD_US
        self.season = Season(batch=whole(self.config)["log"]["batch"], energy=self.site.energy)
        self.site.used_mah = lambda: self.season.energy.total_mah
        self.site.on_valve = self._valve
        self._end_us = self.hardware.now_us + int(days * 86_400_000_000)
        self._start_us = self.hardware.now_us
        self._moved_us = self.hardware.now_us
        self._accounted = (0, 0, 0.0)
        self._reader = LineReader()
        self._unwritten = False

    def run(self) -> Season:
        """Live through the season; return what it brought."""
        with tempfile.TemporaryDirectory(prefix="dibble-") as name:
            folder = Path(name) / "node"
            if self._hearing:
                sources_folder(folder, viper=self._hearing.viper)
            else:
                firmware_folder(folder)
            self.model.save(folder / MODEL_FILE)
            if self._gate:
                self._gate.save(folder / "gate.dib")
            if self._hearing and self._hearing.voice:
                self._hearing.voice.save(folder / "voice.dib")
            (folder / "config.json").write_text(json.dumps(self.config))
            self.vm.install(folder)
            free = self.faults.free_blocks()
            if free:
                self.vm.fill(free)
            self.hardware.on_time = self._time
            cause = POWER_ON
            while self.hardware.now_us < self._end_us:
                self._reader = LineReader()
                ended = self.vm.power(cause)
                self._hear()
                self.site.power_lost(cut=ended in ("cut", "hang"))
                self.season.lives.append(ended)
                cause = WATCHDOG if ended == "watchdog" else POWER_ON
                if ended == "cut":
                    self._without_power(self.faults.power_lost())
                elif ended == "hang":
                    self._without_power(NOTICED_US)
            self.hardware.on_time = lambda: None
            self.hardware.flash.cut_at([])
            self._account()
            log = Path(name) / "read"
            self.vm.extract("/log", log)
            if any(log.iterdir()):
                self.season.records = read_folder(log)
        self.season.console = self.vm.text()
        frames, looks, decisions = self.hardware.worked
        self.season.worked = frames, looks, decisions
        self.season.tracebacks = self.season.console.count("Traceback (most recent call last)")
        self.season.fault_episodes = self.faults.episodes
        total = self.hardware.awake_us + self.hardware.asleep_us
        self.season.awake_share = self.hardware.awake_us / max(1, total)
        return self.season

    def _time(self) -> None:
        """Time has passed for the node."""
        now_us = self.hardware.now_us
        if now_us - self._moved_us >= self._step_us:
            self._moved_us = now_us
            self._hear()
            self._account()
            self.site.move()
            self._witness(now_us / 1e6)
            self._progress((now_us - self._start_us) / (self._end_us - self._start_us))
        if now_us >= self._end_us:
            raise Stop
        if self.faults.advance():
            raise PowerCut

    def _without_power(self, us: int) -> None:
        self.hardware.flash.cut_at([])
        end_us = min(self._end_us, self.hardware.now_us + us)
        while self.hardware.now_us < end_us:
            self.hardware.now_us = min(end_us, self.hardware.now_us + 10 * MOVE_US)
            self.site.move()
        self._moved_us = self.hardware.now_us

    def _hear(self) -> None:
        """Put what the node has printed beside the truth, before that moves on."""
        truth = self.site.field
        at_s = self.hardware.now_us / 1e6
        for line in self._reader.feed(self.vm.collect()):
            if isinstance(line, Event):
                self.season.events.append((at_s, line))
                self._unwritten |= line.kind == "log" and line.text.startswith("log: expected")
            elif isinstance(line, Rejected):
                self.season.damaged_lines += b"*" in line.line
            if not isinstance(line, Row):
                continue
            computing_us = 1000 * SETTLE_MS + self._board.predict_us
            self.season.energy.add("processor awake", self._board.power["active_ma"] * computing_us / 1000)
            state = truth.label()
            near = truth.margin() < 1
            self.season.moments.append(
                Moment(
                    line,
                    len(self.season.lives),
                    at_s,
                    state,
                    truth.previous_state,
                    truth.state_since_s - TO_UNIX_S,
                    near,
                    self._unwritten,
                )
            )
            self._unwritten = False

    def _witness(self, at_s: float) -> None:
        """Note the truth, once an hour."""
        if not self.season.truth or at_s - self.season.truth[-1].at_s >= 3600:
            truth = self.site.field
            self.season.truth.append(
                Truth(
                    at_s,
                    truth.label(),
                    truth.air_temperature_c,
                    truth.soil_moisture_permille,
                    truth.ethylene_ppb,
                    truth.wind_speed_m_s,
                    self.season.energy.total_mah,
                )
            )

    def _account(self) -> None:
        """Charge the processor and the sensors for the time since the last account."""
        awake, asleep, sensors = self._accounted
        hardware, energy = self.hardware, self.season.energy
        now = (hardware.awake_us, hardware.asleep_us, self.site.sensors_uc())
        energy.add("processor awake", self._board.power["active_ma"] * (now[0] - awake) / 1000)
        energy.add("processor asleep", self._sleep_ma * (now[1] - asleep) / 1000)
        energy.add("sensors", now[2] - sensors)
        self._accounted = now

    def _valve(self, on: bool) -> None:
        now_s = self.hardware.now_us / 1e6
        if on:
            self.season.waterings.append(Watering(now_s, self.site.field.margins()["irrigate"]))
        elif self.season.waterings:
            self.season.waterings[-1].hours = (now_s - self.season.waterings[-1].at_s) / 3600
