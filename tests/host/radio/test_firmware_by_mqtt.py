"""The firmware's own files by way of a real broker to a real node with a key: taken, tried, kept, or taken back."""

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.node.signatures import sign
from dibble_tools.radio.firmware import archive_of
from dibble_tools.radio.parcel import parcel_of
from radio_bench import KEY, states
from radio_firmware import HANGS, MPY, broken, firmware_on, firmware_parcel, kept_apart


def test_firmware_that_hangs_while_it_is_imported_gives_way(keyed, collector, tmp_path):
    """Before the node's own watchdog runs."""
    before = firmware_on(keyed, tmp_path / "before")
    parcel = firmware_parcel(broken(before, "lib/dibble/__init__.mpy", HANGS))
    keyed.offer(parcel)
    lives = keyed.settle(collector, parcel)
    assert lives.count("watchdog") == 3, lives
    assert states(collector)[-1].startswith("rolled back"), states(collector)
    assert firmware_on(keyed, tmp_path / "after") == before


@pytest.mark.parametrize("part", ["lib/dibble/__init__.mpy", "lib/dibble/config.mpy", "lib/dibble/radio.mpy"])
def test_firmware_that_is_no_good_gives_way(keyed, collector, tmp_path, part):
    """It can't be imported; or it can, and ends each start; or it runs, and never reports."""
    before = firmware_on(keyed, tmp_path / "before")
    parcel = firmware_parcel(broken(before, part))
    keyed.offer(parcel)
    keyed.settle(collector, parcel)
    why = "it never came to a good minute and a report"
    assert states(collector)[-1] == f"rolled back {parcel.count} of {parcel.count}: {why}"
    assert firmware_on(keyed, tmp_path / "after") == before
    assert kept_apart(tmp_path / "after") == []
    assert keyed.runs() == "dry below 400"


def test_what_is_no_firmware_for_this_node_is_refused(keyed, collector, tmp_path):
    before = firmware_on(keyed, tmp_path / "before")
    files = {"main.py": b"# none\n"}
    other = archive_of(files, MPY + 1)
    for parcel, why in (
        (firmware_parcel(files, key=bytes(32)), "expected firmware as it was signed with the node's key, got another"),
        (firmware_parcel(files, archive=other, counter=30), f"expected firmware for mpy {MPY}, got it for {MPY + 1}"),
        (firmware_parcel(files, counter=29), "expected a counter of at least 30, got 29: an older file"),
    ):
        collector.messages.clear()
        keyed.offer(parcel)
        keyed.settle(collector, parcel)
        assert states(collector)[-1].startswith("refused") and why in states(collector)[-1]
    assert firmware_on(keyed, tmp_path / "after") == before


def test_a_node_without_a_key_takes_none(bench, collector):
    """Whoever can publish to the broker would own it; not a piece is asked for."""
    parcel = firmware_parcel({"main.py": b"# none\n"})
    bench.offer(parcel)
    assert bench.settle(collector, parcel) == ["stop"]
    why = "expected MicroPython and a key, without which no firmware comes by radio"
    assert states(collector) == [f"refused 0 of {parcel.count}: {why}"]
    with pytest.raises(InputError, match="expected the node's key"):
        parcel_of("firmware", parcel.content)


def test_a_signature_of_another_kind_is_none_of_firmware(keyed, collector):
    parcel = firmware_parcel({"main.py": b"# none\n"})
    other = type(parcel)("firmware", parcel.content, sign(KEY, "model.dib", 30, parcel.content) + parcel.content, 4000)
    keyed.offer(other)
    assert keyed.settle(collector, other)[-1] == "stop"
    assert "expected a signature of firmware, got another's" in states(collector)[-1]
