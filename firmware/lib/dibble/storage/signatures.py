"""Whether who has the node's key signed a model or a configuration, and none older than the last one accepted.

Loaded only where node.key is there. The layout of PATH.sig, and what it guards against: models/SIGNED.md.
"""

from dibble import RecordError
from dibble.forgetting import forget
from dibble.storage.words import number_at, number_bytes

KEY = "node.key"
KEY_BYTES = 32
SUFFIX = ".sig"  # of a file's name: that of its signature
MAGIC = b"DSG1"
KINDS = ("model.dib", "gate.dib", "config.json", "voice.dib", "firmware")  # places in what is kept: new ones at the end
HEAD_BYTES = 9  # MAGIC, the kind's place in KINDS, the counter
DIGEST_BYTES = 32
_BLOCK_BYTES = 64
_PIECE_BYTES = 256
_COUNTER_BYTES = 4


class Signatures:
    """The signatures of a node's files.

    Args:
        memory: keeps the highest counter accepted of each kind; has newest() -> bytes or None and write(bytes).
        feed: called often, as a digest takes seconds where the runtime has none.
        folder: where the files lie, with its slash.
        key_folder: where the key lies; None: beside them.
    """

    def __init__(self, memory, feed, folder="", key_folder=None):
        self._memory = memory
        self._feed = feed
        self._folder = folder
        self._key_folder = folder if key_folder is None else key_folder

    def accept(self, path, content):
        """Take a file that is signed: from now on no older one is.

        Before the file is used: a cut in between leaves what is accepted again.

        Raises:
            RecordError: it isn't signed, or an older one; or what was accepted can't be kept.
        """
        counter = self.check(path, content)
        counters = self._counters()
        place = KINDS.index(path) * _COUNTER_BYTES
        if number_at(counters, place) < counter:
            try:
                self._memory.write(counters[:place] + number_bytes(counter) + counters[place + _COUNTER_BYTES :])
            except OSError as error:
                raise RecordError("expected to keep the counter of %s%s, got %r" % (path, SUFFIX, error))

    def check(self, path, content):
        """Return the counter of a file that is signed, and isn't older than the last one accepted.

        Args:
            content: its bytes, or the file open for reading, at its start.
        Raises:
            RecordError: it isn't signed, or an older one.
        """
        where = path + SUFFIX
        signature = self._read(self._folder, where, HEAD_BYTES + DIGEST_BYTES)
        kind = KINDS.index(path)
        if signature[:4] != MAGIC or signature[4] != kind:
            raise RecordError("%s: expected a signature of %s, got another's" % (where, path))
        head = signature[:HEAD_BYTES]
        expected = self._hmac(head, content)
        different = 0
        for i in range(DIGEST_BYTES):  # all of them, wherever the first difference is
            different |= expected[i] ^ signature[HEAD_BYTES + i]
        if different:
            raise RecordError("%s: expected %s as it was signed with the node's key, got another" % (where, path))
        counter = number_at(head, 5)
        last = number_at(self._counters(), kind * _COUNTER_BYTES)
        if counter < last:
            raise RecordError("%s: expected a counter of at least %d, got %d: an older file" % (where, last, counter))
        return counter

    def forget(self):
        """Give up this module and what it loaded: they are done."""
        forget("dibble.storage.sha256", "dibble.storage.signatures")

    def _counters(self):
        kept = bytes(self._memory.newest() or b"")
        size = _COUNTER_BYTES * len(KINDS)
        if len(kept) > size or len(kept) % _COUNTER_BYTES:
            kept = b""
        return kept + bytes(size - len(kept))  # older firmware knew fewer kinds

    def _read(self, folder, name, size):
        """Return a file's bytes, which have to be so many."""
        try:
            file = self._open(folder + name)
            try:
                content = file.read(size + 1)
            finally:
                file.close()
        except OSError:
            raise RecordError("%s: expected it beside its file, as this node has a key, got none" % name)
        if len(content) != size:
            found = "more" if len(content) > size else len(content)
            raise RecordError("%s: expected %d bytes, got %s" % (name, size, found))
        return content

    def _open(self, path):
        return open(path, "rb")

    def _hmac(self, head, content):
        """Return the HMAC-SHA-256 of both. Source: RFC 2104, section 2; a key is shorter than a block."""
        key = self._read(self._key_folder, KEY, KEY_BYTES) + bytes(_BLOCK_BYTES - KEY_BYTES)
        sha256 = digest_maker()
        inner = sha256(bytes([byte ^ 0x36 for byte in key]))
        inner.update(head)
        for piece in _pieces(content):
            self._feed()
            inner.update(piece)
        outer = sha256(bytes([byte ^ 0x5C for byte in key]))
        outer.update(inner.digest())
        return outer.digest()


def _pieces(content):
    """Yield a file's content, or its bytes, piece by piece."""
    if hasattr(content, "read"):
        piece = content.read(_PIECE_BYTES)
        while piece:
            yield piece
            piece = content.read(_PIECE_BYTES)
    else:
        for at in range(0, len(content), _PIECE_BYTES):
            yield content[at : at + _PIECE_BYTES]


def digest_maker():
    """Return what makes a SHA-256 of its first bytes: the runtime's, or dibble's own where it has none."""
    try:
        import hashlib

        if hasattr(hashlib, "sha256"):
            return hashlib.sha256
        hashlib.new("sha256", b"")  # as CircuitPython has it: from some version on, in some builds
        return lambda first: hashlib.new("sha256", first)
    except (ImportError, AttributeError, ValueError):
        from dibble.storage.sha256 import Sha256

        return Sha256
