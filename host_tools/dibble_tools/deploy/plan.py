"""What a deploy has to write and to remove, and in which order."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dibble.storage.signatures import KEY

from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import LIBRARY
from dibble_tools.deploy.board_state import BoardState, OnBoard, digest_of
from dibble_tools.node.shipment import FILES

LIST = "dibble_update.txt"
TRIAL = ("dibble_undo.txt", "dibble_done.txt", "update.firmware")  # of firmware that came by radio
STAGED, BEFORE = ".staged", ".before"
UPDATE = "dibble_update.py"
MAIN = "main.py"
PACKAGE = "lib/dibble/"
BOOT_STATE = ("boot.a", "boot.b")  # a new firmware, configuration or model begins with no failed boot
LAST = ("config.json", "model.dib", KEY, "manifest.txt", UPDATE, MAIN)
SPARE_BLOCKS = 4  # littlefs needs some to rename files
INLINE_BYTES = 512  # about so much of a file lies in its folder
FOLDER_BLOCKS = 2


@dataclass(frozen=True)
class Plan:
    """A deploy.

    Attributes:
        writes: path -> content, in the order in which they take their places.
        removals: paths.
        unchanged: number of files that are there already.
        emptied: folders that hold nothing afterwards, each before the one that it lies in: in a program's way, as a
            folder goes before a file of its name.
        direct: those of the writes that need no staging: no program is there that could see them half written.
    """

    writes: dict[str, bytes]
    removals: list[str]
    unchanged: int
    direct: frozenset[str] = frozenset()
    emptied: tuple[str, ...] = ()

    @property
    def staged(self) -> list[str]:
        """Paths of the files that are staged."""
        return [path for path in self.writes if path not in self.direct]

    def target(self, path: str) -> str:
        """Return the name under which a file is written."""
        return path if path in self.direct else path + STAGED

    @property
    def size(self) -> int:
        return sum(map(len, self.writes.values()))

    def __bool__(self) -> bool:
        return bool(self.writes or self.removals or self.emptied)

    def folders(self) -> list[str]:
        """Return the folders that the files lie in, each after the one it lies in."""
        found: dict[str, None] = {}
        for path in self.writes:
            found.update(dict.fromkeys(_above(path)))
        return list(found)

    def listing(self) -> bytes:
        """Return what dibble_update.py follows: its docstring has the format."""
        removals = [f"- {path}\n" for path in self.removals]
        early = [f"+ {path}\n" for path in self.staged if path not in LAST]
        late = [f"+ {path}\n" for path in self.staged if path in LAST]
        removals += [f"/ {path}\n" for path in self.emptied]
        lines = ["dibble update 2\n", *early, *removals, *late]
        text = "".join(lines).encode()
        return text + f"{zlib.crc32(text):08x} {len(lines)} .\n".encode()


def make_plan(
    desired: Mapping[str, bytes],
    on_board: Mapping[str, OnBoard],
    stale: Iterable[str] = (),
    old: Iterable[str] = (),
    folders: Iterable[str] = (),
) -> Plan:
    """Return what is to do so that the board has the desired files.

    Args:
        stale: paths to remove where they are there.
        old: such too, but only where anything else changes.
        folders: the board's.
    """
    changed = {path: content for path, content in desired.items() if not is_there(content, on_board.get(path))}
    removals = [path for path in stale if path in on_board]
    if changed or removals:
        removals += [path for path in (*BOOT_STATE, *old) if path in on_board]
    order = sorted(changed, key=lambda path: (LAST.index(path) + 1 if path in LAST else 0, path))
    direct = frozenset() if MAIN in on_board else frozenset(path for path in order if path.startswith(PACKAGE))
    left = [*(path for path in on_board if path not in removals), *desired]
    own = [path for path in folders if path.startswith(PACKAGE)]
    emptied = [path for path in own if not any(other.startswith(f"{path}/") for other in left)]
    deepest_first = tuple(sorted(emptied, key=lambda path: -path.count("/")))
    return Plan({path: changed[path] for path in order}, removals, len(desired) - len(changed), direct, deepest_first)


def is_there(content: bytes, found: OnBoard | None) -> bool:
    return found is not None and (found.size, found.digest) == (len(content), digest_of(content))


def stale_files(desired: Mapping[str, bytes], on_board: Iterable[str], listed: Iterable[str]) -> list[str]:
    """Return the board's files of the firmware that it shall not have any more.

    A .py beside its .mpy is one: it would be imported in its place. Files in the package that neither this firmware
    nor the one before knows are somebody's own, and stay.

    Args:
        listed: paths of the board's manifest.
    """
    known = _known(listed)
    return [path for path in on_board if path not in desired and _is_firmware(path, known)]


def folders_kept(on_board: Iterable[str], listed: Iterable[str]) -> set[str]:
    """Return the folders in the board's package that hold somebody's own files."""
    known = _known(listed)
    own = [path for path in on_board if path.startswith(PACKAGE) and not _is_firmware(path, known)]
    return {folder for path in own for folder in _above(path)}


def _known(listed: Iterable[str]) -> set[str]:
    modules = {f"lib/{path.relative_to(LIBRARY.parent).with_suffix('').as_posix()}" for path in LIBRARY.rglob("*.py")}
    merged = {f"lib/{name.replace('.', '/')}" for name in FILES}
    return modules | merged | {f"{name}/__init__" for name in merged} | {_stem(path) for path in listed}


def _is_firmware(path: str, known: set[str]) -> bool:
    return path.startswith(PACKAGE) and path.endswith((".py", ".mpy", ".txt")) and _stem(path) in known


def _above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def check_room(plan: Plan, state: BoardState) -> None:
    """Refuse a deploy for which the flash hasn't room: the old and the new lie there together.

    Raises:
        InputError: how much is missing.
    """
    needed = blocks_needed(plan, state)
    if needed > state.free_blocks:
        raise InputError(
            f"{state.machine}: expected {needed} free blocks of {state.block_bytes} bytes for {len(plan.writes)} files "
            f"({plan.size} bytes) beside those that are in use, got {state.free_blocks} of {state.blocks}: remove "
            "files of yours or the log, or give up what runs there first: mpremote rm -r :/lib/dibble"
        )


def blocks_needed(plan: Plan, state: BoardState) -> int:
    """Return about how many blocks a plan takes until it's complete."""
    block = state.block_bytes
    sizes = [len(content) for content in (*plan.writes.values(), plan.listing())]
    small = sum(size for size in sizes if size <= INLINE_BYTES)
    large = sum(-(-size // block) for size in sizes if size > INLINE_BYTES)
    there = {path.rpartition("/")[0] for path in state.files}
    new = [folder for folder in plan.folders() if not any(f"{path}/".startswith(f"{folder}/") for path in there)]
    return large + -(-small * 2 // block) + FOLDER_BLOCKS * len(new) + SPARE_BLOCKS


def _stem(path: str) -> str:
    return path.rpartition(".")[0]
