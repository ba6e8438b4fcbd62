"""Signatures of a node's files: what isn't signed, or is older than the last one accepted, is refused."""

import sys
from binascii import unhexlify

from dibble import RecordError
from dibble.storage import signatures
from dibble.storage.sha256 import Sha256
from dibble.storage.signatures import KINDS, Signatures

KEY = bytes(range(32))
CONTENT = bytes([i * 5 & 255 for i in range(600)])
# By Python's hmac: of MAGIC, the kind, the counter, CONTENT.
DIGESTS = {
    ("model.dib", 7): "a0fda8f5e3ff5ea835eb4d8f03f3223ac6f0a19d0de695ba0953b9cfbdf90e24",
    ("model.dib", 8): "9cc89bde06a85866ada2c9a58e420414ee6bbe3a08ae90f11c63b8d5ed9e1d39",
    ("config.json", 3): "8b72a4d91937de32fbc70cd42c7b4f1c72cf4153ef8367a78540a0edf76ea4b2",
    ("voice.dib", 3): "75b046d98c25271a4e6ee3a746c19e904bf569437d45ba9ef259e0a3a3dfbac8",
}


class Memory:
    """What outlives a reset."""

    def __init__(self):
        self.kept = None
        self.full = False

    def newest(self):
        return self.kept

    def write(self, data):
        if self.full:
            raise OSError(28)
        self.kept = data


class InRam(Signatures):
    """Signatures whose files are a dict's."""

    def __init__(self, memory, files):
        super().__init__(memory, lambda: None)
        self.files = files

    def _open(self, name):
        if name not in self.files:
            raise OSError(2)
        return RamFile(self.files[name])


class RamFile:
    """A file that is read once."""

    def __init__(self, content):
        self.content = content

    def read(self, size):
        return self.content[:size]

    def close(self):
        pass


def signature(kind, counter):
    head = b"DSG1" + bytes((KINDS.index(kind), counter, 0, 0, 0))
    return head + unhexlify(DIGESTS[kind, counter])


def of(files, memory=None):
    return InRam(memory or Memory(), dict([("node.key", KEY)] + list(files.items())))


def refusal(signed, path="model.dib", content=CONTENT):
    try:
        signed.accept(path, content)
    except RecordError as error:
        return str(error)
    raise AssertionError("accepted")


def test_what_is_signed_is_accepted_again_and_again():
    signed = of({"model.dib.sig": signature("model.dib", 7), "config.json.sig": signature("config.json", 3)})
    for _ in (0, 1):
        signed.accept("model.dib", CONTENT)
        signed.accept("config.json", CONTENT)
    assert signed.check("model.dib", CONTENT) == 7
    assert signed.check("config.json", CONTENT) == 3


def test_the_digest_of_ones_own_gives_the_same():
    before = signatures.digest_maker
    signatures.digest_maker = lambda: Sha256
    try:
        assert of({"model.dib.sig": signature("model.dib", 7)}).check("model.dib", CONTENT) == 7
        assert "as it was signed" in refusal(of({"model.dib.sig": signature("model.dib", 7)}), content=CONTENT + b"x")
    finally:
        signatures.digest_maker = before


def test_without_hashlib_the_digest_is_ones_own():
    before = sys.modules.get("hashlib")
    for module, makes_own in ((object(), True), (WithNew(True), False), (WithNew(False), True)):
        sys.modules["hashlib"] = module
        try:
            assert (signatures.digest_maker() is Sha256) == makes_own
        finally:
            if before is None:
                del sys.modules["hashlib"]
            else:
                sys.modules["hashlib"] = before


class WithNew:
    """The hashlib of CircuitPython, where SHA-256 is in the build or isn't."""

    def __init__(self, has):
        self.has = has

    def new(self, name, data=b""):
        if not self.has:
            raise ValueError("Unsupported hash algorithm")
        return Sha256(data)


def test_a_forged_byte_anywhere_is_refused():
    right = signature("model.dib", 7)
    for at in range(len(right)):
        wrong = bytearray(right)
        wrong[at] ^= 1
        memory = Memory()
        assert refusal(of({"model.dib.sig": bytes(wrong)}, memory)).startswith("model.dib.sig: expected "), at
        assert memory.kept is None
    for at in (0, 255, 256, 599):
        content = bytearray(CONTENT)
        content[at] ^= 128
        assert "as it was signed with the node's key" in refusal(of({"model.dib.sig": right}), content=bytes(content))


def test_another_key_is_refused_and_no_key_is_told():
    signed = of({"model.dib.sig": signature("model.dib", 7), "node.key": KEY[:31] + b"\x00"})
    text = refusal(signed)
    assert text == "model.dib.sig: expected model.dib as it was signed with the node's key, got another"


def test_a_key_of_another_length_refuses_everything():
    for key in (b"", KEY[:31], KEY + b"\n"):
        text = refusal(of({"model.dib.sig": signature("model.dib", 7), "node.key": key}))
        assert text == "node.key: expected 32 bytes, got %s" % (len(key) if len(key) < 32 else "more")


def test_a_signature_of_another_length_is_refused():
    right = signature("model.dib", 7)
    assert refusal(of({})) == "model.dib.sig: expected it beside its file, as this node has a key, got none"
    for size in range(len(right)):
        assert refusal(of({"model.dib.sig": right[:size]})) == "model.dib.sig: expected 41 bytes, got %d" % size
    assert refusal(of({"model.dib.sig": right + b"x"})) == "model.dib.sig: expected 41 bytes, got more"


def test_a_signature_of_another_kind_is_refused():
    text = refusal(of({"config.json.sig": signature("model.dib", 7)}), "config.json")
    assert text == "config.json.sig: expected a signature of config.json, got another's"
    forged = bytearray(signature("model.dib", 7))
    forged[4] = KINDS.index("config.json")
    assert "as it was signed" in refusal(of({"config.json.sig": bytes(forged)}), "config.json")


def test_an_older_file_is_refused_after_a_newer_one_and_a_reset():
    memory = Memory()
    of({"model.dib.sig": signature("model.dib", 7)}, memory).accept("model.dib", CONTENT)
    of({"model.dib.sig": signature("model.dib", 8)}, memory).accept("model.dib", CONTENT)
    text = refusal(of({"model.dib.sig": signature("model.dib", 7)}, memory))
    assert text == "model.dib.sig: expected a counter of at least 8, got 7: an older file"
    of({"config.json.sig": signature("config.json", 3)}, memory).accept("config.json", CONTENT)  # each its own
    of({"model.dib.sig": signature("model.dib", 8)}, memory).accept("model.dib", CONTENT)
    assert memory.kept == bytes((8, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0) + (0,) * 8)


def test_checking_accepts_nothing():
    memory = Memory()
    assert of({"model.dib.sig": signature("model.dib", 8)}, memory).check("model.dib", CONTENT) == 8
    assert memory.kept is None


def test_what_cant_be_kept_isnt_accepted():
    memory = Memory()
    memory.full = True
    text = refusal(of({"model.dib.sig": signature("model.dib", 8)}, memory))
    assert text.startswith("expected to keep the counter of model.dib.sig, got OSError(")


def test_kept_counters_of_another_length_begin_anew():
    memory = Memory()
    memory.kept = b"\xff\xff"
    of({"model.dib.sig": signature("model.dib", 7)}, memory).accept("model.dib", CONTENT)
    assert memory.kept == bytes((7,)) + bytes(19)


def test_counters_of_firmware_that_knew_fewer_kinds_stay():
    memory = Memory()
    memory.kept = bytes((0, 0, 0, 0, 9, 0, 0, 0, 5, 0, 0, 0))
    of({"voice.dib.sig": signature("voice.dib", 3)}, memory).accept("voice.dib", CONTENT)
    assert memory.kept == bytes((0, 0, 0, 0, 9, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0)) + bytes(4)
