"""Slots under power cuts: after any, the old payload or the new one, and still writable."""

import struct
import zlib

import pytest
from cut_files import CutFiles, PowerCut
from dibble import RecordError
from dibble.storage import slots as module
from dibble.storage.slots import Slots

PAYLOADS = [b"", b"one", b"two" * 200, b"three", b"\x00" * 30, b"six"]


@pytest.fixture(params=[True, False], ids=["littlefs", "fat"])
def disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> CutFiles:
    files = CutFiles(request.param)
    files.serve(monkeypatch, module)
    return files


def write_until_cut(disk: CutFiles, operations: int, **settings: int) -> tuple[int, bool]:
    """Write the payloads in turn; return how many were acknowledged, and whether the power failed."""
    disk.left = operations
    done = 0
    try:
        for payload in PAYLOADS:
            Slots("/it").write(payload, **settings)
            done += 1
    except PowerCut:
        return done, True
    finally:
        disk.left = None
    return done, False


def test_a_cut_at_every_operation_leaves_old_or_new(disk: CutFiles) -> None:
    cuts = 0
    while True:
        disk.files.clear()
        done, cut = write_until_cut(disk, cuts)
        held = Slots("/it").newest()
        assert held in (PAYLOADS[done - 1] if done else None, PAYLOADS[done] if cut else None)
        assert disk.open_files == 0
        Slots("/it").write(b"after")
        assert Slots("/it").newest() == b"after"
        if not cut:
            break
        cuts += 1
    assert cuts == (12 if disk.atomic else 12 + 6 * 16 + sum(map(len, PAYLOADS)))


def test_two_cuts_in_a_row_leave_old_or_new(disk: CutFiles) -> None:
    last = 0
    for first in range(0, 60 if disk.atomic else 200, 1 if disk.atomic else 17):
        for second in range(40):
            disk.files.clear()
            write_until_cut(disk, first)
            old = Slots("/it").newest()
            disk.left = second
            try:
                Slots("/it").write(b"latest")
            except PowerCut:
                last = max(last, second)
            disk.left = None
            assert Slots("/it").newest() in (old, b"latest")
    assert last == (1 if disk.atomic else 23)


def test_a_full_disk_raises_and_leaves_the_old_one(disk: CutFiles) -> None:
    slots = Slots("/it")
    slots.write(b"old")
    disk.room_bytes = 30
    with pytest.raises(RecordError, match=r"expected to write generation 2 to /it.b, got OSError\(28"):
        slots.write(b"new")
    assert slots.newest() == b"old"
    assert disk.open_files == 0
    disk.room_bytes = 100
    assert slots.write(b"new") == 2


def test_what_reads_back_otherwise_raises(disk: CutFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = Slots("/it")
    slots.write(b"old")

    def worn_out(path: str, mode: str) -> object:
        if mode == "rb" and path in disk.files and path == "/it.b":
            disk.files[path] = disk.files[path][:-1] + b"?"
        return disk.open(path, mode)

    monkeypatch.setattr(module, "open", worn_out)
    with pytest.raises(RecordError, match="to read as it was written"):
        slots.write(b"new")
    assert slots.newest() == b"old"


def test_layout_against_struct_and_zlib(disk: CutFiles) -> None:
    Slots("/it").write(b"payload", rejected=77)
    head = struct.pack("<4sII", b"DSL1", 78, 7)
    assert disk.files == {"/it.a": head + struct.pack("<I", zlib.crc32(head + b"payload")) + b"payload"}


def test_a_payload_is_read_in_one_piece(disk: CutFiles) -> None:
    Slots("/it").write(bytes(5000))
    sizes = []
    original = disk.open

    class Counting:
        def __init__(self, file: object) -> None:
            self.file = file

        def __getattr__(self, name: str) -> object:
            return getattr(self.file, name)

        def read(self, size: int) -> bytes:
            sizes.append(size)
            return self.file.read(size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "open", lambda path, mode: Counting(original(path, mode)))
        Slots("/it").newest()
    assert sizes.count(5000) == 1
    assert max(size for size in sizes if size != 5000) == 16
