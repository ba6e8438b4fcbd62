"""Firmware that comes to a node by radio, good and bad, and what of it lies on the node's flash."""

from pathlib import Path

from dibble_tools.node.files import compiled_text, made_for, node_files
from dibble_tools.node.signatures import sign
from dibble_tools.radio.firmware import archive_of
from dibble_tools.radio.parcel import Parcel
from dibble_tools.simulator.node.firmware import ARCHITECTURE
from radio_bench import KEY, RadioBench

MPY = 6 | 3 << 8 | 2 << 10  # version, sub-version and x64, as the VM has it
PIECE_BYTES = 4000
OWN = ("lib/", "main.py", "dibble_update.py", "manifest.txt")  # where firmware's paths begin


def new_firmware(before: dict[str, bytes]) -> dict[str, bytes]:
    """Return firmware other than a node has: without a clock chip, and with a folder more; other ports and main.py."""
    gone = ("lib/dibble/clock_chips.mpy", "manifest.txt")
    kept = {path: content for path, content in before.items() if path not in gone}
    ports = node_files(["soil_adc"], made_for(ARCHITECTURE), viper=False)["lib/dibble/ports.mpy"]
    return {
        **kept,
        "lib/dibble/ports.mpy": ports,
        "lib/dibble/more/one.py": b"NEW = 1\n",
        "main.py": kept["main.py"] + b"# newer\n",
    }


RAISES = "raise ValueError('broken')\n"
HANGS = "import time\n\nwhile True:\n    time.sleep_ms(500)\n"


def broken(files: dict[str, bytes], path: str, text: str = RAISES) -> dict[str, bytes]:
    """Return a firmware of which one file can't be imported: it raises, or never comes back."""
    name = "dibble" if path.endswith("__init__.mpy") else f"dibble.{Path(path).stem}"
    return {**files, path: compiled_text(text, name, "")}


def firmware_parcel(
    files: dict[str, bytes], counter: int = 20, key: bytes = KEY, archive: bytes | None = None
) -> Parcel:
    content = archive or archive_of(files, MPY)
    return Parcel("firmware", content, sign(key, "firmware", counter, content) + content, PIECE_BYTES)


def firmware_on(bench: RadioBench, folder: Path) -> dict[str, bytes]:
    """Return path -> content of the firmware on a node's flash, which is copied to a new folder."""
    bench.vm.extract("", folder)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {path: content for path, content in files.items() if path.startswith(OWN)}


def kept_apart(folder: Path) -> list[str]:
    """Return what is left of an update in a flash's copy."""
    ends = (".before", ".staged", ".part", ".firmware", "_undo.txt", "_done.txt", "_update.txt")
    return sorted(path.name for path in folder.rglob("*") if path.name.endswith(ends))
