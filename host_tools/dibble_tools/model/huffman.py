"""Huffman codes of a few hundred bytes, where what a code itself takes counts as much as what it saves.

So runs of neighbouring byte values share a length. models/PACKED.md, "Code", has the bits.
"""

import heapq
from collections.abc import Sequence

import numpy as np
from dibble.storage.unpack import FIRST_LENGTH, LONGEST_CODE

WEIGHT = 1 << 12
_TOLD_BITS = 3  # about what a change of length takes
_Coin = tuple[int, int, tuple[int, ...]]  # weight, rank among equals, values


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
    coins: list[_Coin] = [(int(weight), -value, (value,)) for value, weight in enumerate(weights) if weight]
    if len(coins) == 1:
        coins.append((0, 0, ((coins[0][2][0] + 1) % 256,)))
    coins.sort()
    row = coins
    for _ in range(longest - 1):
        pairs = zip(row[0::2], row[1::2], strict=False)
        packages: list[_Coin] = [(a[0] + b[0], 1, a[2] + b[2]) for a, b in pairs]
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
    """Return the bytes that tell the lengths in the file: see PACKED.md, "Code"."""
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
