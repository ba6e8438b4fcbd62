"""The SHA-256 for runtimes without one, against published digests and the runtime's own where there is one."""

from binascii import hexlify

from dibble.storage.sha256 import Sha256
from support import Random

try:
    from hashlib import sha256
except ImportError:
    sha256 = None


def digest(*pieces):
    sums = Sha256(pieces[0])
    for piece in pieces[1:]:
        sums.update(piece)
    return hexlify(sums.digest())


def test_published_digests():
    # FIPS 180-4's examples: one block, two blocks; and of nothing.
    assert digest(b"abc") == b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    two = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
    assert digest(two) == b"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    assert digest(b"") == b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_pieces_give_what_the_whole_gives():
    data = bytes([i * 7 & 255 for i in range(300)])
    whole = digest(data)
    for at in (1, 55, 56, 63, 64, 65, 128, 299):
        assert digest(data[:at], data[at:]) == whole, at


def test_every_length_around_a_block_as_the_runtime_has_it():
    random = Random(7)
    if sha256 is None:
        return
    for size in (1, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 127, 128, 129, 700):
        data = bytes([random.below(256) for _ in range(size)])
        assert digest(data) == hexlify(sha256(data).digest()), size


def test_halves_at_their_ends():
    assert digest(b"\xff" * 64) == b"8667e718294e9e0df1d30600ba3eeb201f764aad2dad72748643e4a285e1d1f7"
    assert digest(b"\x00" * 64) == b"f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"
