"""MQTT 3.1.1, as much as a node needs: connect, publish with an acknowledgement, subscribe, ping.

No call outlasts its timeout.

Nothing is kept for another try: the record log is the queue, see report/forward.py. After any error
the connection is closed, so an acknowledgement can't belong to a message of another connection.
Sections are those of the OASIS standard MQTT 3.1.1.
"""

_CONNACK, _PUBLISH, _PUBACK, _SUBACK, _PINGRESP = 0x20, 0x30, 0x40, 0x90, 0xD0
_POLL_MS = 2
_BUFFER_BYTES = 64  # of a message at a time, and the most of one for the inbox
_NAME_BYTES = 8  # the most of the last part of a topic that fetch() asks for
_SLASH = 0x2F
_REFUSALS = ("protocol version", "client id", "server unavailable", "user name or password", "not authorized")


def _field(text):
    """Return a string with its length before it (1.5.3)."""
    if isinstance(text, str):
        text = text.encode()
    return bytes((len(text) >> 8, len(text) & 255)) + text


def _packet(kind, head, payload=b""):
    """Return a packet of two parts; the remaining length is in groups of 7 bits, least first (2.2.3)."""
    size = len(head) + len(payload)
    packet = bytearray((kind,))
    while size > 127:
        packet.append(size & 127 | 128)
        size >>= 7
    packet.append(size)
    packet.extend(head)
    packet.extend(payload)
    return packet


class Client:
    """A connection to a broker, opened by connect() and closed by whatever goes wrong.

    Args:
        port: has ticks_ms(), ticks_diff(newer, older), sleep_ms(ms).
        open_stream: open_stream(host, tcp_port, timeout_ms) -> stream, or raises OSError. A stream never
            blocks: send(data) -> bytes taken or None; receive_into(buffer, size) -> bytes, 0 when
            closed, None when there are none yet; close().
        host, tcp_port: the broker.
        client_id: the broker closes an older connection of the same name.
        user, password: None where the broker asks for none.
        will: (topic, payload) that the broker publishes, retained, when the node falls silent; or None.
        keep_alive_s: silence after which the broker gives the node up, 1..65535.
        timeout_ms: the longest that connect(), publish() and ping() take.
    Attributes:
        connected: whether the last thing heard of the connection was good.
        error: why it isn't connected; never holds user or password.
        inbox: what came of subscribe(), by the last part of its topic; None: nothing is subscribed to.
    """

    def __init__(
        self,
        port,
        open_stream,
        host,
        tcp_port,
        client_id,
        user=None,
        password=None,
        will=None,
        keep_alive_s=1800,
        timeout_ms=3000,
    ):
        self.timeout_ms = timeout_ms
        self.connected = False
        self.error = "not connected yet"
        self._port = port
        self._open = open_stream
        self._host = host
        self._tcp_port = tcp_port
        self._keep_alive_s = keep_alive_s
        self._hello = _hello(client_id, user, password, will, keep_alive_s)
        self._stream = None
        self._packet_id = 0
        self._started_ms = self._sent_ms = 0
        self._value = 0  # of the last answer received: its two bytes
        self.inbox = None
        self._target = None  # of the message that fetch() waits for
        self._name = bytearray(_NAME_BYTES)
        self._name_bytes = 0
        self._arrived = -1
        self._buffer = bytearray(_BUFFER_BYTES)

    def connect(self):
        """Return whether the broker took the connection; an older one is closed."""
        self._close()
        self.inbox = None
        self._started_ms = self._port.ticks_ms()
        try:
            self._stream = self._open(self._host, self._tcp_port, self.timeout_ms)
            self._send(self._hello)
            kind = self._receive()
            if kind != _CONNACK:
                raise OSError("expected CONNACK, got packet 0x%02x" % kind)
            if self._value:
                code = self._value & 255
                reason = _REFUSALS[code - 1] if 0 < code <= len(_REFUSALS) else "code %d" % code
                raise OSError("expected the broker to take the connection, refused: " + reason)
        except OSError as error:
            return self._fail(error)
        self.connected = True
        return True

    def publish(self, topic, payload, retain=False):
        """Return whether the broker acknowledged a message, QoS 1.

        Args:
            topic: str.
            payload: str or bytes.
        """
        if isinstance(payload, str):
            payload = payload.encode()
        self._packet_id = packet_id = self._packet_id % 0xFFFF + 1
        head = _field(topic) + bytes((packet_id >> 8, packet_id & 255))
        return self._exchange(_packet(0x33 if retain else 0x32, head, payload), _PUBACK, packet_id)

    def subscribe(self, topic):
        """Return whether the broker took a subscription, QoS 0; its short messages come to the inbox with answers."""
        self.inbox = {}
        packet = subscription(topic)
        return self._exchange(packet, _SUBACK, self._numbered(packet))

    def fetch(self, packet, target):
        """Return the size of a retained message, copied to `target`; -1: none came in time: the connection is closed.

        Args:
            packet: subscription() of its topic, whose last part has at most 8 bytes; these may be others each time, so
                that nothing is allocated.
            target: bytearray; a longer message isn't copied: -1 in time.
        """
        if not self.connected:
            return -1
        end = len(packet) - 1
        start = end
        while packet[start - 1] != _SLASH:
            start -= 1
        for i in range(end - start):
            self._name[i] = packet[start + i]
        self._name_bytes = end - start
        self._target = target
        self._arrived = -1
        self._numbered(packet)
        self._started_ms = self._port.ticks_ms()
        try:
            self._send(packet)
            while self._arrived < 0:
                self._receive()
        except OSError as error:
            self._fail(error)
        self._target = None
        return self._arrived

    def ping(self):
        """Return whether the broker answers."""
        return self._exchange(b"\xc0\x00", _PINGRESP, 0)

    def keep_alive(self):
        """Ping if half of the time is up after which the broker would give the node up; return whether connected."""
        silent_ms = self._port.ticks_diff(self._port.ticks_ms(), self._sent_ms)
        # 500 * 65535 < 2**30. After half a period of the ticks the difference is negative: that was long, too.
        if self.connected and not 0 <= silent_ms < 500 * self._keep_alive_s:
            self.ping()
        return self.connected

    def disconnect(self):
        """Part from the broker, which then doesn't publish the will."""
        if self.connected:
            self._started_ms = self._port.ticks_ms()
            try:
                self._send(b"\xe0\x00")
            except OSError:
                pass
        self._close()
        self.error = "disconnected"

    def _exchange(self, packet, kind, value):
        """Send a packet and wait for its answer; answers to others and messages are read and dropped."""
        if not self.connected:
            return False
        self._started_ms = self._port.ticks_ms()
        try:
            self._send(packet)
            while self._receive() != kind or self._value != value:
                pass
        except OSError as error:
            return self._fail(error)
        return True

    def _send(self, packet):
        sent = 0
        rest = packet
        while sent < len(packet):
            self._check_time()
            count = self._stream.send(rest)
            if count:
                sent += count
                if sent < len(packet):
                    rest = memoryview(packet)[sent:]
            else:
                self._port.sleep_ms(_POLL_MS)
        self._sent_ms = self._port.ticks_ms()

    def _numbered(self, packet):
        """Give a SUBSCRIBE packet the next number; return it."""
        self._packet_id = packet_id = self._packet_id % 0xFFFF + 1
        at = 2 if packet[1] < 128 else 3
        packet[at] = packet_id >> 8
        packet[at + 1] = packet_id & 255
        return packet_id

    def _receive(self):
        """Return the kind of the next packet; `_value` has an answer's two bytes then.

        Raises:
            OSError: time is up, the connection is closed, or a broker wouldn't send this.
        """
        kind = self._byte()
        size = shift = 0
        more = True
        while more:
            if shift > 21:
                raise OSError("expected a remaining length of at most 4 bytes")
            byte = self._byte()
            size |= (byte & 127) << shift  # < 2**28
            shift += 7
            more = byte > 127
        asked = self.inbox is not None or self._target is not None  # for more than answers
        if (kind == _CONNACK or kind == _PUBACK) and size == 2 or kind == _SUBACK and size == 3 and asked:
            value = self._byte() << 8
            self._value = value | self._byte()
            if kind == _SUBACK and self._byte() > 2:
                raise OSError("expected the broker to take a subscription, refused")
            return kind
        if not (kind & 0xF0 == _PUBLISH or kind == _PINGRESP and not size):
            raise OSError("expected a broker's packet, got 0x%02x of %d bytes" % (kind, size))
        self._value = 0
        if size and asked and not kind & 6:  # QoS 0, as it was asked for
            self._message(size)
        else:
            self._skip(size)
        return kind

    def _message(self, size):
        """Take a PUBLISH packet's message (3.3): fetch()'s, or a short one to the inbox; others are dropped."""
        length = self._byte() << 8
        length |= self._byte()
        size -= 2 + length
        if size < 0:
            raise OSError("expected a message with its topic, got a longer topic")
        if self._target is None:
            self._to_inbox(length, size)
            return
        count = 0
        same = True
        while length:
            length -= 1
            byte = self._byte()
            if byte == _SLASH:
                count = 0
                same = True
            else:
                same = same and count < self._name_bytes and byte == self._name[count]
                count += 1
        if same and count == self._name_bytes and size <= len(self._target):
            self._copy(self._target, size)
            self._arrived = size
        else:
            self._skip(size)

    def _to_inbox(self, length, size):
        if length > _BUFFER_BYTES << 2 or size > _BUFFER_BYTES:
            self._skip(length + size)
            return
        topic = bytearray(length)
        self._copy(topic, length)
        content = bytearray(size)
        self._copy(content, size)
        self.inbox[bytes(topic).split(b"/")[-1]] = content

    def _copy(self, target, size):
        """Wait for so many bytes of a message; what a stream gives goes to a buffer's start."""
        at = 0
        while at < size:
            for i in range(self._take(min(size - at, _BUFFER_BYTES))):
                target[at] = self._buffer[i]
                at += 1

    def _skip(self, size):
        while size:
            size -= self._take(min(size, _BUFFER_BYTES))

    def _byte(self):
        self._take(1)
        return self._buffer[0]

    def _take(self, size):
        """Wait for 1..size bytes in the buffer; return how many came."""
        while True:
            self._check_time()
            count = self._stream.receive_into(self._buffer, size)
            if count:
                return count
            if count == 0:
                raise OSError("expected an answer, but the broker closed the connection")
            self._port.sleep_ms(_POLL_MS)

    def _check_time(self):
        if self._port.ticks_diff(self._port.ticks_ms(), self._started_ms) >= self.timeout_ms:
            raise OSError("expected the broker's answer within %d ms" % self.timeout_ms)

    def _fail(self, error):
        self._close()
        self.error = "MQTT %s:%d: %s" % (self._host, self._tcp_port, error)
        return False

    def _close(self):
        self.connected = False
        stream = self._stream
        self._stream = None
        if stream:
            try:
                stream.close()
            except OSError:
                pass


def subscription(topic):
    """Return the SUBSCRIBE packet of a topic, QoS 0 (3.8), as a bytearray; its number comes with the sending."""
    return _packet(0x82, b"\0\0", _field(topic) + b"\0")


def _hello(client_id, user, password, will, keep_alive_s):
    """Return the CONNECT packet (3.1): clean session, will retained at QoS 1."""
    flags = 0x02
    body = _field(client_id)
    if will:
        flags |= 0x2C
        body += _field(will[0]) + _field(will[1])
    if user is not None:
        flags |= 0x80
        body += _field(user)
        if password is not None:  # [MQTT-3.1.2-22]: none without a user
            flags |= 0x40
            body += _field(password)
    head = b"\x00\x04MQTT\x04" + bytes((flags, keep_alive_s >> 8, keep_alive_s & 255))
    return _packet(0x10, head, body)
