"""Cut the power of a real MicroPython VM at any program or erase of its flash, boot it again, and look what it holds.

Each scenario is four programs of the node over real LittleFS: `common` is what the others begin with, `prepare` makes
the state before, `live` is what is cut, `check` looks at what is left and writes on. `judge` compares what they
printed.
"""

import itertools
import queue
import shutil
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dibble
from dibble_tools.machines.vms import VmError
from dibble_tools.simulator.node.flash import Flash
from dibble_tools.simulator.node.vm import FieldVm
from dibble_tools.simulator.node.wire import POWER_ON, Hardware

LIBRARY = Path(dibble.__path__[0])
NEEDED = (
    "__init__",
    "forgetting",
    *(f"inference/{name}" for name in ("__init__", "crc32", "format", "fixed_point")),
    *(
        f"storage/{name}"
        for name in ("__init__", "boot", "record", "record_log", "segment", "segment_files", "slots", "words")
    ),
)
BLOCKS = 48

BYSTANDER = """\
def bystander():
    with open("/bystander.bin", "rb") as file:
        assert file.read() == bytes(range(256)) * 20
"""
LOG = """
from dibble.storage.record import encode
from dibble.storage.record_log import RecordLog
from dibble.storage.slots import Slots
def record(n):
    return encode(1, n, 1, 1, 0, 0, 0, 0, [n & 63] * WIDTH)
def start():
    return RecordLog("/log", b"MODL", WIDTH, segment_bytes=SEGMENT, segments=3, batch=2, mark=Slots("/written"))
def grow(log, count):
    for _ in range(count):
        log.append(record(log.sequence))
        print("acknowledged", log.acknowledged)
def read(log):
    numbers = []
    for n, data in log.read_from(1):
        assert data == record(n), n
        numbers.append(n)
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert log.error == "" and not log.damaged and log.acknowledged == numbers[-1]
    print("read", numbers[0], numbers[-1])
"""
CHECK_LOG = """
bystander()
log = start()
read(log)
grow(log, 2)
assert log.error == ""
read(start())
"""
SLOTS = """
from dibble.storage.slots import Slots
def payload(generation):
    return bytes([(generation * 37 + i * (i >> 5)) & 255 for i in range(SIZE)])
def update(rejected=0):
    slots = Slots("/it")
    generation = max(slots.generations()[0], rejected) + 1
    print("writing", generation)
    assert slots.write(payload(generation), rejected) == generation
    print("acknowledged", generation)
def read():
    slots = Slots("/it")
    assert slots.newest() == payload(slots.generation)
    print("read", slots.generation)
"""
CHECK_SLOTS = """
bystander()
read()
update()
read()
"""
BOOT = """
from dibble.storage.boot import BootState
from dibble.storage.slots import Slots
def state():
    return BootState(Slots("/boot"))
def boot():
    it = state()
    print("step", it.unconfirmed, it.unconfirmed + 1)
    it.begin(2, 1)
    print("step", it.unconfirmed, 0)
    it.confirm()
    print("step", 0, 0)
"""
CHECK_BOOT = """
bystander()
it = state()
print("read", it.unconfirmed)
it.begin(2, 1)
assert it.error == ""
print("read", state().unconfirmed)
"""


@dataclass(frozen=True)
class Scenario:
    """What is done while the power fails; `judge` takes what the cut lives and the check printed, and asserts."""

    common: str
    prepare: str
    live: str
    check: str
    judge: Callable[[list[list[str]], list[list[str]]], None]


def judge_log(kept: int, printed: list[list[str]], checked: list[list[str]]) -> None:
    """All that was acknowledged is there, but for the segment that wrap-around takes; the next life writes on."""
    acknowledged = max((int(words[1]) for words in printed if words[0] == "acknowledged"), default=0)
    before, *_, after = [(int(words[1]), int(words[2])) for words in checked if words[0] == "read"]
    assert before[1] >= acknowledged
    assert after[1] == before[1] + 2
    assert before[0] == 1 or before[1] - before[0] + 1 >= kept


def judge_slots(printed: list[list[str]], checked: list[list[str]]) -> None:
    """The old generation or the new one, the new one once it was acknowledged; then one more."""
    acknowledged = max((int(words[1]) for words in printed if words[0] == "acknowledged"), default=2)
    begun = max((int(words[1]) for words in printed if words[0] == "writing"), default=2)
    before, after = [int(words[1]) for words in checked if words[0] == "read"]
    assert acknowledged <= before <= begun
    assert after == before + 1


def judge_boot(printed: list[list[str]], checked: list[list[str]]) -> None:
    """The count of before or after the step that was cut; then one more."""
    step = ([[0, 0]] + [[int(word) for word in words[1:]] for words in printed if words[0] == "step"])[-1]
    before, after = [int(words[1]) for words in checked if words[0] == "read"]
    assert before in step
    assert after == before + 1


def log(width: int, segment_bytes: int, prepared: int, lived: int, kept: int = 0) -> Scenario:
    """Return a log's scenario; `kept`: records in two full segments, of three."""
    common = f"WIDTH = {width}\nSEGMENT = {segment_bytes}\n" + LOG
    return Scenario(
        common, f"grow(start(), {prepared})", f"grow(start(), {lived})", CHECK_LOG, partial(judge_log, kept)
    )


def slots(size: int, updates: int = 1) -> Scenario:
    live = f"for _ in range({updates}):\n    update()\n"
    return Scenario(f"SIZE = {size}\n" + SLOTS, "update()\nupdate()", live, CHECK_SLOTS, judge_slots)


def scenarios(times: int = 1) -> dict[str, Scenario]:
    """Return all scenarios by name, of so many times the shortest life."""
    twice = "update(2)" + "\nupdate()" * (times - 1)
    return {
        # A small file lies inside littlefs' metadata, a larger one in blocks of its own.
        "log append, small": log(2, 8192, 4, 8 * times),
        "log append, large": log(60, 8192, 12, 6 * times),
        "wrap-around, small": log(2, 75, 12, 6 * times, kept=4),
        "wrap-around, large": log(60, 600, 12, 8 * times, kept=12),
        "config change": slots(700, 2 * times),
        "model update": slots(6000, times),
        "rejected model's update": Scenario(
            "SIZE = 6000\n" + SLOTS, "update()\nupdate()", twice, CHECK_SLOTS, judge_slots
        ),
        "boot counter": Scenario(BOOT, "boot()", f"for _ in range({times}):\n    boot()\n", CHECK_BOOT, judge_boot),
    }


class Bench:
    """A node with one scenario's programs, its flash as `prepare` left it.

    Attributes:
        operations: programs and erases of `live`, uncut.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.vm = FieldVm(Hardware(Flash(BLOCKS)), heap="256k")
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for part in NEEDED:
                target = folder / "lib" / "dibble" / f"{part}.py"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(LIBRARY / f"{part}.py", target)
            (folder / "bystander.bin").write_bytes(bytes(range(256)) * 20)
            for program in ("prepare", "live", "check"):
                common = scenario.common + BYSTANDER
                (folder / f"{program}.py").write_text(common + getattr(scenario, program))
            self.vm.install(folder)
        assert self.run("/prepare.py")[0] == "end"
        self.image = bytes(self.vm.flash.image)
        self.vm.flash.cut_at([])
        assert self.run("/live.py")[0] == "end"
        self.operations = self.vm.flash.operations

    def run(self, program: str) -> tuple[str, list[list[str]]]:
        """Run a program; return what ended it, and the words of the lines it printed."""
        before = len(self.vm.console)
        ended = self.vm.power(POWER_ON, program)
        return ended, [line.split() for line in self.vm.console[before:].decode().splitlines() if line]

    def cut(self, cuts: Iterable[int], torn: float) -> None:
        """Live once for each cut, numbers of operations counted over all these lives; then check and judge."""
        flash = self.vm.flash
        flash.image[:] = self.image
        cuts = list(cuts)
        flash.cut_at(cuts, torn=torn)
        printed = []
        for _ in cuts:
            ended, lines = self.run("/live.py")
            printed += lines
            if ended == "end":
                break
            assert ended == "cut"
        flash.cut_at([])
        ended, checked = self.run("/check.py")
        assert ended == "end"
        self.scenario.judge(printed, checked)


def single_cuts(bench: Bench) -> list[tuple[int, ...]]:
    return [(cut,) for cut in range(1, bench.operations + 1)]


def double_cuts(bench: Bench) -> list[tuple[int, ...]]:
    """Return every pair of a cut and one in the life after it, which may take two operations more to clean up."""
    return [
        (first, first + second) for first in range(1, bench.operations + 1) for second in range(1, bench.operations + 3)
    ]


def sweep(scenario: Scenario, cuts_of: Callable[[Bench], list[tuple[int, ...]]], torn: Iterable[float]) -> int:
    """Cut at all these places, on two virtual nodes at once; return how often."""
    jobs: queue.SimpleQueue[tuple[tuple[int, ...], float]] = queue.SimpleQueue()
    bench = Bench(scenario)
    for job in itertools.product(cuts_of(bench), torn):
        jobs.put(job)
    count = jobs.qsize()

    def work(bench: Bench) -> None:
        while True:
            try:
                cuts, share = jobs.get_nowait()
            except queue.Empty:
                return
            try:
                bench.cut(cuts, share)
            except (AssertionError, VmError) as error:
                raise AssertionError(f"cut at {cuts}, torn {share}") from error

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(work, each) for each in (bench, Bench(scenario))]:
            future.result()
    return count
