"""Huffman-code a model file for a slow radio.

models/PACKED.md specifies the bytes; firmware's storage/unpack.py reads them.

A model file is a row of small tables, each with byte values of its own: so it is cut into parts,
and each part has its own code, of the bytes or of their differences. What a code itself takes counts
as much as what it saves, so runs of neighbouring byte values share a length.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from dibble import ModelError
from dibble.storage.unpack import CODED, FIRST_LENGTH, LONGEST_CODE, MAGIC, STORED
from dibble.storage.unpack import unpack as unpack_to

from host_tools.errors import InputError
from host_tools.files import write_atomically
from host_tools.host_model import MODEL_FILE, HostModel

PACKED_SUFFIX = ".dibz"
BYTES_MAX = 1 << 24
BACKS = (0, 1, 2, 4)  # parts of bytes as they are, and of differences to 1, 2, 4 bytes before
BLOCKS = 64  # that a file is cut into at first
BLOCK_MIN = 12
WEIGHT = 1 << 12
_TOLD_BITS = 3  # about what a change of length takes


@dataclass(frozen=True)
class Packed:
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


def pack_model(model: Path, out: Path | None = None, force: bool = False) -> Packed:
    """Pack a model file, checked first, to `out` or beside it; raise InputError."""
    opened = HostModel.open(model)
    source = model / MODEL_FILE if model.is_dir() else model
    target = out or source.with_suffix(PACKED_SUFFIX)
    data = pack(opened.blob)
    _write(target, data, force)
    return Packed(target, len(opened.blob), len(data))


def unpack_model(packed: Path, out: Path | None = None, force: bool = False) -> Packed:
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
    return Packed(target, len(blob), len(data))


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


def crc16(data: bytes) -> int:
    """Return the CRC-16 of polynomial 0x1021 from 0xFFFF, bit by bit."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


class Bits:
    """Bits in order, the highest of each byte first."""

    def __init__(self) -> None:
        self.text: list[str] = []

    def code(self, value: int, length: int) -> None:
        """Append `length` bits."""
        self.text.append(f"{value:0{length}b}")

    def number(self, value: int) -> None:
        """Append the Elias gamma code of value >= 1."""
        self.code(value, gamma_bits(value))

    def to_bytes(self) -> bytes:
        """Return the bits, and zeros up to a whole byte."""
        text = "".join(self.text)
        text += "0" * (-len(text) % 8)
        return int("1" + text, 2).to_bytes(len(text) // 8 + 1, "big")[1:]


def gamma_bits(value: int) -> int:
    """Return the bits of a number's Elias gamma code."""
    return 2 * value.bit_length() - 1


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
        found = []
        for back, values in self.values.items():
            bits, _ = share_lengths(np.bincount(values[first:end], minlength=256))
            found.append((bits + gamma_bits(end - first) + gamma_bits(back + 1), back))
        return min(found)

    def split(self) -> list[tuple[int, int]]:
        """Return (first, end) of each part: many blocks, merged while that saves, their borders then moved."""
        step = max(BLOCK_MIN, self.size // BLOCKS)
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


def share_lengths(counts: np.ndarray) -> tuple[float, np.ndarray]:
    """Find runs of byte values that had better share a length.

    Returns:
        (about the bits of code and data, weight of each value: its run's mean count)
    """
    total = int(counts.sum())
    # A run begins and ends only at a value that occurs or behind one.
    used = np.flatnonzero(counts)
    ends = np.union1d(used, used + 1)
    ends = np.union1d([0], ends)
    below = np.concatenate([[0], np.cumsum(counts)])[ends]
    inside = (below[None, :] - below[:, None]).astype(float)
    values = np.maximum(ends[None, :] - ends[:, None], 1)
    gamma = 2 * np.floor(np.log2(values)) + 1
    data = inside * np.log2(np.maximum(total * values / np.maximum(inside, 1), 1)) + _TOLD_BITS
    cost = np.where(inside > 0, data, 1) + gamma
    bits = np.zeros(len(ends))
    start = np.zeros(len(ends), int)
    for end in range(1, len(ends)):
        sums = bits[:end] + cost[:end, end]
        start[end] = sums.argmin()
        bits[end] = sums[start[end]]
    weights = np.zeros(256, int)
    end = len(ends) - 1
    while end:
        first = start[end]
        weights[ends[first] : ends[end]] = inside[first, end] * WEIGHT // values[first, end]
        end = first
    return float(bits[-1]), weights


def best_lengths(counts: np.ndarray) -> list[int]:
    """Return the code lengths, 0 for a value without code, that make code and data smallest."""
    _, weights = share_lengths(counts)
    candidates = [code_lengths(weights), code_lengths(counts), [8] * 256]
    return min(candidates, key=lambda lengths: table_bits(lengths) + int(counts @ np.array(lengths)))


def table_bits(lengths: Sequence[int]) -> int:
    """Return the bits that a code itself takes."""
    return sum(gamma_bits(number) for number in length_numbers(lengths))


def code_lengths(weights: Sequence[int] | np.ndarray, longest: int = LONGEST_CODE) -> list[int]:
    """Return the optimal code lengths of at most `longest` bits; a single value gets a sibling.

    Among equal weights the smaller values get the shorter codes, so that runs stay runs.
    Source: Larmore and Hirschberg, "A fast algorithm for optimal length-limited Huffman codes" (1990).
    """
    coins = [(int(weight), -value, (value,)) for value, weight in enumerate(weights) if weight]
    if len(coins) == 1:
        coins.append((0, 0, ((coins[0][2][0] + 1) % 256,)))
    coins.sort()
    row = coins
    for _ in range(longest - 1):
        pairs = zip(row[0::2], row[1::2], strict=False)
        packages = [(a[0] + b[0], 1, a[2] + b[2]) for a, b in pairs]
        row = list(heapq.merge(coins, packages))
    lengths = [0] * 256
    for _, _, values in row[: 2 * len(coins) - 2]:
        for value in values:
            lengths[value] += 1
    return lengths


def canonical(lengths: Sequence[int]) -> list[int]:
    """Return the codes: shorter ones first, by value among equals."""
    codes = [0] * len(lengths)
    code = 0
    for length in range(1, LONGEST_CODE + 1):
        code <<= 1
        for value, own in enumerate(lengths):
            if own == length:
                codes[value] = code
                code += 1
    return codes


def length_numbers(lengths: Sequence[int]) -> list[int]:
    """Return what the file holds of the lengths: see PACKED.md, "Code"."""
    end = max(value for value, length in enumerate(lengths) if length) + 1
    value = next(value for value, length in enumerate(lengths) if length)
    numbers = [value + 1]
    before = FIRST_LENGTH
    while value < end:
        length = lengths[value]
        run = next((i for i in range(value, end) if lengths[i] != length), end) - value
        change = length - before if length else 0
        numbers += [run, 2 * abs(change) + (change < 0) if change else 1]
        before = length or before
        value += run
    return numbers
