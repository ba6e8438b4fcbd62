"""Reports over Wi-Fi and MQTT: from the record log, so that an outage only delays them."""

from dibble import RecordError
from dibble.forgetting import forget
from dibble.inference.decision import Decision
from dibble.report.about import Health, about
from dibble.report.forward import forward
from dibble.report.home_assistant import messages, topic_of
from dibble.report.mqtt import Client
from dibble.report.name_lookup import look_up
from dibble.report.network_time import network_date
from dibble.report.state import state
from dibble.storage.record import decode
from dibble.storage.words import number_bytes

RECORDS_A_TIME = 24
PATIENCE_MS = 3600000
LOOKING = ("dibble.update.looking", "dibble.update.kept", "dibble.update.offered")
_DAY_S = 86400


class Logged:
    """A record of the log as a report."""

    def __init__(self, node):
        self.classes = node.classes
        self.channels = node.channels
        self.decision = Decision(1)
        self.faults = 0

    def payload(self, number, record):
        """Return a record as JSON; None of one that another model made, or that isn't a record."""
        try:
            day, second, class_index, held_index, flags, margin, battery, self.action, self.readings = decode(record)
        except RecordError:
            return None
        if len(self.readings) != len(self.channels):
            return None
        self.sequence = number
        self.time_s = day * _DAY_S + second
        self.decision.settle(class_index, margin, flags, -1)
        self.decision.held_index = held_index
        self.battery_mv = battery or None
        return state(self)


class Radio:
    """Sends what the log holds: every so many cycles, and when the held class changes.

    Args:
        node: the Node.
        settings: of config.json's mqtt.
        name: the node's.
        sent: Slots of the number of the last record that arrived, which is `last`.
    Attributes:
        complete: an update has come whole, to be placed when the radio is off.
    """

    def __init__(self, node, settings, name, sent, last):
        port = node.port
        self._port = port
        self._name = name
        self._every = settings["every"]
        self._patience = max(4 * self._every, PATIENCE_MS // node.interval_ms)
        self._join_ms = settings["join_ms"]
        self._timeout_ms = settings["timeout_ms"]
        self._discover = settings["discovery"]
        self._left = 0
        self._held = -1
        self._time_host = settings["time_host"]
        self._clock_day = -1  # on which the clock was set
        self._clock_error = ""
        self._ca = settings["ca"]
        self._failures = 0
        self._updates = settings["updates"]
        self.complete = False
        self._told = ["", ""]  # texts of `about` and `update`
        self._settled = None  # bytes of an offer of which nothing more comes
        self._health = Health()
        self._sent = sent
        self._last = last
        self._logged = Logged(node)
        self._client = Client(
            port,
            self._open,
            settings["host"],
            settings["port"],
            "dibble-" + port.node_id(),
            settings["user"] or None,
            port.secret("MQTT_PASSWORD") or None,
            (topic_of(name, "status"), "offline"),
            min(65535, 3 * self._every * node.interval_ms // 1000),
            self._timeout_ms,
        )

    def report(self, node):
        """Send if it's time; return why that didn't arrive, "" if it did; None: it isn't time.

        Takes at most the time to join and fourteen timeouts. After each failure to join the pause is twice as long, up
        to four times `every`, or an hour; as long as what came by radio hasn't reported, each cycle tries.

        Raises:
            Exception: what the radio's driver raises; the next report comes in its time all the same.
        """
        self._left -= 1
        self._health.count(node.decision)
        held = node.decision.held_index
        on_trial = node.boot.awaits_report
        if self._left > 0 and not on_trial and (held == self._held or self._failures):
            return None
        self._held = held
        self._left = min(self._every << min(self._failures, 10), max(self._every, self._patience))
        self._failures += 1
        node.log.flush()
        error = ""
        try:
            if not self._port.connect(self._join_ms):
                return "Wi-Fi: expected to join within %d ms" % self._join_ms
            self._failures = 0
            self._set_clock(node)
            if not self._send(node):
                error = self._client.error
            elif on_trial:
                node.boot.report_arrived()
                self._left = 0  # until it's confirmed
            self._client.disconnect()
        finally:
            self._port.disconnect()
        return error

    def hurry(self):
        """There is something to tell: report at the next cycle."""
        self._left = 0

    def _open(self, host, tcp_port, timeout_ms):
        """Return a connection to the broker; the look-up of its name counts as time."""
        started_ms = self._port.ticks_ms()
        address = look_up(self._port, host, timeout_ms)
        timeout_ms -= self._port.ticks_diff(self._port.ticks_ms(), started_ms)
        if not self._ca:
            return self._port.open_stream(address, tcp_port, max(timeout_ms, 1))
        with open(self._ca, "rb") as file:
            authority = file.read()
        return self._port.open_stream(address, tcp_port, max(timeout_ms, 1), (host, authority))

    def _set_clock(self, node):
        """Ask for the time where the clock isn't set, and once a day: what can't be had is told and waits."""
        port = self._port
        if not self._time_host or port.date_is_set() and port.date()[0] == self._clock_day:
            return
        error = ""
        try:
            port.set_date(*network_date(port, self._time_host, self._timeout_ms))
            if node.clock:
                node.clock.set_by_others()
            if self._clock_day < 0:
                node.tell("clock", "set by " + self._time_host)
            self._clock_day = port.date()[0]
        except OSError as caught:
            error = str(caught)
            if error != self._clock_error:
                node.tell("clock", error)
        self._clock_error = error

    def _send(self, node):
        """Return whether the broker has everything that fits into this time."""
        client = self._client
        if not client.connect() or not client.publish(topic_of(self._name, "status"), "online", True):
            return False
        if self._discover:
            expire_s = 3 * self._every * node.interval_ms // 1000
            started_ms = self._port.ticks_ms()
            from dibble.report import diagnostics

            for found in (
                messages(self._name, self._port.KIND, node.classes, node.channels, expire_s),
                diagnostics.messages(self._name, self._port.KIND, expire_s, self._updates),
            ):
                for topic, payload in found:
                    late = self._port.ticks_diff(self._port.ticks_ms(), started_ms) > self._timeout_ms
                    if late or not client.publish(topic, payload, True):
                        return False
            forget("dibble.report.diagnostics")
            self._discover = False
        if not self._tell(0, "about", about(node)):
            return False
        if self._updates and not client.subscribe(topic_of(self._name, "in/+")):
            return False
        last = forward(
            client,
            node.log,
            self._last,
            topic_of(self._name, "state"),
            self._logged.payload,
            RECORDS_A_TIME,
            3 * self._timeout_ms,
            self._port,
        )
        if last != self._last:
            self._last = last
            try:
                self._sent.write(number_bytes(last))
            except RecordError as error:  # some are sent twice after a power cut
                node.tell("log", str(error))
        if client.connected:
            client.publish(topic_of(self._name, "health"), self._health.text(node), True)
        if client.connected and self._updates:
            self._resend(node)
            self._follow(node)
        return client.connected

    def _tell(self, place, topic, text):
        """Publish a retained text where it is another than the last; return whether the broker has it."""
        if self._told[place] != text:
            if not self._client.publish(topic_of(self._name, topic), text, True):
                return False
            self._told[place] = text
        return True

    def _resend(self, node):
        """Send the log again from the record on that somebody misses."""
        asked = self._client.inbox.get(b"resend")
        if asked and self._client.publish(topic_of(self._name, "in/resend"), b"", True):
            number = bytes(asked)
            if number.isdigit() and len(number) < 10:
                self._last = min(self._last, max(int(number) - 1, 0))
                self._left = 0

    def _follow(self, node):
        """Look after an update, where there is one."""
        client = self._client
        offer = client.inbox.get(b"offer")
        if offer == self._settled and self._told[1]:
            return
        topic = topic_of(self._name, "")
        from dibble.update.trial import settle

        settle(node)
        del settle
        forget("dibble.update.trial")
        from dibble.update.looking import look

        standing = look(node, client, topic)
        del look
        forget(*LOOKING)  # it and what comes don't have to fit at once
        if standing.offer:
            from dibble.update.room import parcel_of

            parcel = parcel_of(standing, self._port)
            del parcel_of
            forget("dibble.update.room", "dibble.update.opening")
            if parcel:
                from dibble.update.receiving import receive

                self.complete = receive(standing, parcel, self._port, client, topic, 2 * self._timeout_ms)
                del receive, parcel
            forget("dibble.update.receiving", "dibble.update.parcel")
        told = False
        if client.connected:
            from dibble.update.telling import text_of

            told = self._tell(1, "update", text_of(standing, node.classifier and node.classifier.identity))
        self._settled = offer if told and standing.settled else b""
        forget("dibble.update.telling", "dibble.update.offer")
