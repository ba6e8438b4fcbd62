"""Lines of the console: what the firmware writes is read back; what is damaged is counted, never believed."""

import random
import string
import zlib
from types import SimpleNamespace

import pytest
from dibble.inference.decision import NO_CLASS
from dibble.inference.fixed_point import MISSING, READING_LIMIT
from dibble.report.serial_line import SerialLines
from dibble_tools.node.console_lines import FIXED, LINE_BYTES, Event, Header, LineReader, Rejected, Row
from hypothesis import given, settings
from hypothesis import strategies as st

CHANNELS = (("soil_permille", "permille"), ("air: temp", "centi_c"), ("raw", ""))
CLASSES = ("ok", "irrigate, now", "*é\n")
numbers = st.integers(0, READING_LIMIT)
readings = st.one_of(st.just(MISSING), st.integers(-READING_LIMIT, READING_LIMIT))
class_indices = st.sampled_from([0, 1, 2, NO_CLASS])
reports = st.builds(
    lambda values, classes, battery, row: make(*values, *classes, battery, row),
    st.tuples(*[numbers] * 6),
    st.tuples(class_indices, class_indices),
    st.none() | numbers,
    st.tuples(*[readings] * len(CHANNELS)),
)


def make(
    sequence=7, time_s=8, margin=9, flags=1, action=2, faults=3, class_index=0, held=1, battery=3700, row=(1, 2, 3)
):
    decision = SimpleNamespace(class_index=class_index, held_index=held, margin=margin, flags=flags)
    return SimpleNamespace(
        sequence=sequence,
        time_s=time_s,
        decision=decision,
        action=action,
        faults=faults,
        battery_mv=battery,
        readings=row,
    )


def written(rows, node="north field", channels=CHANNELS, every=3):
    out = []
    lines = SerialLines(out.append, node, CLASSES, channels, every)
    for row in rows:
        lines.decision(row)
    lines.event("fault", 77, "expected chip id 0x61, got 0x00")
    return "".join(out).encode("ascii")


def seal(body: bytes, crc: int = 0) -> bytes:
    return body + b"*%08X" % zlib.crc32(body, crc)


def expected_row(report, node="north field", channels=CHANNELS):
    d = report.decision
    return Row(
        node,
        report.sequence,
        report.time_s,
        dict(enumerate(CLASSES)).get(d.class_index),
        dict(enumerate(CLASSES)).get(d.held_index),
        d.margin,
        d.flags,
        report.action,
        report.faults,
        report.battery_mv,
        {name: None if r == MISSING else r for (name, _), r in zip(channels, report.readings, strict=True)},
    )


@given(st.lists(reports, max_size=8), st.integers(1, 200), st.booleans())
def test_what_is_written_is_read_back_in_pieces_of_any_size(rows, piece, carriage_returns):
    data = written(rows)
    if carriage_returns:
        data = data.replace(b"\n", b"\r\n")
    reader = LineReader()
    parsed = [line for i in range(0, len(data), piece) for line in reader.feed(data[i : i + piece])]
    assert [line for line in parsed if isinstance(line, Row)] == [expected_row(row) for row in rows]
    assert parsed[-1] == Event("fault", 77, "expected chip id 0x61, got 0x00")
    heads = [line for line in parsed if isinstance(line, Header)]
    assert len(heads) == (len(rows) + 2) // 3
    assert all(head.node == "north field" and head.channels == CHANNELS for head in heads)
    assert not reader.rejected


def test_every_flipped_bit_and_every_truncation_is_rejected():
    data = written([make(), make(8, row=(MISSING, -5, READING_LIMIT))])
    lines = data.split(b"\n")[:-1]
    for n, line in enumerate(lines):
        damaged = [line[:end] for end in range(1, len(line))]
        damaged += [
            line[:i] + bytes([line[i] ^ 1 << bit]) + line[i + 1 :] for i in range(len(line)) for bit in range(8)
        ]
        for other in damaged:
            reader = LineReader()
            for before in lines[:n]:
                assert not isinstance(reader.parse(before), Rejected)
            header = reader.header
            assert isinstance(reader.parse(other), Rejected), other
            assert reader.header == header
            assert sum(reader.rejected.values()) == 1


def test_row_is_never_read_under_another_nodes_names():
    ours = written([make()], "a", (("soil", "permille"), ("wind", "cm_s"), ("x", ""))).split(b"\n")
    theirs = written([make()], "a", (("wind", "cm_s"), ("soil", "permille"), ("x", ""))).split(b"\n")
    reader = LineReader()
    assert isinstance(reader.parse(ours[0]), Header)
    assert isinstance(reader.parse(ours[1]), Row)
    assert reader.parse(theirs[1]).reason == "checksum, or another header's"
    assert isinstance(reader.parse(theirs[0]), Header)
    assert isinstance(reader.parse(theirs[1]), Row)


def test_each_row_comes_with_its_own_header():
    data = written([make(row=(4,))], "a", (("soil", ""),)) + written([make(row=(5,))], "b", (("wind", ""),))
    reader = LineReader()
    pairs = [(reader.header.node, line.node) for line in reader.each(data) if isinstance(line, Row)]
    assert pairs == [("a", "a"), ("b", "b")]


def test_glued_lines_are_rejected():
    head, row, event, _ = written([make()]).split(b"\n")
    for glued in (row + row, row + event, event + row, head + row, head[:-13] + row, b"7," + row):
        reader = LineReader()
        reader.parse(head)
        assert isinstance(reader.parse(glued), Rejected), glued


def test_nothing_before_a_header_is_believed():
    reader = LineReader()
    assert reader.parse(written([make()]).split(b"\n")[1]).reason == "no header yet"


NO_NUMBERS = (b"-0", b"+1", b"0412", b"4_1", b"1e3", b"0x1", b"-", b"NaN")
HEAD = b"#dibble,2,n," + ",".join(FIXED).encode() + b",soil:permille"
ROW = b"1,2,ok,,3,0,0,0,,412"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (HEAD.replace(b"#dibble", b"#dibbler"), "another program's header"),
        (HEAD.replace(b",2,", b",1,"), "another version's header"),
        (b"#dibble", "another version's header"),
        (b"#dibble,2", "header of other fields"),
        (HEAD.replace(b"margin", b"Margin"), "header of other fields"),
        (HEAD + b",soil:pa", "two channels of one name"),
        (HEAD + b",x", "channel without a unit"),
        (HEAD + b",", "channel without a unit"),
        (HEAD + b",x%ff:", "escape"),
        (HEAD + b",x%FF:", "not UTF-8"),
        (HEAD + b",%ED%A0%80:", "not UTF-8"),
        (b"!boot,1", "number of fields"),
        (b"!,1,x", "number of fields"),
        (b"!boot,,x", "not a number"),
        (b"!boot,-1,x", "not a number"),
        (b"!boot,4294967296,x", "number too large"),
        (b"!boot,1,x y", "other than visible ASCII"),
        (b"!boot,1,\x00", "other than visible ASCII"),
        (b"!boot,1,\xc3\xa9", "other than visible ASCII"),
        (b"!boot,1,%", "escape"),
        (b"!boot,1,#", "escape"),
    ],
)
def test_sealed_nonsense_is_rejected(body, reason):
    reader = LineReader()
    assert reader.parse(seal(body)) == Rejected(reason, seal(body))
    assert reader.header is None


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b",412", b"", "number of fields"),
        (b",412", b",412,5", "number of fields"),
        (b",412", b",1073741824", "number too large"),
        (b",412", b",-1073741824", "number too large"),
        (b",412", b",99999999999999999999999", "not a number"),
        *(
            (b",412", b"," + text, "not a number")
            for text in (b"-0", b"+1", b"0412", b"4_1", b"1e3", b"0x1", b"-", b"NaN")
        ),
        (b"1,2,", b"-1,2,", "not a number"),
        (b"1,2,", b",2,", "not a number"),
        (b",3,0,", b",,0,", "not a number"),
        (b",0,,", b",0,-1,", "not a number"),
    ],
)
def test_sealed_row_of_wrong_numbers_is_rejected(old, new, reason):
    reader = LineReader()
    header = reader.parse(seal(HEAD))
    assert isinstance(reader.parse(seal(ROW, header.crc)), Row)
    assert ROW.count(old) == 1
    assert reader.parse(seal(ROW.replace(old, new), header.crc)).reason == reason


def test_endless_line_is_bounded_and_what_follows_is_read():
    reader = LineReader()
    for _ in range(1000):
        assert reader.feed(b"7" * 1000) == []
        assert len(reader._rest) <= LINE_BYTES + 2
    data = written([make()])
    parsed = reader.feed(b"\n" + data)
    assert parsed[0].reason == "too long"
    assert [type(line) for line in parsed[1:]] == [Header, Row, Event]


def believed(parsed, data: bytes) -> bool:
    """Tell whether a parsed line stands in the data with a checksum of its own, by zlib alone."""
    return isinstance(parsed, Rejected) or any(
        line[-9:-8] == b"*" and zlib.crc32(line[:-9]) == int(line[-8:], 16)
        for line in (end.removesuffix(b"\r") for end in data.split(b"\n"))
        if line[-8:].strip(string.hexdigits.encode()) == b"" and len(line) > 9
    )


@settings(max_examples=500)
@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_counted_and_never_raise(data):
    reader = LineReader()
    parsed = reader.feed(data + b"\n")
    rejected = [line for line in parsed if isinstance(line, Rejected)]
    assert sum(reader.rejected.values()) == len(rejected)
    assert all(believed(line, data) for line in parsed)


@settings(max_examples=300)
@given(st.lists(reports, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_damage_costs_lines_but_no_value_changes(rows, chance):
    data = damage(written(rows), chance)
    truth = [expected_row(row) for row in rows]
    reader = LineReader()
    for line in reader.feed(data + b"\n"):
        if isinstance(line, Row):
            assert line in truth


def damage(data: bytes, chance: random.Random) -> bytes:
    """Return data with bytes changed, lost, doubled and inserted, also line ends."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(out))
        kind = chance.randrange(5)
        if kind == 0:
            out[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del out[at : at + chance.randint(1, 40)]
        elif kind == 2:
            out[at:at] = out[at : at + chance.randint(1, 40)]
        elif kind == 3:
            out[at:at] = chance.randbytes(chance.randint(1, 9))
        else:
            out[at : at + 1] = b"\n"
        if not out:
            return b""
    return bytes(out)
