"""The record log's segments as files of a folder: 000001.seg, 000002.seg, …"""

import os

from dibble import RecordError
from dibble.forgetting import start_only
from dibble.storage.segment import HEADER_BYTES, PIECE_BYTES, RECORD_LEAST, read_header, walk

_GARBLED = 5  # EIO
_UNKNOWN_BYTES = 0x10000  # more than any segment's size


class SegmentFiles:
    """A folder's segments by number; no file stays open between two calls."""

    @start_only
    def __init__(self, folder):
        self.folder = folder

    def numbers(self):
        """Return the numbers of the segments, ascending; make the folder where it isn't there.

        Raises:
            OSError: the folder can't be read, or is garbled.
        """
        try:
            names = os.listdir(self.folder)
        except OSError:
            os.mkdir(self.folder)
            return []
        except ValueError:  # a name that is no text: nothing is written where something may be
            raise OSError(_GARBLED)
        return sorted([int(name[:-4]) for name in names if name[-4:] == ".seg" and name[:-4].isdigit()])

    def path(self, number):
        return "%s/%06d.seg" % (self.folder, number)

    def head(self, number):
        """Return what read_header() does of a segment, None of a damaged one."""
        try:
            return read_header(self._read(number, 0, HEADER_BYTES))
        except RecordError:
            return None

    def records(self, number, head):
        """Yield a segment's records, None for each damaged one; head: as head() has it."""
        return walk(lambda at: self._read(number, at, PIECE_BYTES), head[3], head[5])

    @start_only
    def survey(self, numbers):
        """Read the newest segment, and those before it as long as a header is damaged.

        An empty newest one is removed: littlefs makes a file before it commits what is written to it.

        Returns:
            (head, number, next, whole, place, size): what head() returned last, of which segment; a record's number
            above all, the next one where the newest segment is whole; whether it is; its records and its size.
        """
        given = 0  # at most so many numbers were given since the last whole header
        whole = True
        for number in reversed(numbers):
            try:
                size = os.stat(self.path(number))[6]
            except OSError:
                size = _UNKNOWN_BYTES
            head = None
            if not size and not given:
                self.remove(number)
                continue
            given += size // RECORD_LEAST + 1
            head = self.head(number)
            if head:
                break
            whole = False
        place = 0
        if head:
            left = size - head[5]
            for record in self.records(number, head):
                place += 1
                if record is not None:
                    left -= len(record) + 4
            whole = whole and left == 0
        return head, number, (head[2] if head else 1) + (place if whole else given), whole, place, size

    def remove(self, number):
        """Remove a segment; return whether that worked."""
        try:
            os.remove(self.path(number))
            return True
        except OSError:
            return False

    def _read(self, number, at, size):
        """Return a piece of a segment, nothing of one that can't be read."""
        try:
            file = open(self.path(number), "rb")
            try:
                file.seek(at)
                return file.read(size)
            finally:
                file.close()
        except OSError:
            return b""
