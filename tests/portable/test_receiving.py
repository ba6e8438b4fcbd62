"""Pieces of an update by MQTT: asked for one by one, written once, and nothing allocated between two of them."""

import dibble.update.opening as opening_module
from dibble.report.mqtt import Client
from dibble.update.offer import crc16
from dibble.update.offered import offer_of
from dibble.update.reading import ReadParcel, Stream
from dibble.update.receiving import fetch
from support import Random, heap_lock, heap_unlock

PIECE = 60
CRC = b"\x01\x02\x03\x04"  # of the stream: what it is isn't looked at before all is there
random = Random(5)
DATA = bytes([random.below(256) for _ in range(3 * PIECE + 7)])


class File:
    """A file in memory, as some VM's folder can't be written; of 1 KB at most, so that writing allocates nothing."""

    kept = bytearray(1024)
    size = -1  # -1: there is none

    def __init__(self, path, mode):
        if mode == "wb":
            File.size = 0
        elif File.size < 0:
            raise OSError(2)
        self.at = 0

    def read(self, size):
        size = min(size, File.size - self.at)
        self.at += size
        return bytes(File.kept[self.at - size : self.at])

    def readinto(self, target):
        size = max(0, min(len(target), File.size - self.at))
        for i in range(size):
            target[i] = File.kept[self.at + i]
        self.at += size
        return size

    def write(self, data):
        for i in range(len(data)):
            File.kept[self.at + i] = data[i]
        self.at += len(data)
        File.size = max(File.size, self.at)

    def seek(self, at):
        self.at = at

    def close(self):
        pass


def opened():
    """Return the parcel as it is in the file."""
    opening_module.open = File
    try:
        return ReadParcel(offer())
    finally:
        del opening_module.open


def message(number, data=None):
    """Return a piece's message."""
    whole = bytes((number, 0)) + (DATA[number * PIECE : (number + 1) * PIECE] if data is None else data)
    check = crc16(whole, 0, len(whole), crc16(CRC, 0, 4))
    return whole + bytes((check >> 8, check & 255))


def offer():
    head = bytes((0x10, PIECE, 0, len(DATA), 0, 0)) + CRC + b"1234"
    check = crc16(head, 0, len(head))
    return offer_of(head + bytes((check >> 8, check & 255)))


def published(number, payload):
    topic = b"dibble/n/piece/%04d" % number
    body = bytes((0, len(topic))) + topic + payload
    return bytes((0x30, len(body))) + body


class Broker:
    """A stream that gives what is prepared, and a port whose time stands still; neither allocates anything."""

    def __init__(self, incoming):
        self.incoming = incoming
        self.at = 0
        self.asked = bytearray(40)

    def send(self, data):
        for i in range(min(len(data), len(self.asked))):
            self.asked[i] = data[i]
        return len(data)

    def receive_into(self, buffer, size):
        count = min(size, len(self.incoming) - self.at)
        for i in range(count):
            buffer[i] = self.incoming[self.at + i]
        self.at += count
        return count

    def close(self):
        pass

    def ticks_ms(self):
        return 5

    def ticks_diff(self, newer, older):
        return newer - older

    def sleep_ms(self, ms):
        pass


def receive(parcel, incoming):
    """Return what fetch() returns."""
    broker = Broker(b"\x20\x02\0\0" + incoming)
    client = Client(broker, lambda host, port, timeout_ms: broker, "broker", 1883, "n")
    assert client.connect()
    return fetch(parcel, broker, client, "dibble/n/", 1000)


def start():
    File.size = -1
    return opened()


def content(parcel):
    stream = Stream(parcel, lambda: None)
    data = b""
    piece = stream.read(25)
    while piece:
        data += piece
        piece = stream.read(25)
    return data


def answers(*numbers):
    """Return what a broker says to so many subscriptions; each SUBACK has the number of its own."""
    return b"".join([b"\x90\x03\0\x01\0" + published(number, message(number)) for number in numbers])


def test_pieces_come_one_by_one():
    parcel = start()
    assert receive(parcel, answers(0, 1, 2, 3)) == ""
    assert parcel.have == 4 and content(parcel) == DATA
    parcel.close()


def test_taking_a_piece_allocates_nothing():
    parcel = start()
    for number in range(4):
        data = message(number)
        for i in range(len(data)):
            parcel.buffer[i] = data[i]
        size = len(data)
        heap_lock()
        try:
            taken = parcel.take(size)
            missing = parcel.missing()
        finally:
            heap_unlock()
        assert taken and missing == (number + 1 if number < 3 else -1)
    assert content(parcel) == DATA
    parcel.close()


def test_asking_for_a_piece_allocates_nothing():
    from dibble.report.mqtt import subscription

    broker = Broker(b"\x20\x02\0\0" + answers(0, 1))
    client = Client(broker, lambda host, port, timeout_ms: broker, "broker", 1883, "n")
    assert client.connect()
    packet = subscription("dibble/n/piece/0000")
    target = bytearray(PIECE + 4)
    for number in range(2):
        packet[len(packet) - 2] = 48 + number
        heap_lock()
        try:
            size = client.fetch(packet, target)
        finally:
            heap_unlock()
        assert bytes(target[:size]) == message(number)


def test_what_is_there_is_not_asked_for_nor_written_again():
    parcel = start()
    assert "closed the connection" in receive(parcel, answers(0, 1))
    parcel.close()
    again = opened()
    assert again.have == 2 and again.missing() == 2
    size = File.size
    data = message(1)
    again.buffer[: len(data)] = data
    assert again.take(len(data))
    again.close()
    assert File.size == size
    more = opened()
    assert receive(more, answers(2, 3)) == "" and content(more) == DATA
    more.close()


def test_what_a_cut_leaves_of_a_message_is_written_over():
    parcel = start()
    receive(parcel, answers(0, 1))
    parcel.close()
    torn = File("update.part", "ab")
    torn.seek(File.size)
    torn.write(message(2)[:20])
    again = opened()
    assert again.missing() == 2
    assert receive(again, answers(2, 3)) == "" and content(again) == DATA
    again.close()


def test_a_message_of_another_stream_or_a_damaged_one_is_none():
    parcel = start()
    for wrong in (message(0)[:-1], message(9, b"x" * PIECE), b"\0\0" + message(0)[3:] + b"\0"):
        parcel.buffer[: len(wrong)] = wrong
        assert not parcel.take(len(wrong))
    damaged = bytearray(message(0))
    damaged[9] ^= 1
    assert "expected one of this offer" in receive(parcel, b"\x90\x03\0\x01\0" + published(0, damaged))
    assert parcel.have == 0
    parcel.close()


def test_an_offer_with_a_flipped_bit_is_none():
    data = offer().data
    for i in range(len(data)):
        wrong = bytearray(data)
        wrong[i] ^= 4
        try:
            offer_of(wrong)
        except ValueError:
            continue
        raise AssertionError("expected byte %d to matter" % i)
