"""Code lengths against independent optima."""

import heapq

import numpy as np
from dibble_tools.model.huffman import Bits, canonical, code_lengths, gamma_bits, share_lengths
from hypothesis import given
from hypothesis import strategies as st


def huffman_cost(weights: list[int]) -> int:
    """Return the total length of an optimal code: each merge lengthens all below it by one."""
    heap = [weight for weight in weights if weight]
    heapq.heapify(heap)
    cost = 0
    while len(heap) > 1:
        both = heapq.heappop(heap) + heapq.heappop(heap)
        cost += both
        heapq.heappush(heap, both)
    return cost


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=60).filter(lambda w: sum(map(bool, w)) > 1))
def test_lengths_are_optimal_and_complete(weights: list[int]) -> None:
    lengths = code_lengths(weights, longest=40)
    assert sum(w * n for w, n in zip(weights, lengths, strict=False)) == huffman_cost(weights)
    assert sum(2 ** (40 - n) for n in lengths if n) == 2**40


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=6), st.integers(3, 5))
def test_limited_lengths_are_optimal(weights: list[int], longest: int) -> None:
    best = {(2**longest, 0): 0}  # room left, weights placed -> cost
    for place, weight in enumerate(weights):
        for (room, at), cost in list(best.items()):
            if at == place:
                for n in range(1, longest + 1):
                    key = room - 2 ** (longest - n), place + 1
                    if key[0] >= 0:
                        best[key] = min(best.get(key, 10**9), cost + n * weight)
    expected = min(cost for (_, at), cost in best.items() if at == len(weights))
    lengths = code_lengths(weights, longest)
    assert sum(w * n for w, n in zip(weights, lengths, strict=False)) == expected
    assert max(lengths) <= longest


def test_canonical_codes_are_the_published_ones() -> None:
    # RFC 1951, 3.2.2: A..H of 3, 3, 3, 3, 3, 2, 4, 4 bits.
    assert canonical([3, 3, 3, 3, 3, 2, 4, 4]) == [0b010, 0b011, 0b100, 0b101, 0b110, 0b00, 0b1110, 0b1111]


def test_numbers_are_elias_gamma() -> None:
    bits = Bits()
    for number in (1, 2, 5):
        bits.number(number)
    assert bits.to_bytes() == bytes([0b1_010_0010, 0b10000000])
    assert [gamma_bits(n) for n in (1, 2, 3, 4, 255, 256)] == [1, 3, 3, 5, 15, 17]


def test_neighbours_of_similar_counts_share_a_length() -> None:
    counts = np.zeros(256, int)
    counts[10:20] = [9, 10, 11, 9, 10, 10, 9, 11, 10, 11]
    counts[200] = 100
    _, weights = share_lengths(counts)
    assert len(set(weights[10:20])) == 1
    assert set(np.flatnonzero(weights)) == {*range(10, 20), 200}
