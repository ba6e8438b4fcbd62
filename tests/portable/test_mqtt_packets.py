"""MQTT against a stream that says what it is told to: exact bytes, bounded waits, hostile brokers."""

from dibble.report.mqtt import Client

PERIOD = 1 << 30
CONNACK = b"\x20\x02\0\0"


class Port:
    """A clock near its wrap-around that moves when somebody sleeps or asks."""

    def __init__(self):
        self.now_ms = PERIOD - 100

    def ticks_ms(self):
        self.now_ms += 1
        return self.now_ms % PERIOD

    def ticks_diff(self, newer, older):
        return (newer - older + PERIOD // 2) % PERIOD - PERIOD // 2

    def sleep_ms(self, ms):
        self.now_ms += ms


class Stream:
    """Gives `incoming` in pieces; takes `takes` bytes at a time; "?" in its place: nothing yet."""

    def __init__(self, incoming=b"", piece=99, takes=9999):
        self.incoming = incoming
        self.piece = piece
        self.takes = takes
        self.sent = b""
        self.closed = False
        self.failing = False

    def send(self, data):
        if self.failing:
            raise OSError(104)
        if not self.takes:
            return None
        taken = bytes(data[: self.takes])
        self.sent += taken
        return len(taken)

    def receive_into(self, buffer, size):
        if self.incoming is None:
            return 0
        count = min(size, self.piece, len(self.incoming))
        if not count:
            return None
        for i in range(count):
            buffer[i] = self.incoming[i]
        self.incoming = self.incoming[count:]
        return count

    def close(self):
        self.closed = True


def client_of(stream, **more):
    def open_stream(host, tcp_port, timeout_ms):
        return stream

    return Client(Port(), open_stream, "broker", 1883, "n1", timeout_ms=300, **more)


def connected(piece=99, **more):
    stream = Stream(CONNACK, piece)
    client = client_of(stream, **more)
    assert client.connect() and client.connected
    stream.sent = b""
    return client, stream


def failed(client, stream, words):
    """Tell whether a client gave up, in time, and says why."""
    return not client.connected and stream.closed and words in client.error


def elapsed(client, call):
    before = client._port.now_ms
    call()
    return client._port.now_ms - before


def test_connect_packet_of_the_least():
    stream = Stream(CONNACK)
    assert client_of(stream, keep_alive_s=258).connect()
    assert stream.sent == b"\x10\x0e\0\4MQTT\4\2\1\2\0\2n1"


def test_connect_packet_of_the_most():
    stream = Stream(CONNACK)
    client = client_of(stream, user="u", password="secret", will=("a/b", b"offline"), keep_alive_s=1)
    assert client.connect()
    # clean session, will at QoS 1 and retained, password, user
    body = b"\0\4MQTT\4\xee\0\1" + b"\0\2n1" + b"\0\3a/b" + b"\0\7offline" + b"\0\1u" + b"\0\6secret"
    assert stream.sent == bytes([0x10, len(body)]) + body


def test_publish_waits_for_its_own_acknowledgement():
    client, stream = connected()
    stream.incoming = b"\x40\2\0\7" + b"\x40\2\0\1"  # a late one of another message first
    assert client.publish("t", "hi")
    assert stream.sent == b"\x32\7\0\1t\0\1hi"
    assert stream.incoming == b""


def test_retained_publish_of_more_than_127_bytes():
    client, stream = connected()
    stream.incoming = b"\x40\2\0\1"
    assert client.publish("t", b"x" * 200, True)
    assert stream.sent == b"\x33\xcd\1\0\1t\0\1" + b"x" * 200


def test_packet_ids_never_are_zero():
    client, stream = connected()
    client._packet_id = 65534
    stream.incoming = b"\x40\2\xff\xff\x40\2\0\1"
    assert client.publish("t", "") and client.publish("t", "")
    assert stream.sent == b"\x32\5\0\1t\xff\xff" + b"\x32\5\0\1t\0\1"


def test_answers_arrive_in_any_pieces():
    for piece in (1, 2, 3):
        client, stream = connected(piece)
        stream.incoming = b"\x30\5\0\1tab" + b"\xd0\0" + b"\x40\2\0\1"
        assert client.publish("t", "hi")


def test_message_longer_than_the_buffer_is_skipped():
    client, stream = connected()
    stream.incoming = b"\x32\xe8\7" + b"\x40" * 1000 + b"\x40\2\0\1"
    assert client.publish("t", "hi")


def test_partial_sends_are_completed():
    client, stream = connected()
    stream.takes = 3
    stream.incoming = b"\x40\2\0\1"
    assert client.publish("topic", "payload")
    assert stream.sent == b"\x32\x10\0\5topic\0\1payload"


def test_no_answer_ends_in_time():
    for call in ("publish", "ping", "connect"):
        client, stream = connected()
        arguments = ("t", "x") if call == "publish" else ()
        result = []
        assert elapsed(client, lambda: result.append(getattr(client, call)(*arguments))) <= 303  # noqa: B023
        assert result == [False]
        assert failed(client, stream, "within 300 ms")


def test_stream_that_takes_nothing_ends_in_time():
    client, stream = connected()
    stream.takes = 0
    assert elapsed(client, lambda: client.publish("t", "x")) <= 303
    assert failed(client, stream, "within 300 ms")


def test_endless_flood_ends_in_time():
    client, stream = connected()
    stream.incoming = b"\xd0\0" * 5000  # answers to questions nobody asked
    assert elapsed(client, lambda: client.publish("t", "x")) <= 303
    assert failed(client, stream, "within 300 ms")
    client, stream = connected()
    stream.incoming = b"\x30\xff\xff\xff\x7f" + b"x" * 20000
    assert elapsed(client, lambda: client.publish("t", "x")) <= 303
    assert failed(client, stream, "within 300 ms")


def test_what_no_broker_sends_closes_the_connection():
    for packet in (
        b"\x40\3\0\1\0",  # PUBACK of another length
        b"\x41\2\0\1",  # PUBACK with flags
        b"\x10\0",  # CONNECT
        b"\x90\3\0\1\0",  # SUBACK, without a subscription
        b"\xd0\1x",  # PINGRESP with a body
        b"\x40\x80\x80\x80\x80\1",  # a remaining length of 5 bytes
        b"\0\0",
        b"\xff\0",
    ):
        client, stream = connected()
        stream.incoming = packet + b"\x40\2\0\1"
        assert not client.publish("t", "x"), packet
        assert failed(client, stream, "expected a "), packet


def test_every_first_byte_ends_in_time_without_an_exception():
    for first in range(256):
        client, stream = connected()
        stream.incoming = bytes([first, 2, 0, 2]) * 3
        assert elapsed(client, lambda: client.publish("t", "x")) <= 303  # noqa: B023
        assert not client.connected and stream.closed


def test_closed_by_the_broker():
    client, stream = connected()
    stream.incoming = None
    assert not client.publish("t", "x")
    assert failed(client, stream, "closed")
    assert not client.publish("t", "x") and not client.ping()


def test_error_of_the_stream_closes_it():
    client, stream = connected()
    stream.failing = True
    assert not client.publish("t", "x")
    assert failed(client, stream, "104")


def test_connect_that_cannot_open():
    def open_stream(host, tcp_port, timeout_ms):
        raise OSError("no route")

    client = Client(Port(), open_stream, "broker", 1883, "n1")
    assert not client.connect()
    assert client.error == "MQTT broker:1883: no route"


def test_refusals_are_named():
    for code, words in ((4, "user name or password"), (5, "not authorized"), (9, "code 9")):
        stream = Stream(b"\x20\2\0" + bytes([code]))
        client = client_of(stream)
        assert not client.connect()
        assert failed(client, stream, "refused: " + words)


def test_first_packet_has_to_be_connack():
    stream = Stream(b"\xd0\0" + CONNACK)
    client = client_of(stream)
    assert not client.connect()
    assert failed(client, stream, "expected CONNACK, got packet 0xd0")


def test_keep_alive_pings_when_half_the_time_is_up():
    client, stream = connected(keep_alive_s=10)
    client._port.now_ms += 4900
    assert client.keep_alive() and stream.sent == b""
    client._port.now_ms += 100
    stream.incoming = b"\xd0\0"
    assert client.keep_alive() and stream.sent == b"\xc0\0"
    stream.sent = b""
    assert client.keep_alive() and stream.sent == b""


def test_keep_alive_after_more_than_half_a_period_of_the_ticks():
    client, stream = connected(keep_alive_s=10)
    client._port.now_ms += PERIOD // 2 + 1
    stream.incoming = b"\xd0\0"
    assert client.keep_alive() and stream.sent == b"\xc0\0"


def test_disconnect_says_so():
    client, stream = connected()
    client.disconnect()
    assert stream.sent == b"\xe0\0" and stream.closed and not client.connected


def test_secrets_are_in_no_error_and_no_repr():
    for incoming in (None, b"", b"\x20\2\0\4", b"\xff\xff", b"\x20\2\0\0"):
        stream = Stream(incoming)
        client = client_of(stream, user="grower-name", password="s3cr3t")
        client.connect()
        for text in (client.error, repr(client), str(client)):
            assert "s3cr3t" not in text and "grower-name" not in text
