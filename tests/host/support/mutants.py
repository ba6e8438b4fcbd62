"""Model files that lie: random changes of whole files, their length and CRC repaired, and what becomes of them.

A mutant ends in the same on the host and on a VM: a ModelError, or the same decisions. Rows are made of each mutant's
own ranges, so that both sides make the same.
"""

import dataclasses
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dibble
import numpy as np
from dibble import ModelError
from dibble.inference.fixed_point import MISSING, READING_LIMIT
from dibble_tools.bench.stream_net import drawn, model_of
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.families.novelty import Novelty
from dibble_tools.families.stream.network import DEPTHWISE, FULL, MEAN, LayerShape
from dibble_tools.machines.replay import WASI_HEAP, WASI_MEMORY
from dibble_tools.machines.vms import VmError, run_unix, run_wasi
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.packing import crc16, pack, unpack
from dibble_tools.model.writer import ModelSpec, export, forest_spec
from helpers import channels_of, random_additive, random_mlp, random_spec, random_trees

PACKED = b"DIBZ"
ROWS = 8
REFUSED = "refused"
LIMITS = [900, 70_000, 255]
VALUES = (0, 1, 2, 31, 32, 63, 64, 127, 128, 129, 254, 255)
BATCH, WASI_BATCH = 1500, 15
BATCH_SECONDS = 100
GUEST = """\
import micropython
from array import array
from dibble import ModelError
from dibble.inference import model_of
from dibble.storage.unpack import unpack

MISSING = -0x40000000


def outcome(blob):
    if blob[:4] == b"DIBZ":
        parts = []
        unpack(blob, parts.append)
        blob = b"".join(parts)
    node = model_of(blob)
    node.self_test()
    rows = []
    for r in range({rows}):
        row = []
        for i in range(len(node.low)):
            step = (r * 37 + i * 101) % 103
            low, high = node.low[i], node.high[i]
            row.append(high + 1 if step == 101 else MISSING if step == 102 else low + (high - low) * step // 100)
        rows.append(array("i", row))
    total = 0
    readings, decision, predict = node.readings, node.decision, node.predict
    for row in rows:
        for i in range(len(row)):
            readings[i] = row[i] & 255 if isinstance(readings, bytearray) else row[i]
        micropython.heap_lock()
        try:
            predict()
        finally:
            micropython.heap_unlock()
        for value in (decision.class_index, decision.margin, decision.flags, decision.channel, decision.held_index):
            total = (total * 31 + value + 1) & 0x3FFFFFFF
    return total


with open(__file__[: __file__.rfind("/") + 1] + "mutants.bin", "rb") as file:
    size = file.read(4)
    while size:
        blob = file.read(int.from_bytes(size, "little"))
        try:
            print(outcome(blob))
        except ModelError:
            print("refused")
        except Exception as error:
            print("raised", type(error).__name__, error)
        size = file.read(4)
"""


@dataclass
class Verdict:
    """What became of mutants.

    Attributes:
        mutants, refused: how many, and how many of them both sides refused.
        host_refused: that only the host refuses: CPython knows more that isn't UTF-8.
        wrong: (mutant, what the VM said, what the host said) of all others that differ; crashes and hangs among them.
    """

    mutants: int = 0
    refused: int = 0
    host_refused: int = 0
    wrong: list[tuple[bytes, str, str]] = field(default_factory=list)

    def add(self, other: "Verdict") -> None:
        self.mutants += other.mutants
        self.refused += other.refused
        self.host_refused += other.host_refused
        self.wrong += other.wrong

    def __str__(self) -> str:
        decided = self.mutants - self.refused - self.host_refused - len(self.wrong)
        return (
            f"{self.mutants:,} mutants: {self.refused:,} refused, {decided:,} decided as on the host, "
            f"{self.host_refused:,} refused by the host alone, {len(self.wrong)} wrong"
        )


def _spec(tables: Any, classes: int, **settings: object) -> ModelSpec:
    named: dict[str, Any] = {"channels": channels_of([-100, 0, 5], [800, 70_000, 260]), **settings}
    return ModelSpec("m", classes=[f"c{i}" for i in range(classes)], tables=tables, **named)


def _novel(spec: ModelSpec) -> ModelSpec:
    return dataclasses.replace(spec, novelty=Novelty(random_additive(5, spec.limits, 2, largest=60), 90, 0.0))


WINDOWS = [FeatureSpec(0, 1, 4), FeatureSpec(0, 0, 1), FeatureSpec(1, 2, 6), FeatureSpec(2, 6, 5), FeatureSpec(2, 5, 3)]


def originals() -> dict[str, bytes]:
    """Return a small whole file of each kind by its name."""
    forest = random_spec(1, trees=3, depth=3)
    specs = {
        "forest": forest,
        "forest of pages": random_spec(2, trees=2, depth=9, classes=3),
        "forest with windows": random_spec(3, WINDOWS, trees=3, depth=4, classes=3),
        "additive": _spec(random_additive(1, LIMITS, 3), 3),
        "network": _spec(random_mlp(1, LIMITS, 3, [5, 4], ["codebook4", "sparse8", "dense16"]), 3),
        "network of bytes": _spec(random_mlp(2, LIMITS, 2, [4], ["dense8", "dense8"]), 2),
    }
    specs["novelty"] = _novel(specs["network of bytes"])
    specs["forest, novelty"] = _novel(forest)
    lows, highs = [1 - READING_LIMIT + 1, -5, 0], [0, READING_LIMIT - 6, READING_LIMIT - 1]
    widest = [high - low for low, high in zip(lows, highs, strict=True)]
    specs["widest additive"] = _spec(random_additive(4, widest, 3), 3, channels=channels_of(lows, highs))
    trees = random_trees(np.random.default_rng(6), widest, 3, 4, 4)
    specs["widest forest"] = forest_spec("m", channels_of(lows, highs), ["a", "b", "c"], trees)
    files = {name: export(spec) for name, spec in specs.items()}
    # With golden vectors, of which the check knows nothing, and a row of the model's own.
    files["golden"] = export(specs["additive"], [[0, 5, 7], [MISSING, 5, 7], [801, 5, 7]])
    shapes = [LayerShape(FULL, 4, 2, bits=4), LayerShape(DEPTHWISE, 4, 2), LayerShape(MEAN, 4, 2), LayerShape(FULL, 2)]
    files["stream"] = model_of(drawn(3, shapes)).blob
    files |= {f"packed {name}": pack(files[name]) for name in ("forest", "additive", "network")}
    return files


def mutants(name: str, blob: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Yield files that differ from one in a few bytes, whole otherwise."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    packed = blob[:4] == PACKED
    first, end = (4, len(blob) - 2) if packed else (4, len(blob) - 4)
    for _ in range(count):
        body = bytearray(blob[:end])
        for _ in range(int(rng.geometric(0.6))):
            at = int(rng.integers(first, len(body)))
            kind = rng.random()
            if kind < 0.35:
                body[at] = int(rng.choice(VALUES))
            elif kind < 0.6:
                body[at] = int(rng.integers(256))
            elif kind < 0.75:
                body[at] = (body[at] + int(rng.choice((-1, 1)))) & 255
            elif kind < 0.82:
                body[at] ^= 1 << int(rng.integers(8))
            elif kind < 0.88:
                body[at : at + int(rng.integers(1, 6))] = b"\xff" * int(rng.integers(1, 6))
            elif kind < 0.94:
                del body[at : at + int(rng.integers(1, 4))]
            else:
                body[at:at] = rng.bytes(int(rng.integers(1, 4)))
            if len(body) <= first:
                break
        yield _sealed_packed(body) if packed else sealed(body)


def sealed(body: bytes | bytearray) -> bytes:
    """Return a file's bytes but the CRC, with its length and CRC repaired."""
    body = bytearray(body.ljust(10, b"\0"))
    body[6:10] = struct.pack("<I", len(body) + 4)
    return bytes(body) + struct.pack("<I", zlib.crc32(body))


def _sealed_packed(body: bytearray) -> bytes:
    return bytes(body) + crc16(bytes(body)).to_bytes(2, "big")


def on_host(blob: bytes) -> str:
    """Return what the host's evaluator makes of a file."""
    try:
        model = HostModel.tested(unpack(blob) if blob[:4] == PACKED else blob)
        decisions = model.decide(rows_of(model)).columns().ravel().tolist()
    except ModelError:
        return REFUSED
    except Exception as error:
        return f"raised {type(error).__name__} {error}"
    total = 0
    for value in decisions:
        total = (total * 31 + value + 1) & 0x3FFFFFFF
    return str(total)


def rows_of(model: HostModel) -> np.ndarray:
    """Return the rows that the guest makes, too."""
    rows = np.empty((ROWS, len(model.channels)), dtype=np.int64)
    for r in range(ROWS):
        for i, channel in enumerate(model.channels):
            step = (r * 37 + i * 101) % 103
            span = channel.high - channel.low
            rows[r, i] = (
                channel.high + 1 if step == 101 else MISSING if step == 102 else channel.low + span * step // 100
            )
    return rows & 255 if model.content.family_name == "stream" else rows


def compare(run: Callable[[Sequence[bytes], Path], list[str]], blobs: Sequence[bytes], folder: Path) -> Verdict:
    """Hold what a VM makes of files against the host.

    Args:
        run: on_unix, or on_wasi.
        folder: holds the library in lib/.
    """
    verdict = Verdict()
    for blob, said in zip(blobs, run(blobs, folder), strict=True):
        verdict.mutants += 1
        expected = on_host(blob)
        if said == expected:
            verdict.refused += said == REFUSED
        elif expected == REFUSED and said.isdigit():
            verdict.host_refused += 1
        else:
            verdict.wrong.append((blob, said, expected))
    return verdict


def on_unix(blobs: Sequence[bytes], folder: Path) -> list[str]:
    """Return what the unix VM, with viper, makes of each file: in one process, and after a crash in another."""
    said: list[str] = []
    (folder / "guest.py").write_text(GUEST.format(rows=ROWS))
    while len(said) < len(blobs):
        batch = blobs[len(said) : len(said) + BATCH]
        _put(batch, folder)
        try:
            said += run_unix(folder, "guest.py", heap="8m", timeout_s=BATCH_SECONDS).stdout.splitlines()
        except VmError as error:
            lines = error.stdout.splitlines()
            said += [*lines, f"ended the VM: {str(error).splitlines()[0]}"]
    return said


def on_wasi(blobs: Sequence[bytes], folder: Path) -> list[str]:
    """Return what the 32-bit VM makes of each file; its heap is never collected, so few at a time."""
    said: list[str] = []
    (folder / "guest.py").write_text(GUEST.format(rows=ROWS))
    for first in range(0, len(blobs), WASI_BATCH):
        _put(blobs[first : first + WASI_BATCH], folder)
        said += run_wasi(folder, "guest.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY).stdout.splitlines()
    return said


def _put(blobs: Sequence[bytes], folder: Path) -> None:
    (folder / "mutants.bin").write_bytes(b"".join(struct.pack("<I", len(blob)) + blob for blob in blobs))


def with_library(folder: Path) -> Path:
    """Return a folder into which the library was copied as lib/."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(dibble.__path__[0], folder / "lib" / "dibble", ignore=ignored)
    return folder
