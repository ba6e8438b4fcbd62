"""The host's reader of a node's log, against bytes put together from models/RECORDS.md by struct and zlib."""

from datetime import datetime
from pathlib import Path

import pytest
from dibble.storage.record import encode
from dibble.storage.record_log import RecordLog
from dibble_tools.common.errors import InputError
from dibble_tools.node.record_log import DecisionRecord, read_bytes, read_folder, read_segments
from log_bytes import MODEL, by_hand, payloads, segment


def sequences(data: bytes) -> list[int]:
    return [row.sequence for row in read_bytes(data).rows]


def test_a_segment_by_hand() -> None:
    records = read_bytes(segment(7, payloads(2)))
    assert records.rows == [
        DecisionRecord(7, datetime(2026, 11, 24, 0, 16, 40), 1000, 2, None, 3, 7, 3712, 5, (0,), MODEL),
        DecisionRecord(8, datetime(2026, 11, 24, 0, 16, 41), 1001, 2, None, 3, 7, 3712, 5, (1,), MODEL),
    ]
    assert records.missing == [] and records.damage == []


def test_what_the_node_writes_is_read(tmp_path: Path) -> None:
    log = RecordLog(str(tmp_path / "log"), bytes([1, 2, 3, 4]), 3, segment_bytes=300, segments=5, batch=4)
    for i in range(1, 90):
        log.append(encode(9824, i, 1, 255, 0, i, 0, 0, [i, -i, None]))
    log.flush()
    records = read_folder(tmp_path / "log")
    first = records.rows[0].sequence
    assert [row.sequence for row in records.rows] == list(range(first, 90))
    assert all(row.readings == (row.sequence, -row.sequence, None) for row in records.rows)
    assert (records.missing, records.damage) == ([], [])
    joined = b"".join(path.read_bytes() for path in sorted((tmp_path / "log").iterdir()))
    assert read_bytes(joined).rows == records.rows


def test_every_flipped_bit_costs_its_record_and_is_told() -> None:
    whole = segment(1, payloads(3))
    rows = {row.sequence: row for row in read_bytes(whole).rows}
    for bit in range(8 * len(whole)):
        data = bytearray(whole)
        data[bit >> 3] ^= 1 << (bit & 7)
        records = read_bytes(bytes(data))
        assert len(records.rows) < 3
        assert all(rows[row.sequence] == row for row in records.rows)
        assert records.damage


def test_cut_short_at_every_length_keeps_the_records_before() -> None:
    whole = segment(1, payloads(3))
    size = (len(whole) - 18) // 3
    for end in range(18, len(whole)):
        left, rest = divmod(end - 18, size)
        records = read_bytes(whole[:end])
        assert [row.sequence for row in records.rows] == list(range(1, left + 1))
        assert len(records.damage) == (rest > 0)


def test_missing_numbers_are_told() -> None:
    records = read_bytes(segment(1, payloads(2)) + segment(9, payloads(1)) + segment(12, payloads(1)))
    assert records.missing == [range(3, 9), range(10, 12)]
    assert records.missing_count() == 8


def test_a_damaged_record_is_missing() -> None:
    data = bytearray(segment(1, payloads(3)))
    data[18 + 17 + 4] ^= 1
    records = read_segments([("000001.seg", bytes(data))])
    assert [row.sequence for row in records.rows] == [1, 3]
    assert records.missing == [range(2, 3)]
    assert records.damage == ["000001.seg: 1 of 3 records damaged"]


def test_a_damaged_header_costs_its_segment() -> None:
    good, bad = segment(1, payloads(2)), bytearray(segment(3, payloads(2)))
    bad[5] ^= 1
    records = read_segments([("a", good), ("b", bytes(bad)), ("c", segment(5, payloads(1)))])
    assert [row.sequence for row in records.rows] == [1, 2, 5]
    assert records.damage == ["b: expected the CRC of a segment's header, got another"]


def test_a_later_segment_has_the_say_about_its_numbers() -> None:
    data = segment(1, payloads(5)) + segment(4, [by_hand(2000, 33)])
    rows = read_bytes(data).rows
    assert [(row.sequence, row.second) for row in rows] == [(1, 1000), (2, 1001), (3, 1002), (4, 2000)]


def test_whole_records_of_a_removed_segment_are_not_taken() -> None:
    """FAT may show a segment longer than it was written, with the clusters of another behind it."""
    old, new = segment(1, payloads(4)), segment(5, payloads(2))
    assert sequences(new + old[len(new) :]) == [5, 6]


def test_a_record_of_another_number_of_channels_is_damaged() -> None:
    records = read_bytes(segment(1, [by_hand(1000, 1) + b"\x02"]))
    assert records.rows == []
    assert records.damage == ["byte 0: 1 of 1 records damaged"]


def test_a_clock_that_was_not_set_has_no_date() -> None:
    row = read_bytes(segment(1, [encode(0, 77, 255, 1, 0, 0, 0, 0, [None])[1:]])).rows[0]
    assert (row.when, row.second, row.class_index, row.held_index, row.battery_mv) == (None, 77, None, 1, None)
    assert row.readings == (None,)


def test_bytes_without_a_segment_are_damage() -> None:
    assert read_bytes(b"what is this").damage == ["byte 0: expected a segment's header, got b'what'"]


def test_a_gone_file_is_told(tmp_path: Path) -> None:
    for number in (3, 5):
        (tmp_path / f"{number:06d}.seg").write_bytes(segment(number, payloads(1)))
    (tmp_path / "notes.txt").write_text("mine")
    records = read_folder(tmp_path)
    assert records.damage == ["gone: 000004.seg"]
    assert records.missing == [range(4, 5)]


def test_a_folder_without_segments_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected segments like 000001.seg in .*, found none"):
        read_folder(tmp_path)
