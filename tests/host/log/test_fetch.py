"""A log comes home from a board: all of it, each record once, with its names; what was fetched is never lost."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dibble.storage.record import encode
from dibble.storage.record_log import RecordLog
from dibble.storage.segment import names_crc
from dibble.storage.slots import Slots
from dibble_tools.common.errors import InputError
from dibble_tools.link.session import LinkError, Session
from dibble_tools.log.fetch import fetch, write_table
from dibble_tools.log.segment_store import SegmentStore
from dibble_tools.virtual_board.board import VirtualBoard
from log_bytes import payloads, segment
from node_helpers import CHANNELS, soil_model

DAY = 9824  # 2026-11-24
MODEL = soil_model(300)
HEAD = "time,sequence,class,held,margin,flags,action,battery,soil_moisture_permille,air_temperature_centi_c"


class Desk:
    """A virtual board, and the node's files as the firmware itself writes them, which are put onto it."""

    def __init__(self, board: VirtualBoard, folder: Path) -> None:
        self.board = board
        self._folder = folder
        Slots(str(folder / "model")).write(MODEL)
        names = names_crc([channel.name for channel in CHANNELS])
        self.log = RecordLog(str(folder / "log"), MODEL[-4:], 2, segment_bytes=400, segments=20, batch=1, names=names)

    def record(self, count: int) -> None:
        for _ in range(count):
            number = self.log.sequence
            self.log.append(encode(DAY, 60 * number, number % 2, 255, number % 2, number, 3700, 0, [number, -number]))

    def put(self) -> None:
        command = [sys.executable, "-m", "mpremote", "connect", self.board.port, "resume", "cp", "-r"]
        files = [str(path) for path in self._folder.iterdir()]
        done = subprocess.run([*command, *files, ":"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
        (folder / "files").mkdir()
        with VirtualBoard.start(folder / "node.flash", name="fetched", flash="256k") as board:
            yield Desk(board, folder / "files")


def fetched(desk: Desk, out: Path):
    said: list[str] = []
    return fetch(desk.board.port, out, (), said.append), said


def test_a_log_grows_at_home_as_it_grows_on_the_board(desk: Desk, tmp_path: Path) -> None:
    desk.record(40)
    desk.put()
    found, said = fetched(desk, tmp_path)
    rows = (tmp_path / "log.csv").read_text().splitlines()
    assert (found.new, found.records.missing, found.records.damage, found.notes) == (40, [], [], [])
    assert rows[0] == HEAD
    assert rows[1] == "2026-11-24 00:01:00,1,ok,,1,unsure,0,3700,1,-1"
    assert rows[2] == "2026-11-24 00:02:00,2,irrigate,,2,,0,3700,2,-2"
    segments = sorted((tmp_path / "segments").glob("*.seg"))
    assert len(rows) == 41 and len(segments) == found.segments == len(said) > 1

    assert fetched(desk, tmp_path)[0].segments == 0
    desk.record(3)
    desk.put()
    again, said = fetched(desk, tmp_path)
    assert (again.new, again.notes) == (3, []) and again.segments <= 2
    assert (tmp_path / "log.csv").read_text().splitlines()[:41] == rows
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 44

    # The board's program was free to run again.
    with Session.open(desk.board.port) as session:
        assert session.run("state.watched") == "no"


def test_a_fetch_that_the_power_ends_goes_on_later(desk: Desk, tmp_path: Path) -> None:
    desk.record(20)
    desk.put()
    names: list[str] = []

    def cut(name: str) -> None:
        names.append(name)
        if len(names) == 2:
            desk.board.cut()

    with pytest.raises(LinkError):
        fetch(desk.board.port, tmp_path, (), cut)
    assert len(list((tmp_path / "segments").glob("*.seg"))) == 1
    desk.board.power()
    found, said = fetched(desk, tmp_path)
    assert found.records.missing == [] and found.records.damage == []
    assert found.records.rows[-1].sequence == desk.log.sequence - 1
    assert names[0] not in said


def test_segments_of_another_log_are_refused_and_nothing_changes(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path)
    store.keep("000001.seg", segment(1, payloads(3)))
    store.keep("000002.seg", segment(4, payloads(3)))
    for name, data in (("000001.seg", segment(7, payloads(3))), ("000003.seg", segment(2, payloads(3)))):
        with pytest.raises(InputError, match="got another's"):
            store.keep(name, data)
    assert [row.sequence for row in store.records().rows] == [1, 2, 3, 4, 5, 6]


def test_of_two_contents_the_better_counts_and_the_other_is_kept(tmp_path: Path) -> None:
    store, good = SegmentStore(tmp_path), segment(1, payloads(5))
    bad = good[:-3] + b"xyz"
    store.keep("000001.seg", good)
    store.keep("000001.seg", bad)
    assert store.content("000001.seg") == good and store.content("000001.seg.other-1") == bad
    store.keep("000001.seg", good + b"torn")
    assert store.content("000001.seg") == good + b"torn"
    assert len(store.notes) == 1 and len(store.records().rows) == 5


def test_a_table_that_someone_changed_is_kept(tmp_path: Path) -> None:
    table = tmp_path / "log.csv"
    assert write_table(table, b"a\n1\n") == []
    assert write_table(table, b"a\n1\n2\n") == []
    table.write_bytes(b"a\n1\n2 by hand\n")
    assert "log.csv.bak" in write_table(table, b"a\n1\n2\n")[0]
    assert (tmp_path / "log.csv.bak").read_bytes() == b"a\n1\n2 by hand\n"
