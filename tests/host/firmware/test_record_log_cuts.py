"""The record log under power cuts and on full disks, against a model of what may be lost."""

import pytest
from cut_files import CutFiles, PowerCut
from dibble.storage import record_log, segment_files
from dibble.storage.record import encode
from dibble.storage.record_log import RecordLog
from dibble_tools.node.record_log import read_segments
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MODEL = b"\x01\x02\x03\x04"
LIMITS = {"segment_bytes": 120, "segments": 3, "batch": 3}


@pytest.fixture(params=[True, False], ids=["littlefs", "fat"])
def disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> CutFiles:
    return serve(monkeypatch, request.param)


def serve(monkeypatch: pytest.MonkeyPatch, atomic: bool) -> CutFiles:
    files = CutFiles(atomic)
    files.serve(monkeypatch, record_log, segment_files)
    return files


class Field:
    """A node's log over its lives, and what is known about it.

    Attributes:
        contents: number -> record as last given to the log.
        safe: numbers that were acknowledged.
    """

    def __init__(self, disk: CutFiles) -> None:
        self.disk = disk
        self.contents: dict[int, bytes] = {}
        self.safe: set[int] = set()
        self.written = 0
        self.boot()

    def boot(self) -> None:
        self.log = RecordLog("/log", MODEL, 1, **LIMITS)
        assert self.log.sequence > max(self.safe, default=0)

    def append(self) -> None:
        """Append a record unlike any before."""
        self.written += 1
        record = encode(9830, self.written, 1, 1, 0, 0, 0, 0, [self.written])
        number = self.log.sequence
        self.contents[number] = record
        assert self.log.append(record) == number
        self.acknowledge()

    def acknowledge(self) -> None:
        self.safe |= {number for number in self.contents if number <= self.log.acknowledged}

    def live(self, operations: int, appends: int) -> None:
        """Append until the power fails, then boot again."""
        self.disk.left = operations
        try:
            for _ in range(appends):
                self.append()
            self.log.flush()
            self.acknowledge()
        except PowerCut:
            pass
        self.disk.left = None
        assert self.disk.open_files == 0
        dropped = self.log.dropped
        self.boot()
        self.check(dropped)

    def check(self, dropped: int = 0) -> None:
        """What is read is what was written; acknowledged records are gone only with a removed segment."""
        rows = list(self.log.read_from(1))
        numbers = [number for number, _ in rows]
        assert numbers == sorted(set(numbers))
        for number, record in rows:
            assert record == self.contents[number]
        removed = {row.sequence for data in self.disk.removed for row in read_segments([("removed", data)]).rows}
        lost = self.safe - set(numbers) - removed
        assert len(lost) <= dropped  # those had no chance to be written
        assert len(self.disk.files) <= LIMITS["segments"]
        self.contents = dict(rows)
        self.safe = set(numbers)


@pytest.mark.parametrize("written", [0, 2, 4, 9, 13])
def test_a_cut_at_every_operation_loses_nothing_acknowledged(disk: CutFiles, written: int) -> None:
    cut = 0
    while True:
        disk.files.clear()
        disk.folders = {""}
        field = Field(disk)
        for _ in range(written):
            field.append()
        field.log.flush()
        field.acknowledge()
        field.live(cut, 4)
        field.append()
        assert field.log.flush()
        field.acknowledge()
        field.check()
        if cut > 200:
            break
        cut += 1


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    atomic=st.booleans(),
    lives=st.lists(st.tuples(st.integers(0, 250), st.integers(0, 14)), max_size=8),
)
def test_many_lives_lose_nothing_acknowledged(atomic: bool, lives: list[tuple[int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        field = Field(serve(patch, atomic))
        for operations, appends in lives:
            field.live(operations, appends)
        field.append()
        assert field.log.flush()
        field.acknowledge()
        field.check()


@settings(max_examples=150, deadline=None)
@given(
    atomic=st.booleans(),
    lives=st.lists(st.tuples(st.integers(0, 250), st.integers(0, 14), st.integers(0, 400)), max_size=8),
)
def test_lives_on_a_disk_that_fills_and_empties(atomic: bool, lives: list[tuple[int, int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        disk = serve(patch, atomic)
        field = Field(disk)
        for operations, appends, room_bytes in lives:
            disk.room_bytes = room_bytes
            field.live(operations, appends)
        disk.room_bytes = 1 << 30
        field.append()
        assert field.log.flush()
        field.acknowledge()
        field.check()


def test_a_full_disk_gives_up_the_oldest_segment(disk: CutFiles) -> None:
    field = Field(disk)
    for _ in range(11):
        field.append()
    disk.room_bytes = disk.used_bytes() + 20
    for _ in range(5):
        field.append()
    assert field.log.dropped == 0
    assert field.log.error == "log: full: the oldest segment gave way"
    assert field.log.acknowledged == 15
    numbers = [number for number, _ in field.log.read_from(1)]
    assert numbers == list(range(numbers[0], 16))
    assert numbers[0] > 1


def test_a_disk_that_takes_nothing_costs_the_oldest_of_the_batch(disk: CutFiles) -> None:
    field = Field(disk)
    for _ in range(4):
        field.append()
    disk.broken = True
    for _ in range(7):
        field.append()
    assert field.log.dropped == 5  # of numbers 4 to 11, the batch holds three
    assert field.log.acknowledged == 3
    assert "EIO" in field.log.error or "OSError(5" in field.log.error
    disk.broken = False
    field.append()
    assert field.log.dropped == 6
    assert [number for number, _ in field.log.read_from(1)] == [1, 2, 3, 10, 11, 12]
    assert field.log.flush()
    field.boot()
    assert [number for number, _ in field.log.read_from(1)] == [1, 2, 3, 10, 11, 12]
    assert field.log.sequence == 13


def test_the_newest_segment_is_never_given_up(disk: CutFiles) -> None:
    field = Field(disk)
    for _ in range(3):
        field.append()
    disk.room_bytes = 0
    for _ in range(9):
        field.append()
    assert [number for number, _ in field.log.read_from(1)] == [1, 2, 3]
    assert list(disk.files) == ["/log/000001.seg"]


def test_a_flush_opens_one_file_once(disk: CutFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    field = Field(disk)
    opened = []

    def counting(path: str, mode: str) -> object:
        opened.append((path, mode))
        return disk.open(path, mode)

    monkeypatch.setattr(record_log, "open", counting)
    for _ in range(6):
        field.append()
    assert opened == [("/log/000001.seg", "wb"), ("/log/000001.seg", "ab")]


def test_reading_needs_no_open_file_between_records(disk: CutFiles) -> None:
    field = Field(disk)
    for _ in range(9):
        field.append()
    for _ in field.log.read_from(1):
        assert disk.open_files == 0
