"""A decision as bytes, to the edges of the small ints."""

from dibble import RecordError
from dibble.inference.crc32 import crc32
from dibble.inference.fixed_point import MISSING
from dibble.ports.shared import day_number
from dibble.storage.record import decode, encode
from dibble.storage.segment import HEADER_BYTES, header, names_crc, read_header, record_crc, walk
from dibble.storage.words import crc_bytes, number_at, number_bytes

SMALLEST = (1, 0, 255, 255, 0, 0, 0, 0, [])
SEED = 0x1234, 0x5678


def refused(*arguments):
    try:
        encode(*arguments)
    except RecordError:
        return True
    return False


def framed(records, seed=SEED):
    """Return a segment's bytes, the header left blank."""
    out = bytes(HEADER_BYTES)
    for place in range(len(records)):
        record = records[place]
        out += record + record_crc(record, 0, len(record), seed, place)
    return out


def walked(data, seed=SEED, piece=512):
    return list(walk(lambda at: data[at : at + piece], seed))


def test_layout_of_a_record():
    record = encode(9830, 43205, 2, 1, 3, 300, 3712, 5, [1, -1, 63, 64, None, -8191])
    assert record[:14] == b"\x15\xe6\x4c\xc5\xd1\x02\x03\xac\x02\x80\x1d\x05\x02\x01"
    assert record[14:] == b"\x01\x41\x3f\x80\x01\x40\xff\x7f"


def test_values_come_back():
    most = 0x3FFFFFFF
    edges = [0, 63, 64, -63, -64, 8191, 8192, -8192, 1 << 20, most, -most]
    row = (most, most, 0, 255, most, most, most, most, edges)
    assert decode(encode(*row)) == row
    assert decode(encode(*SMALLEST)) == SMALLEST
    for reading in range(-300, 300):
        assert decode(encode(1, 2, 3, 4, 5, 6, 7, 8, [reading]))[-1] == [reading]


def test_missing_in_both_spellings():
    assert decode(encode(1, 2, 3, 4, 5, 6, 7, 8, [None, 0, MISSING]))[-1] == [None, 0, None]


def test_what_does_not_fit_is_refused():
    assert refused(-1, 0, 0, 0, 0, 0, 0, 0, [])
    assert refused(1, 0, 0, 0, 0, 0, 0, 0, [5000] * 124)
    assert not refused(1, 0, 0, 0, 0, 0, 0, 0, [5000] * 123)


def test_a_record_cut_within_a_number_is_an_error():
    record = encode(1, 2, 3, 4, 5, 6, 7, 8, [5000])
    try:
        decode(record[:-1])
    except RecordError:
        return
    assert False


def test_day_numbers():
    assert day_number(2000, 1, 1) == 0
    assert day_number(2000, 2, 29) == 59
    assert day_number(2000, 3, 1) == 60
    assert day_number(2026, 11, 24) == 9824
    assert day_number(2034, 1, 10) == 12428  # seconds since 2000 pass 2**30 on this day
    assert day_number(2100, 3, 1) == 36584
    assert day_number(2399, 12, 31) == 146096


def test_numbers_of_four_bytes_end_with_the_small_ints():
    for value in (0, 1, 255, 256, 0x12345678, 0x3FFFFFFF):
        assert number_at(b"x" + number_bytes(value), 1) == value
    assert number_at(b"\x00\x00\x00\x40", 0) == -1
    assert number_at(b"\xff\xff\xff\xff", 0) == -1


def test_header_comes_back_and_any_flipped_bit_is_an_error():
    names = names_crc(["soil", "air"])
    assert names == b"E0\xa6e"  # zlib's CRC-32 of "soil\nair"
    head = header(b"\x01\x02\x03\xff", 5, 0x3FFFFFFF, names)
    assert len(head) == HEADER_BYTES
    seed = crc32(head, 18)
    assert head == b"DLOG\x02\x05\x01\x02\x03\xff\xff\xff\xff\x3f" + names + crc_bytes(seed)
    assert read_header(head + b"more") == (b"\x01\x02\x03\xff", 5, 0x3FFFFFFF, seed, names, HEADER_BYTES)
    for bit in range(8 * HEADER_BYTES):
        damaged = bytearray(head)
        damaged[bit >> 3] ^= 1 << (bit & 7)
        for data in (damaged, head[: bit >> 3]):
            try:
                read_header(data)
            except RecordError:
                continue
            assert False


def test_a_header_of_version_1_is_read():
    head = b"DLOG\x01\x05\x01\x02\x03\xff\xff\xff\xff\x3f"
    seed = crc32(head, 14)
    head += crc_bytes(seed)
    assert read_header(head + bytes(4)) == (b"\x01\x02\x03\xff", 5, 0x3FFFFFFF, seed, b"", 18)
    assert read_header(head)[5] == 18


def test_walk_in_pieces():
    records = [encode(1, i, 0, 0, 0, 0, 0, 0, [5000] * (i * 7 % 123)) for i in range(60)]
    assert walked(framed(records)) == records
    assert walked(framed([])) == []


def test_a_damaged_record_is_skipped():
    records = [encode(1, i, 0, 0, 0, 0, 0, 0, [7]) for i in range(5)]
    data = bytearray(framed(records))
    data[HEADER_BYTES + 2 * (len(records[0]) + 4) + 3] ^= 1
    assert walked(bytes(data)) == records[:2] + [None] + records[3:]


def test_cut_short_at_every_byte():
    records = [encode(1, i, 0, 0, 0, 0, 0, 0, [7]) for i in range(3)]
    data = framed(records)
    size = len(records[0]) + 4
    for end in range(HEADER_BYTES, len(data)):
        whole, rest = divmod(end - HEADER_BYTES, size)
        assert walked(data[:end]) == records[:whole] + ([None] if rest else [])


def test_records_of_another_segment_or_place_do_not_pass():
    records = [encode(1, i, 0, 0, 0, 0, 0, 0, [7]) for i in range(3)]
    assert walked(framed(records), (0x1234, 0x5679)) == [None] * 3
    data = framed(records)
    size = len(records[0]) + 4
    assert walked(data[:HEADER_BYTES] + data[HEADER_BYTES + size :]) == [None] * 2


def test_zeros_and_erased_flash_are_no_records():
    assert walked(bytes(HEADER_BYTES + 12)) == [None] * 3
    assert walked(bytes(HEADER_BYTES) + b"\xff" * 600) == [None] * 3
