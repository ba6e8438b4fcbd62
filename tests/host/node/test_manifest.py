"""The list of the firmware's files: written on the computer, compared on the node."""

import zlib

import pytest
from dibble.storage import manifest
from dibble_tools.node.manifest import write_manifest
from dibble_tools.simulator.node.bus import VirtualClock

FILES = {"main.py": b"run()\n", "lib/dibble/a.py": b"a" * 700, "lib/dibble/b.mpy": bytes(range(256)), "lib/c d.py": b""}


@pytest.fixture(params=["in C", "in small ints"])
def drive(request, tmp_path, monkeypatch):
    """A folder that is the node's root, its files and its manifest."""
    if request.param == "in small ints":
        monkeypatch.setattr(manifest, "quick_crc32", None)
    for path, data in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / "secrets.py").write_text("WIFI_SSID = 'x'")
    (tmp_path / "config.json").write_text("{}")
    write_manifest(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems(begin=0, clock=None):
    return list(manifest.check(clock or VirtualClock(), begin))


def test_manifest_lists_code_with_zlibs_sums(drive):
    lines = (drive / "manifest.txt").read_text().splitlines()
    assert [line.split(" ", 2) for line in lines[:-1]] == [
        [f"{zlib.crc32(FILES[path]):08x}", str(len(FILES[path])), path] for path in sorted(FILES)
    ]
    assert lines[-1] == f"{zlib.crc32(''.join(line + chr(10) for line in lines[:-1]).encode()):08x} 4 ."


@pytest.mark.parametrize("begin", range(5))
def test_whole_files_are_no_problem(drive, begin):
    assert problems(begin) == []


def test_no_manifest_says_nothing(drive):
    (drive / "manifest.txt").unlink()
    assert problems() == []


@pytest.mark.parametrize("begin", range(5))
def test_each_kind_of_damage_is_told_once(drive, begin):
    (drive / "main.py").unlink()
    (drive / "lib/dibble/a.py").write_bytes(b"a" * 699 + b"b")
    (drive / "lib/dibble/b.mpy").write_bytes(b"short")
    assert sorted(problems(begin)) == [
        f"lib/dibble/a.py: expected CRC {zlib.crc32(b'a' * 700):08x}, got {zlib.crc32(b'a' * 699 + b'b'):08x}",
        "lib/dibble/b.mpy: expected 256 bytes, got 5",
        "main.py: expected 6 bytes, got FileNotFoundError(2, 'No such file or directory')",
    ]


def test_every_damaged_byte_of_the_manifest_is_noticed(drive):
    path = drive / "manifest.txt"
    whole = path.read_bytes()
    for i in range(len(whole)):
        for damaged in (whole[:i] + bytes([whole[i] ^ 0xA5]) + whole[i + 1 :], whole[:i]):
            path.write_bytes(damaged)
            assert problems() == ["expected manifest.txt as it was written, got other lines: copy the firmware again"]


def test_sums_stop_when_time_is_up_and_begin_elsewhere_at_the_next_boot(drive):
    """Each file takes 1.5 s here: two of four are summed at a boot. Sizes are compared at once."""
    for path, data in FILES.items():
        (drive / path).write_bytes(data.replace(b"a", b"b").replace(b"r", b"s").replace(b"\x07", b"\x08"))

    class Slow(VirtualClock):
        def ticks_ms(self):
            self.sleep_ms(1500)
            return super().ticks_ms()

    # Ordered: "lib/c d.py" (empty), a.py, b.mpy, main.py; the first time asked is the start.
    names = sorted(FILES)
    for begin in range(4):
        due = [names[begin]]
        told = [text.partition(":")[0] for text in problems(begin, Slow())]
        assert told == [name for name in due if FILES[name]]


def test_many_problems_are_counted(tmp_path, monkeypatch):
    for i in range(12):
        (tmp_path / f"{i:02d}.py").write_text("x")
    write_manifest(tmp_path)
    monkeypatch.chdir(tmp_path)
    for i in range(12):
        (tmp_path / f"{i:02d}.py").unlink()
    told = problems()
    assert len(told) == manifest.MOST + 1 and told[-1] == "4 more"
