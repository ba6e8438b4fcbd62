"""A micro:bit whose analog pins read what a test says, and what its node should say to that."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
from dibble import SensorError
from dibble.drivers.soil_adc import SoilProbe
from dibble.inference.fixed_point import MISSING
from dibble.report.serial_line import SerialLines
from dibble_tools.data.channels import Channel
from dibble_tools.export.microbit.node import Probe, SmallNode
from dibble_tools.families.additive.tables import AdditiveTables, Term
from dibble_tools.machines.microbit import Microbit
from dibble_tools.model.golden import golden_rows
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import export
from helpers import random_spec
from random_models import scalers

DEEP, SHALLOW = Probe(1, 2800, 1300), Probe(2, 1200, 2600)
SAMPLES, SUPPLY_MV = 3, 3300
INTERVAL_S, MAX_ON_S, REST_S = 2, 5, 7
NODE = SmallNode(
    [DEEP, SHALLOW], 0, "irrigate", "row 7", INTERVAL_S, MAX_ON_S, REST_S, samples=SAMPLES, supply_mv=SUPPLY_MV
)
CYCLES = 160
NAMES = ["shallow_permille", "deep_permille"]
# In the place of analog pins; at the file's end it raises IndexError.
FEED = b"""\
class feed:
 def read_analog(f=open('feed','rb')):
  a=f.read(2)
  return a[0]|a[1]<<8
from machine import mem32
"""
# Told at each cycle's beginning: the free heap, and pin 0 (P0.03; OUT is at 0x504: nRF51 reference manual, 14.2).
# There, as its stack has no room to print further down.
TELL = "gc.collect()\n   print('free',gc.mem_free(),mem32[0x50000504]&8)\n   "


class Bench:
    """A port whose pins read what the test says, and which waits for nobody.

    Attributes:
        at_end: whether the reading is the converter's end; the micro:bit's node doesn't ask.
    """

    at_end = False

    def __init__(self, microvolts: list[int]) -> None:
        self.microvolts = iter(microvolts)

    def analog(self, pin: int) -> "Bench":
        return self

    def read_uv(self) -> int:
        return next(self.microvolts)

    def sleep_ms(self, ms: int) -> None:
        pass


@dataclass
class Outcome:
    """What the board printed: its lines, at each cycle's beginning the free heap and the relay, and the rest."""

    lines: list[str]
    free: list[int]
    relay: list[bool]
    end: str


def raw_readings(node: SmallNode, seed: int = 1) -> np.ndarray:
    """Return what the converter shows, (cycles, probes, samples): a slow wander, noise, loose and shorted wires."""
    rng = np.random.default_rng(seed)
    truth = np.empty((CYCLES, len(node.probes)))
    truth[:] = 0.5 + 0.62 * np.sin(np.arange(CYCLES) / 9 + rng.random())[:, None]  # beyond both ends, too
    truth += rng.normal(0, 0.05, truth.shape)
    curve = np.array([(probe.dry_mv, probe.wet_mv) for probe in node.probes])
    mv = curve[:, 0] + truth * (curve[:, 1] - curve[:, 0])
    raw = mv[:, :, None] * 1023 / SUPPLY_MV + rng.normal(0, 2, (*mv.shape, node.samples))
    broken = rng.random(mv.shape)
    raw[broken < 0.02] = 0
    raw[broken > 0.98, 0] += 400  # of three samples the extremes are cut: harmless
    raw[(broken > 0.96) & (broken < 0.98)] = rng.integers(0, 1024, node.samples)
    return np.clip(np.round(raw), 0, 1023).astype(np.int64)


def permille_of(node: SmallNode, raw: np.ndarray) -> np.ndarray:
    """Return the readings by the big node's own driver: MISSING where it raises."""
    out = np.full(raw.shape[:2], MISSING)
    for cycle, row in enumerate(raw.tolist()):
        for i, samples in enumerate(row):
            exact = [Fraction(value * node.supply_mv * 1000, 1023) for value in samples]
            probe = node.probes[i]
            settings = {"pin": probe.pin, "samples": node.samples, "probe_curve": [probe.dry_mv, probe.wet_mv]}
            bench = Bench([int(uv + Fraction(1, 2)) for uv in exact])
            try:
                (out[cycle, i],) = SoilProbe(bench, {**settings, "supply_mv_nominal": 0}).read()
            except SensorError:
                continue
    return out


def relay_of(wanted: list[bool], faults: list[bool]) -> tuple[list[bool], list[bool]]:
    """Return whether the relay is on before each decision and after it, by nobody's code but this; times in s."""
    on_since: int | None = None
    used = off_since = 0
    over = False
    before, after = [], []
    for cycle, (want, fault) in enumerate(zip(wanted, faults, strict=True)):
        now = cycle * INTERVAL_S
        if on_since is not None and used + now - on_since >= MAX_ON_S:
            off_since = on_since + MAX_ON_S - used
            on_since, used, over = None, MAX_ON_S, True
        if on_since is None and now - off_since >= REST_S:
            used, over = 0, False
        before.append(on_since is not None)
        if on_since is not None and (fault or not want):
            used, off_since, on_since = used + now - on_since, now, None
        elif on_since is None and want and not fault and not over:
            on_since = now
        over |= used > 0 and not want and not fault
        after.append(on_since is not None)
    return before, after


def expected(model: HostModel, node: SmallNode, readings: np.ndarray) -> tuple[list[str], list[bool]]:
    """Return the lines that the big node's report writes on the host's decisions, and the relay before each."""
    decisions = model.decide(readings).columns().tolist()
    faults = (readings == MISSING).sum(axis=1).tolist()
    on = model.classes.index(node.action_class)
    before, after = relay_of([d[4] == on for d in decisions], [bool(fault) for fault in faults])
    lines: list[str] = []
    console = SerialLines(lines.append, node.node, model.classes, [(c.name, c.unit) for c in model.channels])
    for i, (class_index, margin, flags, _, held_index) in enumerate(decisions):
        console.decision(
            SimpleNamespace(
                decision=SimpleNamespace(class_index=class_index, margin=margin, flags=flags, held_index=held_index),
                readings=readings[i].tolist(),
                faults=faults[i],
                sequence=i + 1,
                time_s=i * INTERVAL_S,
                action=int(after[i]),
                battery_mv=None,
            )
        )
    return [line.rstrip("\n") for line in lines], before


def run(board: Microbit, files: dict[str, bytes], raw: np.ndarray) -> Outcome:
    """Put the files on the board and let it run main.py, as after power-on, on these readings."""
    files = dict(files)
    settings = re.sub(rb"(?<=probes=).*", lambda probes: re.sub(rb"pin\d+", b"feed", probes[0]), files["settings"])
    files["settings"] = FEED + settings
    library = files["library"].decode()
    size, run_until = re.search(r"(\d{4})(def run\((?:.*\n)+? {3})\w+ = utime\.ticks_ms\(\)", library).groups()
    library = library.replace(size + run_until, f"{int(size) + len(TELL):04}{run_until}{TELL}")
    files["library"] = library.encode()
    board.restart()
    for name, data in {**files, "feed": raw.astype("<u2").tobytes()}.items():
        board.put_file(name, data)
    board._send(b"\x02")
    board._read_until(b">>> ", 10)
    board._send(b"\x04")
    text = board._read_until(b"Error: ", 120).decode().replace("\r\n", "\n").partition("soft reboot\n")[2]
    lines = text.split("\n")
    report = [line for line in lines if re.search(r"\*[0-9A-F]{8}$", line)]
    heap = [line.split()[1:] for line in lines if line.startswith("free ")]
    end = "\n".join(line for line in lines if line not in report and not line.startswith("free "))
    return Outcome(report, [int(a) for a, _ in heap], [b == "8" for _, b in heap], end)


def additive(classes: int, top: int) -> HostModel:
    """Return a model of two probes whose tables are drawn at random."""
    rng = np.random.default_rng(top)
    channels = [Channel(name, "permille", 1, 0, 0, 1000) for name in NAMES]
    terms = []
    for i in range(2):
        table = rng.integers(0, 256, (classes - 1, top + 1)).astype(np.uint8)
        terms.append(Term((i,), (0,), table, table.mean(axis=1).astype(np.uint8)))
    tables = AdditiveTables(classes, scalers(rng, [1000] * 2, [top] * 2), terms, [256] + [0] * (classes - 1), 32.0)
    names = ["irrigate", "ok", "wet", "waterlogged"][:classes]
    spec = replace(random_spec(1), channels=channels, classes=names, tables=tables, hysteresis=2)
    return HostModel(export(spec, golden_rows(spec, rng.integers(0, 1001, (100, 2)), None)))
