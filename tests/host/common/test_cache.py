"""What is kept in the user's cache folder: made once, and anew wherever what is kept doesn't hold."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dibble_tools.common.cache import MOST, kept

FILES = {"lib/a.mpy": bytes(range(256)) * 20, "empty": b""}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "dibble" / "some"


def never():
    raise AssertionError("expected what is kept, got asked to make it")


def entry(folder: Path) -> Path:
    (path,) = folder.glob("*")
    return path


def test_what_was_made_of_a_key_is_made_once(folder):
    assert kept("some", ["a", b"b"], lambda: FILES) == FILES
    assert kept("some", ["a", b"b"], never) == FILES


@pytest.mark.parametrize("key", [["ab"], ["a", "b", ""], ["b", "a"], []])
def test_each_part_of_a_key_counts(folder, key):
    kept("some", ["a", "b"], lambda: FILES)
    assert kept("some", key, lambda: {"other": b"1"}) == {"other": b"1"}


def test_no_byte_of_an_entry_can_be_another(folder):
    kept("some", ["a"], lambda: FILES)
    path = entry(folder)
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert kept("some", ["a"], lambda: {"new": b"1"}) == {"new": b"1"}


def test_no_entry_that_is_cut_short_is_taken(folder):
    kept("some", ["a"], lambda: FILES)
    path = entry(folder)
    whole = path.read_bytes()
    for size in (0, 1, 31, 32, 33, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert kept("some", ["a"], lambda: FILES) == FILES
        assert kept("some", ["a"], never) == FILES


def test_where_nothing_can_be_kept_it_is_made_each_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    made = iter([FILES, {}])
    assert [kept("some", ["a"], lambda: next(made)) for _ in range(2)] == [FILES, {}]


def test_many_at_once_all_get_what_is_whole(folder):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: kept("some", [str(number % 3)], lambda: FILES), range(60)))
    assert found == [FILES] * 60
    assert len(list(folder.iterdir())) == 3


def test_what_was_of_no_use_for_longest_goes(folder):
    kept("some", ["first"], lambda: FILES)
    os.utime(entry(folder), (1, 1))
    for number in range(MOST):
        kept("some", [str(number)], lambda: {})
    assert len(list(folder.iterdir())) == MOST
    assert kept("some", ["first"], lambda: {"anew": b""}) == {"anew": b""}
