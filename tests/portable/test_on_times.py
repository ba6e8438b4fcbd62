"""Outputs whose time on is bounded over faults and resets: what is kept, and a property under random troubles."""

from dibble.on_times import LATE_MS, RETRY_MS, KeptAction, OnTimes
from support import Random

DRY = 2
MAX_MS, REST_MS = 80000, 400000


class PowerCut(Exception):
    pass


class Output:
    """A pin that notes when it was on."""

    def __init__(self, clock):
        self.clock = clock
        self.level = False
        self.runs = []

    def set(self, value):
        if value and not self.level:
            self.runs.append([self.clock[0], None])
        if self.level and not value:
            self.runs[-1][1] = self.clock[0]
        self.level = bool(value)

    def on_within(self, start, end):
        return sum([max(0, min(end, off) - max(start, on)) for on, off in self.runs])


class Memory:
    """Whole payloads, as Slots keep them.

    Attributes:
        cut_before, cut_after: the power fails so many writes from now, and the payload is lost or kept.
        fails: nothing can be written.
    """

    def __init__(self):
        self.payload = None
        self.writes = 0
        self.cut_before = self.cut_after = -1
        self.fails = False

    def newest(self):
        return self.payload

    def write(self, payload):
        if self.fails:
            raise OSError(30)
        self.writes += 1
        self.cut_before -= 1
        self.cut_after -= 1
        if self.cut_before == -1:
            raise PowerCut
        self.payload = payload
        if self.cut_after == -1:
            raise PowerCut


def boot(memory, output, lost=False):
    output.set(False)
    valve = KeptAction(16, DRY, output, MAX_MS, REST_MS, False)
    return valve, OnTimes(memory, [valve], lost)


def live(valve, clock, ms):
    """Let so much time pass as the node does: no wait goes beyond the moment that elapse() names."""
    left = valve.elapse(0)
    while ms > 0:
        part = min(ms, left or ms)
        clock[0] += part
        ms -= part
        left = valve.elapse(part)


def rig():
    clock = [0]
    return clock, Output(clock), Memory()


def test_a_reset_in_the_middle_of_a_run_leaves_what_wasnt_written_down():
    clock, output, memory = rig()
    valve, _ = boot(memory, output)
    valve.want(DRY, False)
    live(valve, clock, 3000)
    assert valve.written_ms == MAX_MS - 10000 - LATE_MS
    valve, _ = boot(memory, output)
    valve.want(DRY, False)
    assert valve.is_on and valve.left_ms == MAX_MS - 10000 - LATE_MS  # taken for used, of which 3 s were


def test_a_reset_is_no_rest():
    clock, output, memory = rig()
    valve, _ = boot(memory, output)
    valve.want(DRY, False)
    live(valve, clock, MAX_MS)
    assert not valve.is_on
    live(valve, clock, REST_MS // 2)
    valve, _ = boot(memory, output)
    valve.want(DRY, False)
    assert not valve.is_on and REST_MS // 2 <= valve.rest_left_ms <= REST_MS // 2 + 26000  # in whole parts
    live(valve, clock, valve.rest_left_ms)
    valve.want(DRY, False)
    assert valve.is_on and valve.left_ms == MAX_MS


def test_a_run_takes_some_ten_writes_and_a_rest_some_sixteen():
    clock, output, memory = rig()
    valve, _ = boot(memory, output)
    valve.want(DRY, False)
    live(valve, clock, MAX_MS)
    assert memory.writes <= 12
    live(valve, clock, REST_MS)
    assert memory.writes <= 30
    live(valve, clock, 10 * REST_MS)
    assert memory.writes <= 30


def test_a_run_that_cant_be_written_down_doesnt_begin():
    _, output, memory = rig()
    valve, times = boot(memory, output)
    memory.fails = True
    valve.want(DRY, False)
    assert not valve.is_on and times.error.startswith("times of actions: ")
    memory.fails = False
    valve.want(DRY, False)
    assert valve.is_on and times.error == ""


def test_times_that_were_lost_are_a_rest_and_new_pins_are_not():
    _, output, memory = rig()
    valve, _ = boot(memory, output, lost=True)
    valve.want(DRY, False)
    assert not valve.is_on
    for damaged in (b"", b"12345678901"):
        memory = Memory()
        memory.payload = damaged
        valve, _ = boot(memory, output, lost=False)
        valve.want(DRY, False)
        assert valve.is_on == (damaged == b"")


def test_each_pin_has_its_own_times():
    clock = [0]
    outputs = [Output(clock), Output(clock)]
    memory = Memory()
    for pins in ((16, "GP17"), ("GP17", 16)):
        actions = [KeptAction(pins[i], DRY + i, outputs[i], MAX_MS, REST_MS, False) for i in range(2)]
        OnTimes(memory, actions, False)
        if pins[0] == 16:
            actions[0].want(DRY, False)
            live(actions[0], clock, MAX_MS)
    assert [action.left_ms for action in actions] == [MAX_MS, 0]


def test_no_stretch_has_more_than_the_longest_time_on():
    """Random decisions, faults, resets, cuts in the middle of a write, and writes that fail; 40 nodes."""
    runs = 0
    for seed in range(40):
        random = Random(seed * 7919 + 1)
        clock, output, memory = rig()
        resets = 0
        valve, _ = boot(memory, output)
        wet = 0
        while clock[0] < 12 * (MAX_MS + REST_MS):
            memory.fails = random.below(25) == 0
            if random.below(12) == 0:
                memory.cut_before = random.below(4)
                memory.cut_after = random.below(4)
            try:
                wet = max(0, wet - 1) if random.below(40) else 3
                valve.want(0 if wet else DRY, random.below(6) == 0)
                live(valve, clock, 1000 + 400 * random.below(100))
                if random.below(15) == 0:
                    raise PowerCut
            except PowerCut:
                resets += 1
                memory.cut_before = memory.cut_after = -1
                output.set(False)
                clock[0] += random.below(3) * 1500
                valve, _ = boot(memory, output)
        output.set(False)
        for on, off in output.runs:
            for end in (on + MAX_MS + REST_MS, off):
                assert output.on_within(end - MAX_MS - REST_MS, end) <= MAX_MS, (seed, on, off)
        assert resets > 8
        runs += len(output.runs)
    assert runs > 40 * 8


def test_waterings_come_again_under_faults_and_resets():
    """The bound isn't kept by never watering: at least half of what it allows, with a reset each 70 seconds."""
    clock, output, memory = rig()
    valve, _ = boot(memory, output)
    rounds = 10
    resets = 0
    while clock[0] < rounds * (MAX_MS + REST_MS):
        valve.want(DRY, False)
        live(valve, clock, 10000)
        if clock[0] // 70000 > resets:
            resets += 1
            valve, _ = boot(memory, output)
    output.set(False)
    assert output.on_within(0, clock[0]) > rounds * MAX_MS // 3


def test_a_supply_that_gives_way_as_it_goes_on_is_tried_twice_and_then_the_output_rests():
    clock, output, memory = rig()
    for _ in range(6):
        valve, times = boot(memory, output)
        valve.want(DRY, False)
        output.set(False)  # the power failed
        clock[0] += 3000
    assert len(output.runs) == 2 and valve.tries == 2 and not valve.left_ms
    live(valve, clock, max(REST_MS, RETRY_MS))
    valve.want(DRY, False)
    assert valve.is_on and not valve.tries
    live(valve, clock, 2 * MAX_MS)
    assert not valve.is_on and output.runs[-1][1] - output.runs[-1][0] == MAX_MS


def test_a_run_that_survives_its_first_stretch_counts_no_tries():
    clock, output, memory = rig()
    for _ in range(3):
        valve, times = boot(memory, output)
        valve.want(DRY, False)
        live(valve, clock, 15000)
        output.set(False)
        assert valve.is_on and not valve.tries
