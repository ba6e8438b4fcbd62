"""Board descriptions and limits."""

import pytest

from host_tools.boards import board_names, limits_of, read_board
from host_tools.durations import parse_seconds
from host_tools.errors import InputError
from host_tools.limits import Estimate, Limits


@pytest.mark.parametrize("name", board_names())
def test_every_board_is_whole(name: str) -> None:
    assert set(read_board(name)) == {"model_bytes", "heap_bytes", "predict_us", "us_per_instruction"}


def test_an_unknown_board_is_named_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"--board: expected a board, got 'pikoo'; there are: .*pico"):
        limits_of("pikoo", max_bytes=100)


def test_the_tighter_limit_counts() -> None:
    has = read_board("pico")
    limits = limits_of("pico", max_bytes=100, max_heap=10**9, max_us=50)
    assert (limits.max_bytes, limits.max_heap, limits.max_us) == (100, has["heap_bytes"], 50)


def test_microseconds_need_a_board() -> None:
    with pytest.raises(InputError, match="--max-us: expected --board too"):
        limits_of(None, max_bytes=100, max_us=5)


def test_limits_hold_up_to_the_limit() -> None:
    limits = Limits(max_bytes=100, max_heap=2000, max_us=10, us_per_instruction=0.01)
    assert limits.hold(100, Estimate(1000, 2000))
    assert not limits.hold(101, Estimate(1000, 2000))
    assert not limits.hold(100, Estimate(1001, 2000))
    assert not limits.hold(100, Estimate(1000, 2001))


@pytest.mark.parametrize(("text", "seconds"), [("60s", 60), ("1.5m", 90), ("2h", 7200), ("90", 90)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_seconds(text, "--budget") == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5s", "0s", "1e3", "5d", "200h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--budget: expected a time from 1s to 168h"):
        parse_seconds(text, "--budget")
