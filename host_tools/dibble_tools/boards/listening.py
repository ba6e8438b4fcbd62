"""What listening costs on a board: its stages, each weighed by the share of time in which it works.

samples -> gate -> frames -> voice.dib -> model.dib: each lets through what the next has to look at.
"""

import shutil
import tempfile
from array import array
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from dibble.senses.gate import FLOOR_HOPS, Gate
from dibble.senses.listener import HOPS, Listener

from dibble_tools.boards.figure import Figure
from dibble_tools.boards.schema import Board, Runtime
from dibble_tools.common.shipped import LIBRARY, ROOMS
from dibble_tools.data.sound.segments import rows_of
from dibble_tools.machines.replay import MACHINE_CODE, WASI_HEAP, WASI_MEMORY, middle_cost
from dibble_tools.machines.vms import run_wasi
from dibble_tools.model.hearing import sense_of
from dibble_tools.model.host_model import HostModel

GUEST = ROOMS / "boards" / "guest" / "listening_cost.py"
LOOKS = 20
OBJECTS_BYTES = 2_500  # of a Listener, its stream and Listening: tests/benchmarks/listening_m0.py
# Cortex-M0 instructions of a kernel for each that its bytecode takes of the 32-bit VM: `python -m
# dibble_tools.bench.front_end` has both, and `.stream_net` and models/four_words' card come near.
ASSEMBLER = Figure.within(0.0036, 1.2, "")
VIPER = Figure.within(0.018, 1.8, "")
SPAN, GATE = {"assembler": 10, "viper": 49}, 17_000  # instructions of a sample, and of the rest of Gate.opens()
GLUE = 70_000  # of a hop: waits, watchdog, the stream: tests/benchmarks/listening_m0.py
CYCLES = 1.5  # of an instruction: loads, stores and taken branches take two
OTHER_CORES = 2.0  # how far those that aren't a Cortex-M0 may be off
# us of the interrupt that moves a sample out of a ring: 8 bytes, one at a time, in and out (ports/rp2/machine_i2s.c).
MOVED_CYCLES = {"i2s_mic": Figure.within(300.0, 2.0, ""), "adc_mic": Figure.exact(0.0, "")}
# mA of a microphone, of data sheets, recalled: INMP441; MAX9814; MP34DT05.
MICROPHONE_MA = {"i2s_mic": 1.4, "adc_mic": 3.1, "pdm_mic": 0.65}
MICROPHONE_SPREAD = 1.3


@dataclass(frozen=True)
class Shares:
    """How much of the time there is something to hear, of all hops.

    Attributes:
        framed: in which frames are made: the gate is open, or it's one that moves the floor.
        sounds: at which voice.dib, or the model where there is none, decides.
        passed: at which the model decides.
        rests_on: in words.
    """

    framed: float
    sounds: float
    passed: float
    rests_on: str


@dataclass(frozen=True)
class ListeningStage:
    """A stage of a node that listens.

    Attributes:
        share: of all hops, at which it works.
        each_us: of a hop.
        busy: share of the processor's time.
    """

    name: str
    share: float
    each_us: Figure
    busy: Figure


@dataclass(frozen=True)
class ListeningCost:
    """What listening takes of a board.

    Attributes:
        hop_ms: of a hop.
        stages, uncut: as config.listen has it; and of one that looks at all that it hears: no gate, no voice.dib.
        rests_on: the shares, in words.
    """

    hop_ms: float
    stages: tuple[ListeningStage, ...]
    uncut: tuple[ListeningStage, ...]
    rests_on: str

    @property
    def cascades(self) -> bool:
        """Tell whether any stage saves another's work."""
        return any(stage.share < 1 for stage in self.stages)


def gate_of(settings: dict[str, Any], runtime: Runtime) -> tuple[int, int]:
    """Return the gate's permille, 0: none, and each how manyth quiet hop is heard all the same, 0: none.

    Where frames aren't made as samples come, a sound is heard once it has ended: there is a gate always.

    Args:
        settings: config.listen, whole.
    """
    if settings["in_time"] == "yes" or (settings["in_time"] == "auto" and runtime.viper):
        return settings["gate_permille"], FLOOR_HOPS
    return settings["gate_permille"] or settings["take_permille"], 0


def shares_of(
    model: HostModel, voice: HostModel | None, runtime: Runtime, settings: dict[str, Any], samples: np.ndarray
) -> Shares:
    """Return the shares of a recording at the model's rate, by the firmware's own gate, listener and models.

    Args:
        settings: config.listen, whole.
    """
    front_end = sense_of(model).front_end
    hop, keep = front_end.hop, front_end.size - front_end.hop
    padded = np.concatenate([np.zeros(keep, np.int16), samples.astype(np.int16)])
    rows = rows_of(padded, front_end)
    heard = memoryview(array("h", padded[keep:].tobytes()))
    permille, floor_hops = gate_of(settings, runtime)
    skip = voice.classes.index(settings["skip"]) if voice and settings["skip"] in voice.classes else -1
    ear = Listener(model.model, voice and voice.model, skip)
    gate = Gate(permille, *ear.gone_on)
    place = 0

    def levels(_: object) -> None:
        ear.row[:] = rows[place].tobytes()

    ear.levels = levels
    ear.restart()
    framed = sounds = passed = quiet = 0
    for place in range(len(rows)):
        if not gate.opens(heard[place * hop : (place + 1) * hop]):
            quiet += 1
            if not floor_hops or quiet % floor_hops:
                continue
        framed += 1
        ear.hear()
        sounds += ear.rows > 0
        passed += ear.rows > 0 and not ear.skipped
    ear.restart()
    count = max(1, len(rows))
    return Shares(framed / count, sounds / count, passed / count, f"{count * hop / front_end.rate_hz:,.0f} s of sound")


def assumed_shares(model: HostModel, voice: HostModel | None, runtime: Runtime, settings: dict[str, Any]) -> Shares:
    """Return what is assumed where there is no recording: a tenth of the time is loud, a third of that worth it."""
    gate = sense_of(model).gate
    permille, floor_hops = gate_of(settings, runtime)
    loud = 0.1 if permille else 1.0
    framed = loud + (1 - loud) / floor_hops if floor_hops else loud
    worth = 0.33 if voice else 1.0
    sounds = framed if gate is None else 0.1 / (2 * gate.tail)
    return Shares(framed, sounds, sounds * worth, "assumed: a tenth of the time is loud; --sound measures it")


def listening_cost(
    model: HostModel, voice: HostModel | None, board: Board, runtime: Runtime, settings: dict[str, Any], shares: Shares
) -> ListeningCost:
    """Return what listening costs.

    Args:
        settings: config.listen, whole.
    """
    front_end = sense_of(model).front_end
    hop_us = front_end.hop * 1e6 / front_end.rate_hz
    frame, look = counted(model.blob)
    each = {
        "samples": _moved_us(settings["driver"], front_end.hop, board),
        "gate": _look_us(look, front_end.hop, board, runtime),
        "frames": _kernel_us(frame, board, runtime),
        "voice.dib": decision_us(voice, board, runtime) if voice else Figure.exact(0.0, ""),
        "model.dib": decision_us(model, board, runtime),
    }
    looked = 1.0 if gate_of(settings, runtime)[0] else 0.0
    every = 1.0 if sense_of(model).gate is None else shares.sounds

    if runtime.viper:
        each["its own Python"] = Figure.within(GLUE * CYCLES / board.chip.mhz, OTHER_CORES, "listening_m0.py")
    else:
        each["its own Python"] = Figure.exact(0.0, "")

    def stages(share: dict[str, float]) -> tuple[ListeningStage, ...]:
        return tuple(
            ListeningStage(name, part, each[name], each[name].times(Figure.exact(part / hop_us, ""), shares.rests_on))
            for name, part in share.items()
            if part and each[name].value
        )

    cut = {"samples": 1.0, "its own Python": 1.0, "gate": looked, "frames": shares.framed}
    cut |= {"voice.dib": shares.sounds if voice else 0.0, "model.dib": shares.passed}
    uncut = {"samples": 1.0, "its own Python": 1.0, "frames": 1.0, "model.dib": every}
    return ListeningCost(hop_us / 1000, stages(cut), stages(uncut), shares.rests_on)


def work_us(
    model: HostModel, voice: HostModel | None, board: Board, runtime: Runtime, settings: dict[str, Any]
) -> tuple[int, int, int]:
    """Return the microseconds of a frame, of a look at a hop and of a decision on a sound, for a simulation to charge.

    The node's own Python is the look's, or the frame's where there is no gate; a network's decision the frame's.

    Args:
        settings: config.listen, whole.
    """
    counts = counted(model.blob)
    frame = _kernel_us(counts[0], board, runtime).value
    look = _look_us(counts[1], sense_of(model).front_end.hop, board, runtime).value
    own = GLUE * CYCLES / board.chip.mhz if runtime.viper else 0.0
    decision = sum(decision_us(each, board, runtime).value for each in (voice, model) if each)
    if gate_of(settings, runtime)[0]:
        look += own
    else:
        frame += own
    if sense_of(model).gate is None:
        frame, decision = frame + decision, 0.0
    return round(frame), round(look), round(decision)


def charges(stages: tuple[ListeningStage, ...], ms: float, active: Figure, idle: Figure) -> dict[str, Figure]:
    """Return the microcoulombs that each stage takes in so many ms, above an idle processor's."""
    more = max(0.0, active.value - idle.value)
    above = Figure(more, more / 2, max(more, active.high - idle.low), f"{active.rests_on}, less idle")
    return {
        f"listening: {stage.name}": stage.busy.times(above.times(Figure.exact(ms, ""), ""), stage.busy.rests_on)
        for stage in stages
    }


def microphone_uc(driver: str, ms: float) -> Figure:
    """Return the microcoulombs of a microphone in so many ms."""
    return Figure.within(MICROPHONE_MA[driver] * ms, MICROPHONE_SPREAD, "a data sheet's current, recalled")


def buffers_bytes(model: HostModel) -> int:
    """Return the heap that a listener's samples and tables take, beside its code and its model."""
    front_end = sense_of(model).front_end
    size, hop = front_end.size, front_end.hop
    samples = 2 * (size + (HOPS - 1) * hop) + 2 * hop  # and those that are in flight
    tables = 4 * size + size // 2 + size // 2 + 4 * front_end.bands
    gate = sense_of(model).gate
    kept = 0 if gate is None else gate.most * (front_end.bands + 4) + 4 * sense_of(model).features
    return samples + tables + kept + OBJECTS_BYTES


@lru_cache
def counted(blob: bytes) -> tuple[int, int]:
    """Return the instructions of a frame and of a look at a hop, by bytecode on the 32-bit VM."""
    counts = []
    with tempfile.TemporaryDirectory(prefix="dibble-") as name:
        folder = Path(name)
        ignored = shutil.ignore_patterns("__pycache__", *MACHINE_CODE)
        shutil.copytree(LIBRARY, folder / "lib" / "dibble", ignore=ignored)
        shutil.copy(GUEST, folder)
        (folder / "model.dib").write_bytes(blob)
        for times in ("0 0", "2 0", f"0 {LOOKS}"):
            (folder / "times.txt").write_text(times)
            run = run_wasi(folder, GUEST.name, heap=WASI_HEAP, memory_bytes=WASI_MEMORY)
            assert run.instructions is not None
            counts.append(run.instructions)
    return (counts[1] - counts[0]) // 2, (counts[2] - counts[0]) // LOOKS


def decision_us(model: HostModel, board: Board, runtime: Runtime) -> Figure:
    return _kernel_us(middle_cost(model).instructions, board, runtime)


def _look_us(instructions: int, hop: int, board: Board, runtime: Runtime) -> Figure:
    """Return the time of a look at a hop: samples in machine code, and some of the gate's own bytecode."""
    if not runtime.viper:
        return bytecode_us(instructions, runtime)
    each = SPAN["assembler" if runtime.mpy_arch.startswith("armv") else "viper"] * hop + GATE
    spread = 1.3 if board.chip.core == "Cortex-M0+" else OTHER_CORES
    return Figure.within(each * CYCLES / board.chip.mhz, spread, "counted on a Cortex-M0: listening_m0.py")


def bytecode_us(instructions: int, runtime: Runtime) -> Figure:
    source = runtime.source("us_per_instruction")
    each = Figure.within(runtime.us_per_instruction, source.spread, str(source))
    return Figure.exact(instructions, "").times(each, f"bytecode; {source}")


def _kernel_us(instructions: int, board: Board, runtime: Runtime) -> Figure:
    """Return the time of a kernel that takes so many instructions in bytecode."""
    if not runtime.viper:
        return bytecode_us(instructions, runtime)
    assembler = runtime.mpy_arch.startswith("armv")
    share, name = (ASSEMBLER, "assembler") if assembler else (VIPER, "viper")
    spread = 1.3 if board.chip.core == "Cortex-M0+" else OTHER_CORES
    each = Figure.within(CYCLES / board.chip.mhz, spread, "")
    rests_on = f"{name}, {CYCLES} cycles an instruction at {board.chip.mhz} MHz; counted on a Cortex-M0"
    return Figure.exact(instructions, "").times(share, "").times(each, rests_on)


def _moved_us(driver: str, hop: int, board: Board) -> Figure:
    cycles = MOVED_CYCLES.get(driver, Figure.exact(0.0, ""))
    return cycles.times(Figure.exact(hop / board.chip.mhz, ""), "an estimate of the interrupts' work")
