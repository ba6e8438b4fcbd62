"""Slots: old or new, whatever the files hold."""

from dibble import RecordError
from dibble.inference.crc32 import crc32
from dibble.storage.slots import GENERATIONS, HEADER_BYTES, Slots


class RamFile:
    """A file of a RamFiles, or a new one."""

    def __init__(self, files, name, mode):
        if mode[0] == "w" or (mode[0] == "a" and name not in files):
            files[name] = b""
        if name not in files:
            raise OSError(2)
        self.files = files
        self.name = name
        self.at = len(files[name]) if mode[0] == "a" else 0

    def write(self, data):
        content = self.files[self.name]
        self.files[self.name] = content[: self.at] + bytes(data) + content[self.at + len(data) :]
        self.at += len(data)
        return len(data)

    def read(self, size=-1):
        content = self.files[self.name][self.at :]
        if size >= 0:
            content = content[:size]
        self.at += len(content)
        return content

    def seek(self, offset, whence=0):
        self.at = offset + (len(self.files[self.name]) if whence == 2 else 0)
        return self.at

    def close(self):
        pass


class RamFiles:
    """Files in RAM that a MicroPython VM can mount: the WASI VM sees nothing else that it may write."""

    def __init__(self):
        self.files = {}

    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def open(self, path, mode):
        return RamFile(self.files, path, mode)

    def remove(self, path):
        if self.files.pop(path, None) is None:
            raise OSError(2)

    def ilistdir(self, path):
        if path not in self.files and path.strip("/"):
            raise OSError(2)
        start = path.rstrip("/") + "/"
        return iter([(name[len(start) :], 0x8000, 0) for name in self.files if name.startswith(start)])

    def mkdir(self, path):
        self.files[path] = b""

    def stat(self, path):
        return (0x8000, 0, 0, 0, 0, 0, len(self.files[path]), 0, 0, 0)


def ram_folder():
    """Return the path of an empty folder that can be written."""
    try:
        import vfs
    except ImportError:  # CPython
        import tempfile

        return tempfile.mkdtemp()
    try:
        vfs.umount("/ram")
    except OSError:
        pass
    vfs.mount(RamFiles(), "/ram")
    return "/ram"


def put(path, content):
    file = open(path, "wb")
    try:
        file.write(content)
    finally:
        file.close()


def get(path):
    file = open(path, "rb")
    try:
        return file.read()
    finally:
        file.close()


def pair():
    """Return slots with generation 1 in .a, 2 in .b, and the path."""
    path = ram_folder() + "/it"
    slots = Slots(path)
    assert slots.newest() is None
    assert slots.generations() == (0, 0)
    assert slots.write(b"old") == 1
    assert slots.write(b"new!") == 2
    return slots, path


def test_layout():
    _, path = pair()
    # The CRCs are zlib's.
    assert get(path + ".a") == b"DSL1\x01\x00\x00\x00\x03\x00\x00\x00.i\xffTold"
    assert get(path + ".b") == b"DSL1\x02\x00\x00\x00\x04\x00\x00\x00\xe4\xcb0\xe9new!"


def test_newest_is_the_highest_generation():
    slots, path = pair()
    assert slots.newest() == b"new!"
    assert slots.generation == 2
    assert slots.generations() == (2, 1)
    assert slots.write(b"") == 3
    assert get(path + ".a")[HEADER_BYTES:] == b""
    assert slots.newest() == b""
    assert slots.generation == 3


def test_a_copy_of_the_same_length_and_end_is_used_unread():
    slots, path = pair()
    slots.write(b"a payload")
    copy = bytearray(b"a payload")
    assert slots.newest(0, copy) is copy
    assert slots.generation == 3
    for other in (b"", b"oad", b"payload", b"a paylOad", b"the payload"):
        assert slots.newest(0, other) == b"a payload"
    assert slots.newest(3, copy) == b"new!"
    put(path + ".a", get(path + ".a").replace(b"a pay", b"?????"))
    assert slots.newest() == b"new!"
    assert slots.newest(0, copy) is copy


def test_holds_looks_at_the_newest_whole_generation():
    slots, path = pair()
    assert slots.holds(4, b"new!") and not slots.holds(3, b"old") and not slots.holds(5, b"new!")
    slots.write(b"a payload")
    assert slots.holds(9, b"load") and not slots.holds(9, b"Load")
    put(path + ".a", get(path + ".a").replace(b"a pay", b"?????"))
    assert slots.holds(4, b"new!") and not slots.holds(9, b"load")
    put(path + ".b", b"")
    assert not slots.holds(4, b"new!")


def test_rejected_gives_way():
    slots, _ = pair()
    assert slots.newest(2) == b"old"
    assert slots.generation == 1
    assert slots.newest(1) == b"new!"


def test_writing_spares_the_good_slot_when_the_newest_is_rejected():
    slots, path = pair()
    assert slots.write(b"third", 2) == 3
    assert get(path + ".a")[HEADER_BYTES:] == b"old"
    assert slots.newest(3) == b"old"


def test_a_rejected_generation_is_not_given_again():
    slots, path = pair()
    put(path + ".b", b"")
    assert slots.write(b"third", 2) == 3


def test_cut_short_at_every_length_is_the_old_one():
    slots, path = pair()
    whole = get(path + ".b")
    for size in range(len(whole)):
        put(path + ".b", whole[:size])
        assert slots.newest() == b"old"
        assert slots.write(b"again") == 2
        assert slots.newest() == b"again"
    put(path + ".b", whole + b"\x00")
    assert slots.newest() == b"old"


def test_flipped_bit_is_the_old_one():
    slots, path = pair()
    whole = get(path + ".b")
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit >> 3] ^= 1 << (bit & 7)
        put(path + ".b", damaged)
        assert slots.newest() == b"old"


def test_a_generation_beyond_the_small_ints_is_none():
    slots, path = pair()
    for generation in (b"\x00\x00\x00\x40", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00"):
        head = b"DSL1" + generation + bytes(4)
        high, low = crc32(head, 12)
        put(path + ".b", head + bytes((low & 255, low >> 8, high & 255, high >> 8)))
        assert slots.generations() == (1, 0)
        assert slots.newest() == b"old"


def test_both_damaged_is_nothing():
    slots, path = pair()
    put(path + ".a", bytes(64))
    put(path + ".b", b"\xff" * 64)
    assert slots.newest() is None
    assert slots.generation == 0


def test_largest_generation_is_a_small_int():
    slots, _ = pair()
    assert slots.write(b"last", GENERATIONS - 1) == 0x3FFFFFFF
    assert slots.newest() == b"last"
    assert slots.generations() == (0x3FFFFFFF, 2)
    try:
        slots.write(b"one more")
    except RecordError as error:
        assert "1073741824" in str(error)
    else:
        assert False
    assert slots.newest() == b"last"


def test_payload_of_many_pieces():
    slots, _ = pair()
    payload = bytes(range(256)) * 5 + b"end"
    slots.write(payload)
    assert slots.newest() == payload
