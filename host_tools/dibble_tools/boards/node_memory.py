"""What the node itself takes of a board: files in its file system, and heap."""

import shutil
import tempfile
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from dibble_tools.boards.figure import Figure
from dibble_tools.boards.schema import Runtime
from dibble_tools.common.shipped import LIBRARY, ROOMS
from dibble_tools.machines.replay import WASI_HEAP, WASI_MEMORY
from dibble_tools.machines.vms import run_wasi
from dibble_tools.node.files import (
    MpyFormat,
    circuitpython_files,
    compiled,
    made_for,
    mpy_version,
    node_files,
    not_needed,
    not_on_a_drive,
    reached,
    runs,
    source_of,
)

GUEST = ROOMS / "boards" / "guest" / "node_heap.py"
# What a running node keeps loaded: the files that a deploy merges its firmware into, or the modules of sources.
MERGED = ("dibble", "dibble.ports", "dibble.node", "dibble.inference")
MODULES = ("dibble.app", "dibble.node", "dibble.inference.model", "dibble.ports.micropython")
MODEL_ONLY = ("dibble.inference.model",)
LOADED_BY = {"maps": "image"}  # family -> what a model of it is made by, where that isn't named as the family is
RADIO_FILE = "dibble.radio"
LISTENING_FILES = ("dibble.listening", "dibble.streams")
LISTENING_MODULES = ("dibble.listening_node", "dibble.streams")
RADIO_MODULES = ("dibble.report.radio", "dibble.ports.sockets")
# Buffers, names and settings of a running node: half of what a year's run on the 64-bit VM keeps
# (tests/benchmarks/heap_year.py) beside its modules, its model and the simulated hardware.
OBJECTS_BYTES = 12_000
# While a node starts, beside what it keeps then: measured as the least heap with which it starts, and with which it
# runs, on 32-bit VMs of both runtimes.
START_BYTES = {
    "micropython": Figure(11_000, 8_000, 14_000, "the least heap to start with less that to run with, on a 32-bit VM"),
    "circuitpython": Figure(
        20_000, 15_000, 25_000, "the least heap to start with less that to run with, on a 32-bit VM"
    ),
}
# The peak of a handshake and of a message, counted over calloc in MicroPython 1.28's mbedTLS with a broker whose
# chain has one to three certificates: 28.3 to 30.4 KB with P-256, 30.7 to 33.7 KB with RSA-2048, 36.6 to 40.6 KB with
# RSA-4096; of it 16.7 KB in one piece (micropython#7878 tells of the same), as a bare board's build has the same
# buffers (extmod/mbedtls/mbedtls_config_common.h). More where a heap in pieces is collected: CircuitPython's users
# tell of 40 to 60 KB that have to be free (circuitpython#9174).
TLS_BYTES = Figure(
    34_000, 28_000, 60_000, "counted with MicroPython 1.28's mbedTLS; its high end is CircuitPython's users'"
)
FOLDER_BLOCKS = 2
FOLDERS = 2  # lib and lib/dibble
SLOTS = 2  # that the node keeps of a model, beside model.dib


def library_bytes(runtime_name: str, runtime: Runtime, config: dict) -> int:
    """Return the bytes of the firmware's files in whole blocks: compiled for MicroPython, sources for CircuitPython."""
    drivers, without = drivers_of(config), tuple(not_needed(config, has_key=False))
    if runtime_name == "circuitpython":
        return _sources_bytes(runtime.block_bytes, drivers, tuple(not_on_a_drive(config)))
    return _compiled_bytes(runtime.block_bytes, runtime.mpy_arch if runtime.viper else "", drivers, without)


@lru_cache
def _compiled_bytes(block: int, machine_code: str, drivers: tuple[str, ...], without: tuple[str, ...]) -> int:
    mpy = made_for(machine_code) if machine_code else MpyFormat(mpy_version())
    files = node_files(drivers, mpy, without=without)
    return FOLDERS * FOLDER_BLOCKS * block + sum(stored(len(content), block) for content in files.values())


@lru_cache
def _sources_bytes(block: int, drivers: tuple[str, ...], without: tuple[str, ...]) -> int:
    return sum(stored(len(content), block) for content in circuitpython_files(drivers, without=without).values())


def stored(size: int, block: int) -> int:
    """Return the bytes that a file takes of a file system."""
    return (size + block - 1) // block * block


def log_bytes(config: dict) -> int:
    """Return the bytes that a node's log grows to."""
    log = config["log"]
    return int(log["segment_bytes"] * log["segments"])


@lru_cache
def heap_bytes(
    family: str,
    drivers: tuple[str, ...],
    node: bool,
    radio: bool = False,
    runtime_name: str = "micropython",
    listens: bool = False,
) -> int:
    """Return the heap that a node's modules keep, counted on the 32-bit VM, where the compiler ran elsewhere.

    Args:
        family: of the model.
        drivers: of its sensors.
        node: False: the model's library alone.
        radio: with what reports by Wi-Fi.
        runtime_name: "micropython": its firmware is merged into a few files; "circuitpython": it isn't.
        listens: with what hears.
    """
    merged = node and runtime_name == "micropython"
    inferring = LOADED_BY.get(family, family)
    if merged:
        names = [*MERGED, f"dibble.{inferring}", *((RADIO_FILE,) if radio else ()), "dibble.drivers"]
        names += LISTENING_FILES if listens else ()
        files = node_files(drivers, MpyFormat(mpy_version()))
    else:
        names = [*(MODULES if node else MODEL_ONLY), f"dibble.inference.{inferring}", *(RADIO_MODULES if radio else ())]
        names += [f"dibble.drivers.{driver}" for driver in drivers]
        names += LISTENING_MODULES if listens else ()
        sources = [path for path in map(source_of, reached(names)) if runs(path.stem, "")]
        files = {f"lib/{_place(source)}.mpy": compiled(source, "") for source in sources}
    with tempfile.TemporaryDirectory(prefix="dibble-") as name:
        folder = Path(name)
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        shutil.copy(GUEST, folder)
        for name in ("machine", "socket", "select"):
            (folder / f"{name}.py").write_text("")  # only their names are looked up while importing
        (folder / "modules.txt").write_text("\n".join(names))
        run = run_wasi(folder, GUEST.name, heap=WASI_HEAP, memory_bytes=WASI_MEMORY)
    return int(run.stdout) + (OBJECTS_BYTES if node else 0)


def _place(source: Path) -> str:
    return source.relative_to(LIBRARY.parent).with_suffix("").as_posix()


def drivers_of(config: dict) -> tuple[str, ...]:
    """Return the drivers that a configuration names, each once, and what else it makes them load."""
    names: Iterable[str] = (sensor["driver"] for sensor in config["sensors"])
    scans = ("bme680_scan" for sensor in config["sensors"] if sensor.get("profile"))
    return tuple(sorted({*names, *scans}))
