"""Files in memory whose power fails at any operation, or within a write, as littlefs or as FAT would have it."""

import errno
from types import ModuleType, SimpleNamespace

import pytest


class PowerCut(BaseException):
    """Not an Exception: nothing on the node catches it."""


class CutFiles:
    """What the storage modules need of `open` and `os`.

    Args:
        atomic: a file changes when it is closed, as on littlefs; else with every byte written, as on FAT at its worst.
        room_bytes: content that fits; more is ENOSPC.
    Attributes:
        files: path -> content, what the power cut leaves.
        folders: paths of folders.
        left: operations until the power fails, None: it doesn't. Opening to write, closing after it, removing and
            making a folder count one each, and so does each byte written where files aren't atomic.
        removed: content of the files that were removed.
        open_files: files that were opened and not closed.
    """

    def __init__(self, atomic: bool, room_bytes: int = 1 << 30) -> None:
        self.atomic = atomic
        self.room_bytes = room_bytes
        self.files: dict[str, bytes] = {}
        self.folders = {""}
        self.removed: list[bytes] = []
        self.left: int | None = None
        self.operations = 0
        self.open_files = 0
        self.broken = False

    def serve(self, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
        """Let modules use these files in place of the computer's."""
        system = SimpleNamespace(listdir=self.listdir, mkdir=self.mkdir, remove=self.remove, stat=self.stat)
        for module in modules:
            monkeypatch.setattr(module, "open", self.open, raising=False)
            if hasattr(module, "os"):
                monkeypatch.setattr(module, "os", system)

    def operate(self) -> None:
        self.operations += 1
        if self.broken:
            raise OSError(errno.EIO, "broken")
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.open_files = 0
                raise PowerCut

    def open(self, path: str, mode: str) -> "CutFile":
        if mode == "rb" and path not in self.files:
            raise OSError(errno.ENOENT, path)
        if mode != "rb":
            assert path.rpartition("/")[0] in self.folders
            self.operate()
        self.open_files += 1
        return CutFile(self, path, mode)

    def listdir(self, path: str) -> list[str]:
        if path not in self.folders:
            raise OSError(errno.ENOENT, path)
        return [name.rpartition("/")[2] for name in self.files if name.startswith(path + "/")]

    def mkdir(self, path: str) -> None:
        self.operate()
        self.folders.add(path)

    def remove(self, path: str) -> None:
        self.operate()
        if path not in self.files:
            raise OSError(errno.ENOENT, path)
        self.removed.append(self.files.pop(path))

    def stat(self, path: str) -> tuple[int, ...]:
        return (0x8000, 0, 0, 0, 0, 0, len(self.files[path]), 0, 0, 0)

    def used_bytes(self) -> int:
        return sum(map(len, self.files.values()))


class CutFile:
    def __init__(self, disk: CutFiles, path: str, mode: str) -> None:
        self.disk = disk
        self.path = path
        self.writes = mode != "rb"
        self.content = b"" if mode == "wb" else disk.files.get(path, b"")
        self.at = len(self.content) if mode == "ab" else 0
        if self.writes and (not disk.atomic or path not in disk.files):
            disk.files[path] = self.content

    def read(self, size: int = -1) -> bytes:
        end = len(self.content) if size < 0 else self.at + size
        data = self.content[self.at : end]
        self.at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset + (len(self.content) if whence == 2 else 0)
        return self.at

    def write(self, data: bytes) -> int:
        disk = self.disk
        before = 0 if disk.atomic else len(disk.files[self.path])
        room = disk.room_bytes - disk.used_bytes() + before - len(self.content)
        fits = data[: max(0, room)]
        if disk.atomic:
            self.content += fits
        else:
            for byte in fits:
                disk.operate()
                self.content += bytes([byte])
                disk.files[self.path] = self.content
        if len(fits) < len(data):
            self.writes = self.writes and not disk.atomic  # littlefs: closing commits nothing then
            raise OSError(errno.ENOSPC, "full")
        return len(data)

    def close(self) -> None:
        self.disk.open_files -= 1
        if self.writes:
            self.disk.operate()
            self.disk.files[self.path] = self.content
