"""Downlinks that get lost: a node of class A, which hears one after each uplink, and the pieces that reach it."""

import base64
import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from dibble.update.kept import identity_of
from dibble.update.lorawan import PORT, Downlinks
from dibble.update.reading import ReadParcel, Stream
from dibble_tools.common.errors import InputError
from dibble_tools.node.signatures import sign
from dibble_tools.radio.lorawan import (
    DOWNLINK_BYTES,
    PIECE_BYTES,
    Answer,
    chirpstack,
    downlinks,
    sum_of,
    things_stack,
)
from dibble_tools.radio.parcel import Parcel, parcel_of
from node_helpers import forest_model

LOSS = 0.2
MOST_DOWNLINKS = 20
KEY = bytes(32)


def content_of(size: int, seed: int = 1) -> bytes:
    """Return bytes that packing makes no shorter: the worst that a model can be."""
    return random.Random(seed).randbytes(size)


def parcel_of_bytes(size: int, key: bytes | None = None) -> Parcel:
    content = content_of(size)
    return Parcel("model", content, (sign(key, "model.dib", 5, content) if key else b"") + content, PIECE_BYTES)


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A node's part in it, with its files in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return SimpleNamespace(
        port=SimpleNamespace(feed_watchdog=lambda: None), classifier=None, gate=None, config_text=b"{}", notes=[]
    )


def received() -> bytes:
    parcel = ReadParcel()
    stream = Stream(parcel, lambda: None)
    data = b"".join(iter(lambda: stream.read(30), b""))
    parcel.close()
    return data


def exchange(node: SimpleNamespace, parcel: Parcel, chance: random.Random) -> int:
    """Return how many downlinks it takes, one after each uplink, each of both lost by chance."""
    ear = Downlinks(node)
    answer = Answer.of(ear.answer())
    sums = itertools.count()
    unheard: list[bytes] = []
    for sent in itertools.count(1):
        if chance.random() >= LOSS:
            answer = Answer.of(ear.answer())
            unheard = []
        wanted = [each for each in downlinks(parcel, 0, answer) if each not in unheard]
        payload = wanted[0] if wanted else sum_of(parcel, next(sums))
        unheard.append(payload)
        assert len(payload) <= DOWNLINK_BYTES
        if chance.random() >= LOSS:
            ear.take(payload)
        if ear.complete:
            return sent
    raise AssertionError


def test_a_signed_model_of_606_bytes_in_at_most_20_downlinks(node, tmp_path):
    """A forest of that size packs to some 410 bytes; what doesn't pack, signed, takes 15 that arrive: 19 on average.

    tests/benchmarks/lorawan_downlinks.py counts how often 20 are enough, and how often they could be.
    """
    blob = forest_model(33, 1)
    assert 600 <= len(blob) <= 606
    parcel = parcel_of("model", blob, KEY, piece_bytes=PIECE_BYTES)
    taken = []
    for seed in range(60):
        for path in tmp_path.iterdir():
            path.unlink()
        taken.append(exchange(node, parcel, random.Random(seed)))
        assert received() == parcel.stream
    assert max(taken) <= MOST_DOWNLINKS and min(taken) == parcel.count + 1, sorted(taken)


def test_a_queue_filled_at_once_serves_whatever_is_lost(node):
    """No uplink in between: the sums stand for what is missing."""
    parcel = parcel_of_bytes(500)
    queue = list(downlinks(parcel, 12))
    ear = Downlinks(node)
    ear.take(queue[0])
    kept = [each for i, each in enumerate(queue[1:]) if i % 5 != 2]  # a fifth is lost, of pieces and of sums
    random.Random(6).shuffle(kept)
    assert len(kept) < len(queue) - 4
    for payload in kept:
        ear.take(payload)
    assert ear.complete and received() == parcel.stream


@pytest.mark.parametrize("seed", range(8))
def test_sums_alone_bring_all_with_few_more_than_pieces(node, seed):
    parcel = parcel_of_bytes(130 + 90 * seed)
    ear = Downlinks(node)
    ear.take(next(downlinks(parcel)))
    places = itertools.count(100 * seed)
    taken = 0
    while not ear.complete:
        before = Answer.of(ear.answer()).needed
        assert ear.take(sum_of(parcel, next(places)))
        taken += 1
        assert ear.complete or before - Answer.of(ear.answer()).needed in (0, 1)
    assert received() == parcel.stream and taken <= parcel.count + 8


def test_an_answer_says_what_is_missing(node):
    parcel = parcel_of_bytes(500)
    ear = Downlinks(node)
    assert Answer.of(ear.answer()) == Answer("unknown", "00000000", 0, ())
    offer, *pieces = downlinks(parcel)
    assert not ear.take(pieces[0])  # of what, nobody said
    assert ear.take(offer) and ear.take(pieces[3]) and ear.take(pieces[10])
    assert Answer.of(ear.answer()) == Answer("receiving", parcel.told_crc, 9, (0, 1, 2, 4, 5, 6, 7, 8, 9))
    assert list(downlinks(parcel, 0, Answer.of(ear.answer()))) == [pieces[i] for i in (0, 1, 2, 4, 5, 6, 7, 8, 9)]
    again = Downlinks(node)  # after a power cut
    assert again.answer() == ear.answer()


def test_what_is_damaged_or_anothers_is_not_taken(node):
    parcel, other = parcel_of_bytes(300), parcel_of_bytes(301)
    ear = Downlinks(node)
    offer, *pieces = downlinks(parcel, 1)
    assert ear.take(offer)
    for payload in (b"", b"\0", pieces[0][:-1], *(list(downlinks(other, 1))[1:]), offer[:-1]):
        assert not ear.take(payload)
    for payload in pieces:
        for at in range(0, len(payload), 17):
            wrong = bytearray(payload)
            wrong[at] ^= 16
            assert not ear.take(bytes(wrong))
    assert Answer.of(ear.answer()).missing == tuple(range(parcel.count))


def test_queues_of_the_things_stack_and_of_chirpstack():
    payloads = list(downlinks(parcel_of_bytes(60)))
    queue = json.loads(things_stack(payloads))["downlinks"]
    assert [(each["f_port"], base64.b64decode(each["frm_payload"])) for each in queue] == [(PORT, p) for p in payloads]
    commands = [json.loads(text) for text in chirpstack(payloads, "0102030405060708")]
    assert [(each["devEui"], each["fPort"], base64.b64decode(each["data"])) for each in commands] == [
        ("0102030405060708", PORT, payload) for payload in payloads
    ]


def test_what_is_too_large_for_lorawan_is_told():
    def said(parcel: Parcel) -> Iterator[bytes]:
        return downlinks(parcel)

    for parcel in (parcel_of_bytes(13_000), parcel_of("model", b"1" * 99)):
        with pytest.raises(InputError, match="expected at most 255 pieces of at most 47 bytes"):
            next(said(parcel))


def test_a_node_that_runs_what_is_offered_says_so(node, monkeypatch):
    parcel = parcel_of_bytes(100)
    node.classifier = SimpleNamespace(identity=parcel.identity)
    assert identity_of(node, 0) == parcel.identity
    ear = Downlinks(node)
    assert ear.take(next(downlinks(parcel)))
    assert Answer.of(ear.answer()).state == "confirmed"
