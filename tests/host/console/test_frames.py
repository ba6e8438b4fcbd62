"""Frames of an array on the console: put together whole, written under their label, shown; damage is never a frame."""

import io
import zlib
from array import array
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from dibble.senses.heat import Heat
from dibble_tools.common.errors import InputError
from dibble_tools.console.appended_csv import AppendedCsv
from dibble_tools.console.clock import NodeClock
from dibble_tools.console.collect import End, collect
from dibble_tools.console.frames import Assembler, FrameStore, picture
from dibble_tools.console.labelled_rows import Collector
from dibble_tools.console.monitor import monitor
from dibble_tools.data.frames import COLUMNS, read_frames
from dibble_tools.node.console_lines import FrameRow, LineReader
from live_bench import Node, feed_of, never
from rich.console import Console

ENDLESS = End()


def camera(seed: int, rows: int = 4, columns: int = 6) -> Any:
    """Return an array as a driver is one, with random pixels above its background, negative ones too."""
    heat = Heat(rows, columns, 10)
    heat.above[:] = array("h", np.random.default_rng(seed).integers(-300, 900, rows * columns).tolist())
    return SimpleNamespace(heat=heat, unit="centi_c", step=25)


def pixels_of(one: Any) -> list[list[int]]:
    return np.array(one.heat.above).reshape(one.heat.rows, one.heat.columns).tolist()


def said(node: Node, *seeds: int) -> list[bytes]:
    return [part for seed in seeds for part in (node.say(400 + seed, 90), node.frame(camera(seed)))]


def take(out: Path, frames: Path, parts: list[bytes], label: str, end: End = ENDLESS) -> FrameStore:
    store = FrameStore(frames)
    with AppendedCsv(out) as table:
        collector = Collector(table, NodeClock(None), label)
        collect(feed_of(*parts), collector, {}, end, never, Console(file=io.StringIO()), frames=store)
    return store


def test_the_last_rows_frame_is_waited_for_but_no_further_row(tmp_path: Path) -> None:
    node = Node(every=1)
    parts = said(node, 1, 2, 3)
    assert take(tmp_path / "rows.csv", tmp_path / "a.npz", parts, "deer", End(rows=2)).written == 2
    node = Node(every=1)
    without = [part for part in said(node, 1, 2, 3) if not part.startswith(b"=")]
    assert take(tmp_path / "more.csv", tmp_path / "b.npz", without, "deer", End(rows=2)).written == 0
    assert len((tmp_path / "more.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize("name", ["frames.npz", "frames.csv"])
def test_frames_are_written_as_the_node_saw_them_and_a_second_run_adds_to_them(tmp_path: Path, name: str) -> None:
    node = Node(every=1)
    first, second = said(node, 1, 2), said(node, 3)
    assert take(tmp_path / "rows.csv", tmp_path / name, first, "deer").written == 2
    assert take(tmp_path / "rows.csv", tmp_path / name, second, "nobody").written == 1
    found = read_frames(tmp_path / name)
    assert found.pixels.tolist() == [pixels_of(camera(seed)) for seed in (1, 2, 3)]
    assert found.pixels.dtype == np.int16
    assert (found.labels, found.groups) == (["deer", "deer", "nobody"], ["bed-1 1", "bed-1 1", "bed-1 2"])
    assert (found.sensor, found.unit, found.step) == ("amg8833", "centi_c", 25)
    assert found.times == ["2026-11-24 00:01:00", "2026-11-24 00:02:00", "2026-11-24 00:03:00"]


def test_each_flipped_byte_is_no_frame() -> None:
    node = Node()
    node.say(400, 90)
    data = node.frame(camera(1))
    for at in range(0, len(data), 7):
        reader, assembler = LineReader(), Assembler()
        damaged = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        rows = [line for line in reader.feed(damaged) if isinstance(line, FrameRow)]
        whole = [frame for row in rows if (frame := assembler.take(row))]
        assert not whole or whole[0].pixels.tolist() == pixels_of(camera(1))  # of a line end


def test_frames_that_lack_rows_are_counted() -> None:
    node = Node()
    node.say(400, 90)
    lines = node.frame(camera(1)).splitlines(keepends=True)
    node.say(401, 90)
    more = node.frame(camera(2)).splitlines(keepends=True)
    reader, assembler = LineReader(), Assembler()
    rows = reader.feed(b"".join([*lines[:2], *more[1:], *more]))
    found = [frame for row in rows if isinstance(row, FrameRow) and (frame := assembler.take(row))]
    assert [frame.pixels.tolist() for frame in found] == [pixels_of(camera(2))]
    assert assembler.torn == 1


@pytest.mark.parametrize(
    "text",
    [
        "=amg8833,1,4,4,6,centi_c,25,000000000000000000000000",  # row 4 of 4
        "=amg8833,1,0,4,6,centi_c,25,0000",
        "=amg8833,1,0,4,6,centi_c,25,00000000000000000000000g",
        "=amg8833,1,0,4000,6,centi_c,25,000000000000000000000000",
        "=amg8833,1,0,4,6,centi_c,000000000000000000000000",
    ],
)
def test_a_row_that_cant_be_is_rejected(text: str) -> None:
    reader = LineReader()
    reader.feed(f"{text}*{zlib.crc32(text.encode()):08X}\n".encode())
    assert sum(reader.rejected.values()) == 1


def test_skipped_readings_leave_no_frame_and_another_array_is_refused(tmp_path: Path) -> None:
    node = Node(every=1)
    store = take(tmp_path / "rows.csv", tmp_path / "f.npz", said(node, 1), "skip")
    assert (store.written, (tmp_path / "f.npz").exists()) == (0, False)
    take(tmp_path / "rows.csv", tmp_path / "f.npz", said(node, 2), "deer")
    before = (tmp_path / "f.npz").read_bytes()
    other = [node.say(410, 90), node.frame(camera(1, 8, 8))]
    with pytest.raises(InputError, match="expected frames of amg8833, 4 x 6 in 25 centi_c, got such of amg8833, 8 x 8"):
        take(tmp_path / "rows.csv", tmp_path / "f.npz", other, "deer")
    assert (tmp_path / "f.npz").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "time,label\n", "expected the columns time,node,recording"),
        ("a.csv", ",".join(COLUMNS) + "\n", "expected frames, got none"),
        ("a.csv", ",".join(COLUMNS) + "\nt,n,1,s,u,1,x,2,2,1 2 3\n", "line 2: expected 2 x 2 pixels, got 3"),
        ("a.csv", ",".join(COLUMNS) + "\nt,n,1,s,u,1,x,2,2,1 2 3 x\n", "line 2: expected whole numbers"),
        ("a.csv", ",".join(COLUMNS) + "\nt,n,1,s,u,1,x,2,2,1 2 3 40000\n", "line 2: expected pixels within 32767"),
        ("a.csv", ",".join(COLUMNS) + "\nt,n,1\n", "line 2: expected 10 fields, got 3"),
        ("a.npz", "no zip", "expected an .npz of frames"),
        ("a.txt", "", "a name that ends in .npz or .csv"),
    ],
)
def test_another_file_is_refused_and_stays_as_it_is(tmp_path: Path, name: str, content: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        FrameStore(path)
    assert path.read_text() == content


def test_an_npz_without_labels_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", pixels=np.zeros((2, 3, 3), np.int16))
    with pytest.raises(InputError, match="got none of times, nodes, recordings, labels, sensor, unit, step"):
        read_frames(tmp_path / "a.npz")


def test_monitor_says_frames_as_json_and_draws_them_in_colours() -> None:
    node = Node()
    spoken: list[dict[str, object]] = []
    monitor(feed_of(*said(node, 1)), Console(file=io.StringIO()), say=spoken.append)
    (frame,) = [one for one in spoken if "frame" in one]
    assert frame["pixels"] == pixels_of(camera(1)) and frame["sequence"] == 1
    assembler = Assembler()
    rows = LineReader().feed(node.frame(camera(1)))
    (whole,) = [one for row in rows if isinstance(row, FrameRow) and (one := assembler.take(row))]
    lines = picture(whole).plain.splitlines()
    assert [len(line) for line in lines[:2]] == [12, 12]  # two rows of pixels to a line, pixels twice as wide
    assert lines[2].startswith("amg8833: ") and lines[2].endswith("above its background")
