"""The record log over boots, wrap-around and damage."""

import dibble.storage.record_log
from dibble import RecordError
from dibble.storage.record import encode
from dibble.storage.record_log import RecordLog
from dibble.storage.segment import HEADER_BYTES
from test_slots import get, put, ram_folder

MODEL = b"\x01\x02\x03\x04"
SIZE = 18  # of a record, its CRC included


def record(i):
    return encode(9830, i, 1, 1, 0, 300, 3700, 0, [i, -i])


def opened(folder, **settings):
    values = {"segment_bytes": 144, "segments": 4, "batch": 3}
    values.update(settings)
    return RecordLog(folder, MODEL, 2, **values)


def numbers(log, sequence=1):
    return [number for number, _ in log.read_from(sequence)]


def filled(folder, count):
    """Return a log of so many records, whose seconds are their numbers."""
    log = opened(folder)
    for i in range(1, count + 1):
        assert log.append(record(i)) == i
    log.flush()
    return log


def test_a_batch_is_acknowledged_when_it_is_written():
    log = opened(ram_folder() + "/log")
    assert log.acknowledged == 0
    assert [log.append(record(i)) for i in (1, 2)] == [1, 2]
    assert log.acknowledged == 0
    assert numbers(log) == []
    log.append(record(3))
    assert log.acknowledged == 3
    log.append(record(4))
    assert log.acknowledged == 3
    assert log.flush()
    assert log.acknowledged == 4
    assert list(log.read_from(1)) == [(i, record(i)) for i in (1, 2, 3, 4)]
    assert log.error == ""


def test_numbers_go_on_over_boots():
    folder = ram_folder() + "/log"
    filled(folder, 4)
    log = opened(folder)
    assert log.acknowledged == 4
    assert log.append(record(5)) == 5
    log.flush()
    assert list(log.read_from(3)) == [(i, record(i)) for i in (3, 4, 5)]
    assert log.error == ""


def test_wrap_around_keeps_the_newest():
    folder = ram_folder() + "/log"
    log = filled(folder, 100)
    kept = numbers(log)
    assert kept == list(range(kept[0], 101))
    assert kept[0] == 79  # 6 records a segment, and the last has 97 to 100
    assert numbers(log, 90) == list(range(90, 101))
    assert numbers(log, 101) == []
    assert opened(folder).sequence == 101


def test_another_model_begins_a_segment():
    folder = ram_folder() + "/log"
    filled(folder, 1)
    log = RecordLog(folder, b"\x09\x09\x09\x09", 2)
    log.append(record(2))
    log.flush()
    assert get(folder + "/000002.seg")[6:10] == b"\x09\x09\x09\x09"
    assert numbers(log) == [1, 2]


def test_cut_at_every_byte_of_the_newest_segment():
    folder = ram_folder() + "/log"
    filled(folder, 9)
    path = folder + "/000002.seg"
    whole = get(path)
    for size in range(len(whole)):
        put(path, whole[:size])
        log = opened(folder)
        first = log.sequence
        log.append(record(first))
        assert log.flush()
        left = max(0, size - HEADER_BYTES) // SIZE
        assert numbers(log) == list(range(1, 7 + left)) + [first]
        if size in (0, HEADER_BYTES, HEADER_BYTES + SIZE, HEADER_BYTES + 2 * SIZE):
            assert (first, log.error) == (7 + left, "")
        else:
            assert first > 9
            assert log.error == "log: segment 2 isn't whole"
            assert log.files.remove(3) == (size >= HEADER_BYTES)  # a segment without a header is written over


def test_a_damaged_header_of_the_newest_segment_is_written_over():
    folder = ram_folder() + "/log"
    filled(folder, 0)
    for content in (b"D", bytes(18), b"DLOG" + bytes(14), b"\xff" * 80):
        put(folder + "/000001.seg", content)
        log = opened(folder)
        assert log.error == "log: segment 1 isn't whole"
        first = log.sequence
        assert first > len(content) // 6
        log.append(record(first))
        assert log.flush()
        assert numbers(log) == [first]
        assert log.files.numbers() == [1]


def test_an_empty_newest_segment_counts_for_nothing():
    folder = ram_folder() + "/log"
    filled(folder, 6)
    put(folder + "/000002.seg", b"")
    put(folder + "/000003.seg", b"")
    log = opened(folder)
    assert log.error == ""
    assert log.files.numbers() == [1]
    log.append(record(7))
    log.flush()
    assert numbers(log) == [1, 2, 3, 4, 5, 6, 7]
    empty = ram_folder() + "/log"
    filled(empty, 0)
    put(empty + "/000001.seg", b"")
    assert opened(empty).sequence == 1
    assert opened(empty).error == ""


def test_damage_costs_its_record_only():
    folder = ram_folder() + "/log"
    log = filled(folder, 9)
    path = folder + "/000001.seg"
    damaged = bytearray(get(path))
    damaged[HEADER_BYTES + SIZE + 7] ^= 0x10
    put(path, damaged)
    assert numbers(log) == [1, 3, 4, 5, 6, 7, 8, 9]
    assert log.damaged == 1
    put(path, b"DLOG")
    assert numbers(log) == [7, 8, 9]


def test_a_lost_segment_is_reported():
    folder = ram_folder() + "/log"
    log = filled(folder, 20)
    assert log.files.remove(2)
    log = opened(folder)
    assert log.error == "log: expected segments 1 to 4, 1 of them are gone"
    assert numbers(log) == list(range(1, 7)) + list(range(13, 21))


def test_numbers_that_left_the_node_are_not_given_again():
    folder = ram_folder() + "/log"
    filled(folder, 4)
    log = opened(folder, after=40)
    assert log.append(record(41)) == 41
    log.flush()
    assert numbers(log, 2) == [2, 3, 4, 41]
    assert opened(folder, after=40).sequence == 42


def test_other_files_are_left_alone():
    folder = ram_folder() + "/log"
    filled(folder, 1)
    put(folder + "/notes.txt", b"mine")
    put(folder + "/x.seg", b"mine too")
    log = opened(folder)
    for i in range(2, 100):
        log.append(record(i))
    assert log.error == ""
    assert get(folder + "/notes.txt") == b"mine"
    assert get(folder + "/x.seg") == b"mine too"


class Mark:
    """Where the highest number is kept."""

    payload = None

    def newest(self):
        return self.payload

    def write(self, payload):
        self.payload = payload


def test_a_lost_batch_is_told_and_its_numbers_arent_given_again():
    folder = ram_folder() + "/log"
    mark = Mark()
    log = opened(folder, mark=mark)
    for i in range(1, 7):
        log.append(record(i))
    before = get(folder + "/000001.seg")
    for i in range(7, 10):
        log.append(record(i))
    if len(get(folder + "/000001.seg")) > len(before):
        put(folder + "/000001.seg", before)  # a batch is gone without a trace
    else:
        import os

        os.remove(folder + "/000002.seg")
    log = opened(folder, mark=mark)
    assert log.error == "log: records 7 to 9 are gone"
    assert log.append(record(10)) == 10
    log.flush()
    assert numbers(opened(folder, mark=mark)) == [1, 2, 3, 4, 5, 6, 10]
    assert opened(folder, mark=mark).error == ""


def test_a_mark_that_cannot_be_kept_is_told_and_the_log_goes_on():
    class Broken(Mark):
        def write(self, payload):
            raise RecordError("expected to write it")

    log = opened(ram_folder() + "/log", mark=Broken())
    log.append(record(1))
    assert log.flush() and log.acknowledged == 1
    assert log.error == "expected to write it"


class Interrupted:
    """A segment's file that Ctrl-C ends before one of its writes, or after its close."""

    def __init__(self, file, calls):
        self.file = file
        self.calls = calls

    def write(self, data):
        self.interrupt()
        self.file.write(data)

    def close(self):
        self.file.close()
        self.interrupt()

    def interrupt(self):
        self.calls[0] -= 1
        if self.calls[0] == 0:
            raise KeyboardInterrupt


def interrupted_at(call, count):
    """Return a log whose last batch, of three, Ctrl-C ended at a call of its file, and which was flushed again."""
    folder = ram_folder() + "/log"
    log = filled(folder, count)
    for i in (1, 2):
        log.append(record(count + i))
    calls = [call]
    dibble.storage.record_log.open = lambda path, mode: Interrupted(open(path, mode), calls)
    try:
        log.append(record(count + 3))
        raise AssertionError("expected Ctrl-C")
    except KeyboardInterrupt:
        pass
    finally:
        del dibble.storage.record_log.open
    log.flush()
    log.append(record(count + 4))
    log.flush()
    return folder, log


def test_ctrl_c_in_a_write_costs_no_record():
    for count in (0, 3, 6):  # into a new segment; into one that has room; into a new one after a full one
        calls = 7 if count == 3 else 8  # a new segment's header, three records and their CRCs, close
        for call in range(1, calls + 1):
            folder, log = interrupted_at(call, count)
            expected = [(i, record(i)) for i in range(1, count + 5)]
            assert list(log.read_from(1)) == expected, (count, call)
            assert log.damaged == 0, (count, call)
            again = opened(folder)
            assert list(again.read_from(1)) == expected, (count, call)
            assert again.sequence == count + 5, (count, call)
