"""An update by LoRaWAN, assembled on the runtime's own file system: any order, a fifth lost, a start in between."""

import os

from dibble.inference.crc32 import crc32
from dibble.storage.words import crc_bytes
from dibble.update.lorawan import Downlinks
from dibble.update.offer import crc16 as fast_crc16
from dibble.update.reading import ReadParcel, Stream
from sums_oracle import Chance, line_of

PIECE_BYTES = 47


class MemoryFile:
    """A file over bytes that stay when it is closed."""

    def __init__(self, data):
        self._data = data
        self._at = 0

    def seek(self, at, whence=0):
        self._at = at + (len(self._data) if whence else 0)
        return self._at

    def read(self, size):
        self._at += size
        return bytes(self._data[self._at - size : self._at])

    def readinto(self, buffer):
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def write(self, data):
        self._data[self._at : self._at + len(data)] = data
        self._at += len(data)

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class MemoryFiles:
    """Files where the runtime has none that can be written."""

    def __init__(self):
        self._files = {}

    def mount(self, readonly, mkfs):
        pass

    def chdir(self, path):
        pass

    def open(self, path, mode):
        path = path.split("/")[-1]
        if mode[0] == "w":
            self._files[path] = bytearray()
        elif path not in self._files:
            raise OSError(2)
        return MemoryFile(self._files[path])

    def remove(self, path):
        if self._files.pop(path.split("/")[-1], None) is None:
            raise OSError(2)


try:
    open("update.part", "wb").close()
    os.remove("update.part")
except OSError:  # the WASI VM's folder is read-only
    os.mount(MemoryFiles(), "/memory")
    os.chdir("/memory")


class Port:
    def feed_watchdog(self):
        pass


class Node:
    """What an assembler asks of a node."""

    port = Port()
    classifier = gate = None
    config_text = b"{}"


def crc16(data, crc=0xFFFF):
    """Bit by bit: the polynomial 0x1021."""
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return bytes((crc >> 8, crc & 255))


def check_of(stream):
    crc = crc32(stream, len(stream))
    raw = crc16(crc_bytes(crc))
    return raw[0] << 8 | raw[1], crc_bytes(crc)


def messages(stream, sums):
    """Return offer, pieces and sums of a stream, as the host makes them."""
    count = -(-len(stream) // PIECE_BYTES)
    seed, crc = check_of(stream)
    size = len(stream)
    offer = bytes((16, PIECE_BYTES, 0, size & 255, size >> 8, 0)) + crc + stream[-4:]
    found = [b"\xff\xff" + offer + crc16(offer)]
    pieces = [stream[i * PIECE_BYTES : (i + 1) * PIECE_BYTES] for i in range(count)]
    for number in range(count + sums):
        if number < count:
            data = pieces[number]
        else:
            data = bytearray(PIECE_BYTES)
            bits = line_of(number - count + 1, count)
            for i in range(count):
                for j in range(len(pieces[i]) if bits[i] else 0):
                    data[j] ^= pieces[i][j]
        body = bytes((number & 255, number >> 8)) + bytes(data)
        found.append(body + crc16(body, seed))
    return found


def bytes_of(size, chance):
    return bytes([chance.next() & 255 for _ in range(size)])


def clear():
    try:
        os.remove("update.part")
    except OSError:
        pass


def received():
    parcel = ReadParcel()
    stream = Stream(parcel, lambda: None)
    data = b""
    piece = stream.read(40)
    while piece:
        data += piece
        piece = stream.read(40)
    parcel.close()
    return data


def test_all_comes_whatever_is_lost_and_in_whatever_order():
    for seed in range(1, 5):
        clear()
        chance = Chance(seed)
        stream = bytes_of(150 + 97 * seed, chance)
        offer, *others = messages(stream, 14)
        ear = Downlinks(Node())
        assert ear.take(offer)
        for i in range(len(others) - 1, 0, -1):
            j = chance.next() % (i + 1)
            others[i], others[j] = others[j], others[i]
        for number, payload in enumerate(others):
            if chance.next() % 5 and not ear.complete:
                assert ear.take(payload)
            if number == 4:  # the power fails: pieces stay, sums don't
                ear = Downlinks(Node())
        assert ear.complete and received() == stream
    clear()


def test_an_answer_has_a_bit_for_each_missing_piece():
    clear()
    stream = bytes_of(500, Chance(9))
    offer, *pieces = messages(stream, 0)
    ear = Downlinks(Node())
    assert ear.answer() == bytes(6) and not ear.take(pieces[0])
    assert ear.take(offer) and ear.take(pieces[0]) and ear.take(pieces[9])
    assert ear.answer() == b"\x01" + check_of(stream)[1] + b"\x09" + bytes((0b01111111, 0b10100000))
    wrong = bytearray(pieces[3])
    wrong[7] ^= 1
    assert not ear.take(bytes(wrong))
    clear()


def test_checks_are_those_of_a_known_polynomial():
    assert fast_crc16(b"123456789", 0, 9) == 0x29B1  # CRC-16/IBM-3740, its catalogue's check value
    assert fast_crc16(b"x123456789y", 1, 10) == 0x29B1
