"""The node's decisions in a folder of segments: appended in batches, the oldest segment gives way to a new one.

What flush() has written outlives any power cut on littlefs; a batch in RAM doesn't. Layout: models/RECORDS.md.
"""

from dibble import RecordError
from dibble.forgetting import start_only
from dibble.storage.segment import header, read_header, record_crc
from dibble.storage.segment_files import SegmentFiles
from dibble.storage.words import number_at, number_bytes

MARK_BYTES = 4
_FULL = 28  # ENOSPC


class RecordLog:
    """Records numbered for ever, over all boots.

    Args:
        folder: made where it isn't there.
        identity: 4 bytes, the CRC of the model that decides.
        channels: number of readings in a record.
        segment_bytes: size that a segment may reach; a longer batch has a segment of its own.
        segments: the most that are kept, at least 2.
        batch: records kept in RAM before they are written: what a power cut may cost.
        after: highest number known to have left the node; none up to it is given again.
        mark: Slots of the highest number written, which nothing that befalls the segments takes; None: isn't kept.
        names: names_crc() of the channels.
    Attributes:
        sequence: number of the next record.
        acknowledged: number of the last record that is written, 0: none.
        dropped: records lost because nothing could be written for too long.
        damaged: damaged records and segments that read_from() met.
        error: what went wrong last, for the app to report and clear.
    """

    @start_only
    def __init__(
        self,
        folder,
        identity,
        channels,
        segment_bytes=8192,
        segments=32,
        batch=12,
        after=0,
        mark=None,
        names=bytes(4),
    ):
        self.files = SegmentFiles(folder)
        self.identity = identity
        self.channels = channels
        self.names = names
        self.segment_bytes = segment_bytes
        self.segments = segments
        self.batch = batch
        self.dropped = self.damaged = 0
        self.error = ""
        self.sequence = 1
        self._batch = []
        self._number = 0  # of the segment to append to, 0: begin a new one
        self._size = self._place = 0
        self._seed = None
        try:
            numbers = self.files.numbers()
            if numbers:
                self._resume(numbers)
        except OSError as error:
            self._complain(error)
        self._mark = mark
        kept = mark.newest() if mark else None
        written = number_at(kept, 0) if kept and len(kept) == MARK_BYTES else 0
        if self.sequence <= written:  # littlefs drops a commit with a flipped bit, and says nothing
            self.error = "log: records %d to %d are gone" % (self.sequence, written)
            after = max(after, written)
        if self.sequence <= after:
            self.sequence = after + 1
            self._number = 0
        self.acknowledged = self.sequence - 1

    def append(self, record):
        """Take a record as encode() returns it; return its number. A failing file system isn't an exception."""
        if len(self._batch) >= self.batch:
            del self._batch[0]
            self.dropped += 1
            self._number = 0  # a segment's numbers have no gaps
        self._batch.append(record)
        self.sequence += 1
        if len(self._batch) >= self.batch:
            self.flush()
        return self.sequence - 1

    def flush(self):
        """Write the batch; return whether everything is written now."""
        before = self.error
        for _ in range(self.segments):
            if not self._batch:
                break
            try:
                self._write()
                self.acknowledged = self.sequence - 1
                if self.error != before:
                    self.error = "log: full: the oldest segment gave way"
                self._keep_mark()
            except OSError as error:
                self._complain(error)
                if _FULL not in error.args[:1] or not self._remove_oldest():
                    break
        return not self._batch

    def read_from(self, sequence):
        """Yield (number, record) of what is written, from a number on; no file is open meanwhile."""
        try:
            numbers = self.files.numbers()
        except OSError as error:
            self._complain(error)
            return
        parts = []
        end = first = self.acknowledged + 1
        while numbers and first > sequence:
            number = numbers.pop()
            head = self.files.head(number)
            if head is None:
                self.damaged += 1
                continue
            first = min(head[2], end)
            parts.append((number, head[2], end, head))
            end = first
        for number, first, end, head in reversed(parts):
            for record in self.files.records(number, head):
                if first >= end:
                    break  # what a failed write left behind: the next segment has these numbers
                if record is None:
                    self.damaged += 1
                elif first >= sequence:
                    yield first, record
                first += 1

    def _keep_mark(self):
        if self._mark:
            try:
                self._mark.write(number_bytes(self.acknowledged))
            except RecordError as error:
                self.error = str(error)

    def _complain(self, error):
        self.error = "log: expected to read and write %s, got %r" % (self.files.folder, error)

    @start_only
    def _resume(self, numbers):
        """Find the next record's number, and whether the newest segment can take it."""
        gone = numbers[-1] + 1 - numbers[0] - len(numbers)
        if gone:
            self.error = "log: expected segments %d to %d, %d of them are gone" % (numbers[0], numbers[-1], gone)
        head, number, self.sequence, whole, self._place, self._size = self.files.survey(numbers)
        if not whole:
            self.error = "log: segment %d isn't whole" % numbers[-1]
        elif head and (head[0], head[1], head[4]) == (self.identity, self.channels, self.names):
            self._number = number
            self._seed = head[3]

    def _write(self):
        """Append the batch to the segment, or to a new one: one open, one close; the batch is empty then.

        Whatever ends it in between, Ctrl-C too: nothing is appended to what the segment holds then.
        """
        growth = 4 * len(self._batch)
        for record in self._batch:
            growth += len(record)
        number = self._number
        head = b""
        if not number or self._size + growth > self.segment_bytes:
            numbers = self.files.numbers()
            number = numbers[-1] + 1 if numbers else 1
            if numbers and not self.files.head(numbers[-1]):
                number = numbers.pop()  # nothing in it can be read
            while len(numbers) >= self.segments:
                self.files.remove(numbers.pop(0))
            head = header(self.identity, self.channels, self.sequence - len(self._batch), self.names)
            self._seed = read_header(head)[3]
            self._size = self._place = 0
        self._number = 0
        try:
            file = open(self.files.path(number), "wb" if head else "ab")
            try:
                file.write(head)
                for record in self._batch:
                    file.write(record)
                    file.write(record_crc(record, 0, len(record), self._seed, self._place))
                    self._place += 1
            finally:
                file.close()
        except OSError:
            if head:
                self.files.remove(number)
            raise
        self._batch = []
        self._size += len(head) + growth
        self._number = number

    def _remove_oldest(self):
        """Make room on a full file system, but keep the newest segment."""
        try:
            numbers = self.files.numbers()
        except OSError:
            return False
        return len(numbers) > 1 and self.files.remove(numbers[0])
