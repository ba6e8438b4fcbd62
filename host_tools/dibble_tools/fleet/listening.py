"""`dibble fleet listen`: from the broker into the database, nothing acknowledged before it is stored."""

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from dibble_tools.common.errors import InputError
from dibble_tools.fleet.broker import Broker
from dibble_tools.fleet.intake import Arrival, Gap, Intake
from dibble_tools.fleet.messages import TOPICS

MOST_AT_ONCE = 500
MOST_WAITING = 2000  # messages that wait here to be stored; more wait at the broker
LULL_S = 0.02  # a batch ends when nothing more comes so long
TURN_S = 0.5  # after which a listener that waits for room looks whether it has ended
PAUSE_S = 2.0  # before another try where the database can't be written


@dataclass
class Tally:
    """What was taken until now: records that weren't there, those that were, messages of no node, gaps asked for."""

    new: int = 0
    repeated: int = 0
    unfit: int = 0
    asked: int = 0

    def text(self) -> str:
        parts = [f"{self.new} records"]
        parts += [f"{self.repeated} came twice"] if self.repeated else []
        parts += [f"{self.asked} gaps asked for"] if self.asked else []
        parts += [f"{self.unfit} messages of no node"] if self.unfit else []
        return ", ".join(parts)


class Subscriber:
    """A subscriber whose session outlives it: while it is away, the broker keeps what nodes say.

    A message is acknowledged to the broker when its transaction is on the disk, so whatever is killed, each record
    is stored or comes again; the intake tells repeats.

    Args:
        broker: where it listens.
        engine: of open_database.
        clock: seconds since 1970.
        say: takes a line on what happens: connected, lost, asked again.
    """

    def __init__(
        self, broker: Broker, engine: Engine, say: Callable[[str], None], clock: Callable[[], float] = time.time
    ) -> None:
        self.counts = Tally()
        self._intake = Intake(engine)
        self._say = say
        self._clock = clock
        self._come: queue.Queue[paho.MQTTMessage] = queue.Queue(MOST_WAITING)
        self._ended = False
        self._client = broker.client("dibble-fleet", clean=False)
        self._client.manual_ack_set(True)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._parted
        self._client.on_message = self._take
        self._broker = broker

    def __enter__(self) -> "Subscriber":
        self._broker.connect(self._client)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._client.on_disconnect = None
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._say(f"{self._broker}: expected to be let in, got: {reason}")
            return
        client.subscribe([(f"dibble/+/{what}", 1) for what in TOPICS])
        self._say(f"{self._broker}: connected")

    def _take(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        """Let a message wait to be stored; where too many do, nothing is read from the broker meanwhile."""
        while not self._ended:
            try:
                self._come.put(message, timeout=TURN_S)
                return
            except queue.Full:
                pass

    def _parted(self, *_: Any) -> None:
        self._say(f"{self._broker}: connection lost, trying again")

    def turn(self, wait_s: float) -> int:
        """Store the next batch; return how many messages it had: none where none came within the time.

        Raises:
            InputError: the database can't be written, and another try couldn't either.
        """
        try:
            batch = [self._come.get(timeout=wait_s)]
        except queue.Empty:
            return 0
        try:
            while len(batch) < MOST_AT_ONCE:
                batch.append(self._come.get(timeout=LULL_S))
        except queue.Empty:
            pass
        came_s = int(self._clock())
        gaps = self._stored([Arrival(message.topic, bytes(message.payload), came_s) for message in batch])
        for message in batch:
            self._client.ack(message.mid, message.qos)
        for gap in gaps:  # once: what a node doesn't have any more never comes
            self._client.publish(f"dibble/{gap.node}/in/resend", str(gap.first), qos=1, retain=True)
            self._say(f"{gap.node}: records {gap.first} to {gap.last} didn't come: asked for them")
            self.counts.asked += 1
        self.counts.new = self._intake.new
        self.counts.repeated = self._intake.repeated
        self.counts.unfit = sum(self._intake.unfit.values())
        return len(batch)

    def _stored(self, messages: list[Arrival]) -> list[Gap]:
        try:
            return self._intake.take(messages)
        except SQLAlchemyError as error:
            self._say(f"the database: {_reason(error)}; trying again")
        time.sleep(PAUSE_S)
        try:
            return self._intake.take(messages)
        except SQLAlchemyError as error:
            raise InputError(
                f"the database: expected to store {len(messages)} messages: {_reason(error)}. "
                "The broker keeps them until dibble fleet listen runs again"
            ) from None

    @property
    def unfit(self) -> list[str]:
        """What no node can have sent, the most frequent first."""
        return [f"{why} ({count} times)" for why, count in self._intake.unfit.most_common(5)]


def _reason(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
