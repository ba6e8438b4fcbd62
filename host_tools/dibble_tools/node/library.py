"""The library alone, for a program of one's own: the files that `mpremote mip install` copies for a family's models."""

import json
from collections.abc import Iterable
from pathlib import Path

from dibble import __version__

from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_atomically
from dibble_tools.common.shipped import FIRMWARE, LIBRARY
from dibble_tools.node.files import (
    ARCHITECTURES,
    compiled_text,
    made_for,
    mpy_version,
    path_of,
    reached,
    shipped_library,
    shipped_plain_library,
    source_of,
)
from dibble_tools.node.merged_file import merged_source
from dibble_tools.node.merging import Shipment
from dibble_tools.node.plain_library import LEFT_OUT, PLAIN

FAMILIES = ("forest", "additive", "mlp", "stream", "maps")
PLAIN_FAMILIES = FAMILIES[:3]  # that decide on readings
ALL = "package"  # every family, novelty and the model as code
PACKAGES = (ALL, *FAMILIES)
_INFERENCE = "dibble.inference"
_BY_NEED = ("novelty", "ratios", "stand_ins", "unrolled")  # parts that a plain model of one family never asks for
INSTALLED = ("lib/dibble/inference",)  # folder of a library that a board may have: the new one goes there
FIRST_VERSION = {2: "1.20", 3: "1.23"}  # of MicroPython, by the sub-version of machine code in .mpy


def library_modules(
    families: Iterable[str],
    *,
    novelty: bool = False,
    code: bool = False,
    ratios: bool = False,
    stand_ins: bool = False,
) -> list[str]:
    """Return the modules that load and run models of some families.

    Args:
        novelty: with what knows unusual combinations, which brings the family additive along.
        code: with what runs a model as code.
        ratios: with what makes channels of others.
        stand_ins: with what decides without a reading.
    """
    wanted = {*families, *(("additive", "novelty") if novelty else ()), *(("unrolled",) if code else ())}
    wanted |= {"image"} if "maps" in wanted else set()  # a model over a frame, which the family's tables are of
    wanted |= ({"ratios"} if ratios else set()) | ({"stand_ins"} if stand_ins else set())
    without = [f"{_INFERENCE}.{name}" for name in (*FAMILIES, *_BY_NEED) if name not in wanted]
    without += [f"{_INFERENCE}.{name}_checks" for name in FAMILIES if name not in wanted]
    without += [f"{_INFERENCE}.image"] if "image" not in wanted else []
    return sorted(reached([_INFERENCE, *(f"{_INFERENCE}.{name}" for name in wanted)], without))


def modules_of(package: str) -> list[str]:
    """Return the modules of one of PACKAGES."""
    return (
        library_modules(FAMILIES, novelty=True, code=True, ratios=True, stand_ins=True)
        if package == ALL
        else library_modules([package])
    )


def package_json(package: str) -> str:
    """Return what firmware/PACKAGE.json holds: the sources of its modules, by URLs relative to it."""
    names = [source_of(module).relative_to(LIBRARY.parent).as_posix() for module in modules_of(package)]
    return _listing([[name, f"lib/{name}"] for name in names])


def compiled_library(modules: Iterable[str], architecture: str) -> dict[str, bytes]:
    """Return path -> content of modules as .mpy, merged into a few files as a node's are: each loaded when needed.

    Args:
        architecture: of machine code, one of mpy-cross's; "": bytecode only, which every board reads.
    Raises:
        InputError: no such architecture.
    """
    _check_architecture(architecture)
    return _compiled(shipped_library(modules, architecture), architecture)


def plain_library(family: str, architecture: str) -> dict[str, bytes]:
    """Return path -> content of the one .mpy that runs plain models of a family: see plain_library.py.

    Args:
        architecture: as of compiled_library().
    Raises:
        InputError: no such architecture, or no family of which there are plain models.
    """
    if family not in PLAIN_FAMILIES:
        raise InputError(f"--plain: expected one of {', '.join(PLAIN_FAMILIES)}, got {family}")
    _check_architecture(architecture)
    others = [name for name in FAMILIES if name != family]
    without = [f"{_INFERENCE}.{name}" for name in (*others, *_BY_NEED, *LEFT_OUT, "image")]
    modules = reached([PLAIN, f"{_INFERENCE}.{family}"], without)
    return _compiled(shipped_plain_library(sorted(modules), others, architecture), architecture)


def _check_architecture(architecture: str) -> None:
    if architecture not in ARCHITECTURES:
        raise InputError(f"--arch: expected one of {', '.join(filter(None, ARCHITECTURES))}, got {architecture!r}")


def _compiled(merged: Shipment, architecture: str) -> dict[str, bytes]:
    return {
        path_of(name, merged.files, INSTALLED).removeprefix("lib/"): compiled_text(
            merged_source(merged, name), name, architecture
        )
        for name in merged.files
    }


def write_library(files: dict[str, bytes], folder: Path) -> Path:
    """Write compiled files and their package.json to a folder; return the path of that.

    Raises:
        InputError: the folder holds something else.
    """
    listing = folder / "package.json"
    if folder.exists() and not listing.is_file() and any(folder.iterdir()):
        raise InputError(f"{folder}: expected a new folder, or one that this command wrote, got one with other files")
    for name, content in files.items():
        write_atomically(folder / name, content)
    write_atomically(listing, _listing([[name, name] for name in files]).encode())
    return listing


def readers_of(architecture: str) -> str:
    """Return words for the firmware that reads such .mpy files."""
    if not architecture:
        return f"MicroPython that reads .mpy version {mpy_version()}: 1.19 and later"
    made = made_for(architecture)
    first = FIRST_VERSION.get(made.sub_version, "of its sub-version")
    return f"MicroPython {first} and later on {architecture} (.mpy {made.version}.{made.sub_version})"


def _listing(urls: list[list[str]]) -> str:
    return json.dumps({"urls": urls, "version": __version__}, indent=1) + "\n"


if __name__ == "__main__":
    for each in PACKAGES:
        (FIRMWARE / f"{each}.json").write_text(package_json(each), encoding="utf-8")
