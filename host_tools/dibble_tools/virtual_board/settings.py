"""What a virtual board is made of, as its supervisor is told."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.simulator.devices import SIMULATED
from dibble_tools.simulator.unkindness import Likeness, kind_names

FLASH = "1408k"  # as on a Pico; the node alone takes some 260 KB in blocks of 4
HEAP = "128k"  # less than a Pico W has: what runs here has room to spare there
LEAST_HEAP, MOST_HEAP = 20 << 10, 64 << 20
_SIZE = re.compile(r"([0-9]{1,7})([kKmM]?)")


@dataclass(frozen=True)
class Settings:
    """A virtual board.

    Attributes:
        image: file of its flash; made where it isn't there.
        flash_bytes: None: as many as the image has, or FLASH.
        heap_bytes: of a 32-bit board: this VM's words, and so its heap, are twice as large.
        speed: of time while it sleeps.
        sensors: the simulated orchard's are attached.
        config: a node's config.json, as whose they are wired; None: each has its place.
        seed: of their noise.
        romfs_bytes: of a ROMFS partition beside the flash; 0: none.
        start_s: what its clock shows, seconds since 2000; None: nobody has set it.
        kind: what it spares its programs, of simulator/unkindness.UNKINDNESSES.
        sound: file of a recording that is played again and again to whichever pin a microphone is at.
        like: the board that it is like; None: a Pico W that bears them all but `kind`.
    """

    name: str
    image: str
    flash_bytes: int | None
    heap_bytes: int
    speed: float = 1.0
    sensors: bool = False
    seed: int = 0
    romfs_bytes: int = 0
    start_s: int | None = None
    kind: tuple[str, ...] = ()
    sound: str | None = None
    config: dict[str, Any] | None = None
    like: Likeness | None = None

    @property
    def rom_image(self) -> Path | None:
        """File of the ROMFS partition."""
        return Path(self.image + ".romfs") if self.romfs_bytes else None

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=sorted)

    @staticmethod
    def from_json(text: str) -> "Settings":
        content = json.loads(text)
        like = content["like"] and Likeness(**{**content["like"], "unkind": frozenset(content["like"]["unkind"])})
        return Settings(**{**content, "kind": tuple(content["kind"]), "like": like})


def checked(
    name: str,
    image: Path,
    *,
    runtime: str,
    flash: str | None,
    heap: str,
    speed: float,
    sensors: bool,
    seed: int,
    romfs: str | None,
    kind: str = "",
    sound: Path | None = None,
) -> Settings:
    """Return the settings that a person means.

    Raises:
        InputError: they can't be.
    """
    if runtime != "micropython":
        why = "CircuitPython runs on boards only" if runtime == "circuitpython" else "there is no such board"
        raise InputError(f"--runtime: expected micropython, got {runtime!r}: {why}")
    heap_bytes = size("--heap", heap)
    if not LEAST_HEAP <= heap_bytes <= MOST_HEAP:
        raise InputError(f"--heap: expected {LEAST_HEAP >> 10}k to {MOST_HEAP >> 20}m, got {heap}")
    if not 0.1 <= speed <= 100_000:
        raise InputError(f"--speed: expected 0.1 to 100000, got {speed:g}")
    return Settings(
        name=name,
        image=str(image.resolve()),
        flash_bytes=size("--flash", flash) if flash else None,
        heap_bytes=heap_bytes,
        speed=speed,
        sensors=sensors,
        seed=seed,
        romfs_bytes=size("--romfs", romfs) if romfs else 0,
        kind=tuple(sorted(kind_names(kind))),
        sound=str(sound.resolve()) if sound else None,
    )


def size(option: str, text: str) -> int:
    """Return the bytes of a size such as 256k.

    Raises:
        InputError: it isn't one.
    """
    match = _SIZE.fullmatch(text)
    if not match:
        raise InputError(f"{option}: expected a size such as 256k or 1m, got {text!r}")
    return int(match[1]) << {"": 0, "k": 10, "m": 20}[match[2].lower()]


def unsimulated(config: dict[str, Any]) -> list[str]:
    """Return the drivers of a configuration's sensors that a virtual board can't answer for."""
    return [entry["driver"] for entry in config["sensors"] if entry["driver"] not in SIMULATED]
