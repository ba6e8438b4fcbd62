"""The board's feature windows against exact fractions, and against the bounds the exporter relies on."""

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from dibble.inference.features import ABOVE, DELTA, EMA, KINDS, LAST, MAX, MEAN, MIN, SLOPE, ema_shift
from dibble.inference.features import feature_limit as limit_of
from dibble.inference.features import window_limit as proven_limit
from dibble.inference.fixed_point import READING_LIMIT
from dibble.inference.kernels.features_bytecode import Windows
from dibble_tools.data.feature_spec import run_windows
from hypothesis import given, settings
from hypothesis import strategies as st

ALL_KINDS = range(len(KINDS))


def half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def fitted_rise(window: list[int]) -> Fraction:
    """Return the least-squares line's rise from the first position to the last, by its normal equations."""
    n = len(window)
    mean_x, mean_y = Fraction(n - 1, 2), Fraction(sum(window), n)
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in enumerate(window))
    return covariance / sum((x - mean_x) ** 2 for x in range(n)) * (n - 1)


def expected(kind: int, size: int, span: int, since_start: list[int]) -> int:
    """Return the feature's value after readings since the last start, gap or fault."""
    if kind in (EMA, ABOVE):
        shift = ema_shift(size)
        scaled = since_start[0] * 2**shift
        for offset in since_start[1:]:
            scaled += offset - scaled // 2**shift
        ema = scaled // 2**shift
        return ema if kind == EMA else since_start[-1] - ema + span
    window = ([since_start[0]] * size + since_start)[-size:]
    return {
        LAST: window[-1],
        MEAN: half_up(Fraction(sum(window), size)),
        MIN: min(window),
        MAX: max(window),
        DELTA: window[-1] - window[0] + span,
        SLOPE: half_up(fitted_rise(window)) + 2 * span if kind == SLOPE else 0,
    }[kind]


def check(kind: int, size: int, span: int, series: list[int], gap: list[bool]) -> None:
    windows = Windows([(0, kind, size)], [span], 1000)
    got = run_windows(windows, np.array(series).reshape(-1, 1), np.array(gap))[:, 0]
    since_start: list[int] = []
    for i, (offset, is_gap) in enumerate(zip(series, gap, strict=True)):
        if is_gap or offset < 0:
            since_start = []
        if offset >= 0:
            since_start.append(offset)
            assert got[i] == expected(kind, size, span, since_start), (KINDS[kind], size, span, series[: i + 1])


@pytest.mark.parametrize("kind", ALL_KINDS, ids=KINDS)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_window_equals_its_definition(kind: int, data: st.DataObject) -> None:
    size = 1 if kind == LAST else data.draw(st.integers(2, 40))
    span = data.draw(st.integers(1, 100_000))
    offset = st.one_of(st.sampled_from([-1, 0, span]), st.integers(0, span))
    series = data.draw(st.lists(offset, min_size=1, max_size=80))
    gap = data.draw(st.lists(st.booleans(), min_size=len(series), max_size=len(series)))
    check(kind, size, span, series, gap)


@pytest.mark.parametrize("kind", ALL_KINDS, ids=KINDS)
def test_window_of_255_equals_its_definition(kind: int) -> None:
    rng = np.random.default_rng(kind)
    series = rng.integers(0, 40, 600)
    series[rng.random(600) < 0.003] = -1
    check(kind, 1 if kind == LAST else 255, 40, series.tolist(), (rng.random(600) < 0.003).tolist())


def tie_series(size: int) -> Iterator[list[int]]:
    yield from ([*([0] * (size - 1)), y] for y in range(12))
    yield from ([*([11] * (size - 1)), 11 - y] for y in range(12))


@pytest.mark.parametrize("size", [2, 4, 8, 10])
def test_ties_round_toward_plus_infinity(size: int) -> None:
    ties = 0
    for series in tie_series(size):
        for kind in (MEAN, SLOPE):
            check(kind, size, 11, series, [False] * size)
        ties += (fitted_rise(series) * 2).denominator == 1 and fitted_rise(series).denominator == 2
        ties += (Fraction(sum(series), size) * 2).denominator == 1 and sum(series) % size != 0
    assert ties


def test_windows_of_several_channels_restart_apart() -> None:
    windows = Windows([(1, MEAN, 4), (0, MEAN, 4)], [99, 99], 1000)
    rows = np.array([[8, 80], [-1, 40], [0, 40], [0, 0]])
    got = run_windows(windows, rows, np.zeros(4, dtype=bool))
    assert got[:, 0].tolist() == [80, 70, 60, 40]
    assert got[[0, 2, 3], 1].tolist() == [8, 0, 0]


class Watched(int):
    """An int that remembers the largest magnitude of all that is computed from it."""

    largest = 0


def _watch(name: str) -> None:
    def operation(self: Watched, other: int) -> Watched:
        result = Watched(getattr(int, name)(self, other))
        Watched.largest = max(Watched.largest, abs(result))
        return result

    setattr(Watched, name, operation)


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "floordiv", "lshift", "rshift"):
    _watch(f"__{_name}__")


def largest_inside(kind: int, size: int, span: int, series: list[int]) -> int:
    """Return the largest magnitude computed while the series is pushed."""
    Watched.largest = 0
    windows = Windows([(0, kind, size)], [span], 1000)
    for offset in series:
        (value,) = windows.push([Watched(offset)])
        assert 0 <= value <= limit_of(kind, span), (KINDS[kind], size, span, series)
    return Watched.largest


@pytest.mark.parametrize("size", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ALL_KINDS, ids=KINDS)
def test_no_series_of_extremes_exceeds_the_proven_limit(kind: int, size: int) -> None:
    span = 1000
    for series in itertools.product((0, span), repeat=2 * size):
        assert largest_inside(kind, size, span, list(series)) <= max(proven_limit(kind, size, span), span)


@pytest.mark.parametrize("size", [2, 3, 17, 24, 100, 254, 255])
@pytest.mark.parametrize("kind", [kind for kind in ALL_KINDS if kind != LAST], ids=KINDS[1:])
def test_worst_series_stays_a_small_int_at_the_largest_span_allowed(kind: int, size: int) -> None:
    span = next(s for s in _descending_spans() if proven_limit(kind, size, s) <= READING_LIMIT)
    n = size
    for series in (
        [span] * 2 * n,
        [0] * n + [span] * n + [0] * n,
        [span] * n + [0] * n + [span] * n,
        [0] * n + [span] * ((n + 1) // 2),
        [span] * n + [0] * ((n + 1) // 2),
        [0, span] * n,
        np.random.default_rng(size).choice([0, span], 3 * n).tolist(),
    ):
        assert largest_inside(kind, size, span, series) <= proven_limit(kind, size, span) <= READING_LIMIT


def _descending_spans() -> Iterator[int]:
    span = READING_LIMIT
    while span:
        yield span
        span -= max(span // 1000, 1)


@pytest.mark.parametrize(("kind", "size"), [(MEAN, 6), (SLOPE, 6), (SLOPE, 7), (EMA, 24), (DELTA, 6)])
def test_proven_limit_is_no_more_than_a_tenth_too_careful(kind: int, size: int) -> None:
    span = 1000
    series = [span] * size + [0] * (size // 2) + [span] * size + [0] * size + [span] * (size // 2)
    assert largest_inside(kind, size, span, series) * 10 >= proven_limit(kind, size, span) * 9
