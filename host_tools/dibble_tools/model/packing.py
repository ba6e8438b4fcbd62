"""Huffman-code a model file for a slow radio.

models/PACKED.md specifies the bytes; firmware's storage/unpack.py reads them.

A model file is a row of small tables, each with byte values of its own: so it is cut into parts,
and each part has its own code, of the bytes or of their differences.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from dibble import ModelError
from dibble.storage.unpack import CODED, MAGIC, STORED
from dibble.storage.unpack import unpack as unpack_to

from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_atomically
from dibble_tools.model.host_model import MODEL_FILE, HostModel
from dibble_tools.model.huffman import Bits, best_lengths, canonical, gamma_bits, length_numbers, share_lengths

PACKED_SUFFIX = ".dibz"
BYTES_MAX = 1 << 24
BACKS = (0, 1, 2, 4)  # parts of bytes as they are, and of differences to 1, 2, 4 bytes before
BLOCKS = 64  # that a file is cut into at first
BLOCK_MIN = 12
PART_MAX = (1 << 16) - 1


@dataclass(frozen=True)
class PackedModel:
    """What packing or unpacking a file did."""

    path: Path
    bytes: int
    packed_bytes: int

    @property
    def ratio(self) -> float:
        """Packed size as a share of the model's."""
        return self.packed_bytes / self.bytes

    @property
    def summary(self) -> str:
        """One line for people."""
        return f"{self.path}: model of {self.bytes:,} bytes, packed {self.packed_bytes:,} ({self.ratio:.0%})"


def pack_model(model: Path, out: Path | None = None, force: bool = False) -> PackedModel:
    """Pack a model file, checked first, to `out` or beside it; raise InputError."""
    opened = HostModel.open(model)
    source = model / MODEL_FILE if model.is_dir() else model
    target = out or source.with_suffix(PACKED_SUFFIX)
    data = pack(opened.blob)
    _write(target, data, force)
    return PackedModel(target, len(opened.blob), len(data))


def unpack_model(packed: Path, out: Path | None = None, force: bool = False) -> PackedModel:
    """Unpack a file of pack_model() and check the model; raise InputError."""
    try:
        data = packed.read_bytes()
    except OSError as error:
        raise InputError(f"{packed}: expected a packed model: {error.strerror or error}") from None
    try:
        blob = unpack(data)
        HostModel(blob)
    except ModelError as error:
        raise InputError(f"{packed}: {error}") from None
    target = out or packed.with_suffix(Path(MODEL_FILE).suffix)
    _write(target, blob, force)
    return PackedModel(target, len(blob), len(data))


def _write(path: Path, data: bytes, force: bool) -> None:
    if path.exists() and not force:
        raise InputError(f"{path}: expected no such file, found one: name another with -o, or give --force")
    write_atomically(path, data)


def unpack(packed: bytes) -> bytes:
    """Return the model's bytes, by the node's own decoder; raise ModelError."""
    parts: list[bytes] = []
    unpack_to(packed, parts.append)
    return b"".join(parts)


def pack(blob: bytes) -> bytes:
    """Return the packed bytes: at most 10 more than the model's."""
    if len(blob) >= BYTES_MAX:
        raise InputError(f"expected a model of less than {BYTES_MAX:,} bytes to pack, got {len(blob):,}")
    form, body = STORED, blob
    if blob:
        bits = Bits()
        _write_parts(bits, blob)
        coded = bits.to_bytes()
        if len(coded) < len(blob):
            form, body = CODED, coded
    data = MAGIC + bytes([form]) + len(blob).to_bytes(3, "little") + body
    return data + crc16(data).to_bytes(2, "big")


def crc16(data: bytes, crc: int = 0xFFFF) -> int:
    """Return the CRC-16 of polynomial 0x1021, bit by bit; `crc` is that of what comes before the data."""
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def _write_parts(bits: Bits, blob: bytes) -> None:
    parts = Parts(blob)
    for first, end in parts.split():
        back = parts.best(first, end)[1]
        values = parts.values[back][first:end]
        lengths = best_lengths(np.bincount(values, minlength=256))
        codes = canonical(lengths)
        bits.number(end - first)
        bits.number(back + 1)
        for number in length_numbers(lengths):
            bits.number(number)
        for value in values:
            bits.code(codes[value], lengths[value])


class Parts:
    """Where to cut a file."""

    def __init__(self, blob: bytes) -> None:
        data = np.frombuffer(blob, np.uint8)
        self.values = {}
        for back in BACKS:
            before = np.zeros_like(data)
            if back:
                before[back:] = data[:-back] if back < len(data) else 0
            self.values[back] = data - before
        self.size = len(data)
        self.best: Callable[[int, int], tuple[float, int]] = lru_cache(maxsize=None)(self._best)

    def _best(self, first: int, end: int) -> tuple[float, int]:
        """Return (about the bits of this part, the difference's distance that makes them fewest)."""
        if end - first > PART_MAX:
            return math.inf, 0
        found = []
        for back, values in self.values.items():
            bits, _ = share_lengths(np.bincount(values[first:end], minlength=256))
            found.append((bits + gamma_bits(end - first) + gamma_bits(back + 1), back))
        return min(found)

    def split(self) -> list[tuple[int, int]]:
        """Return (first, end) of each part: many blocks, merged while that saves, their borders then moved."""
        step = min(max(BLOCK_MIN, self.size // BLOCKS), PART_MAX // 2)
        cuts = [*range(0, max(self.size - BLOCK_MIN, 1), step), self.size]
        self._merge(cuts)
        while step := step // 2:
            for k in range(1, len(cuts) - 1):
                self._move(cuts, k, step)
        self._merge(cuts)
        return list(pairwise(cuts))

    def _merge(self, cuts: list[int]) -> None:
        while len(cuts) > 2:
            saved, k = max((self._saved(*cuts[k - 1 : k + 2]), k) for k in range(1, len(cuts) - 1))
            if saved <= 0:
                break
            del cuts[k]

    def _saved(self, first: int, middle: int, end: int) -> float:
        return self.best(first, middle)[0] + self.best(middle, end)[0] - self.best(first, end)[0]

    def _move(self, cuts: list[int], k: int, step: int) -> None:
        first, end = cuts[k - 1], cuts[k + 1]
        places = [cut for cut in (cuts[k], cuts[k] - step, cuts[k] + step) if first < cut < end]
        cuts[k] = min(places, key=lambda cut: self.best(first, cut)[0] + self.best(cut, end)[0])
