"""Bring a parcel to a node by way of a broker, and follow what the node says of it until that is settled."""

import json
import queue
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import paho.mqtt.client as paho
from dibble.report.home_assistant import topic_of

from dibble_tools.common.errors import InputError
from dibble_tools.fleet.broker import Broker
from dibble_tools.radio.mqtt import Retained, messages, offer_topic, withdrawal
from dibble_tools.radio.parcel import Parcel

ANSWER_S = 15.0
GOOD, BAD = ("confirmed",), ("refused", "rolled back")


@dataclass(frozen=True)
class Progress:
    """What a node says of an update: the topic `update`, UPDATES.md."""

    state: str
    have: int
    of: int
    why: str

    @property
    def settled(self) -> bool:
        return self.state in GOOD + BAD

    @property
    def good(self) -> bool:
        return self.state in GOOD

    def __str__(self) -> str:
        count = f" {self.have} of {self.of}" if self.state == "receiving" else ""
        return f"{self.state}{count}{f': {self.why}' if self.why else ''}"


def progress_of(payload: bytes, parcel: Parcel) -> Progress | None:
    """Return what a node's message says of this parcel; None: it speaks of another, or isn't one."""
    try:
        told = json.loads(payload)
        if told["crc"] != parcel.told_crc:
            return None
        return Progress(str(told["state"]), int(told["have"]), int(told["of"]), str(told["why"]))
    except (ValueError, KeyError, TypeError):
        return None


class Link:
    """A connection to a broker that comes back by itself.

    Raises:
        InputError: it can't be had.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.arrived: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._acknowledged: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._topics: list[str] = []
        self._client = broker.client("", clean=True)
        self._client.on_connect = self._connected
        self._client.on_publish = lambda client, data, number, reason, more: self._acknowledged.put(number)
        self._client.on_message = lambda client, data, m: self.arrived.put((m.topic, bytes(m.payload)))

    def __enter__(self) -> "Link":
        self._broker.connect(self._client)
        self._client.loop_start()
        try:
            answer = self._answers.get(timeout=ANSWER_S)
        except queue.Empty:
            answer = f"nothing within {ANSWER_S:.0f} s"
        if answer != "Success":
            self._client.loop_stop()
            raise InputError(f"--broker: expected {self._broker} to take the connection, got: {answer}")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, *topics: str) -> None:
        """Hear these topics, after each outage, too."""
        self._topics += topics
        for topic in topics:
            self._client.subscribe(topic, 1)

    def publish(self, wanted: Iterator[Retained]) -> None:
        """Publish messages, and wait until the broker has acknowledged all of them; an outage may lie in between.

        Raises:
            InputError: for ANSWER_S it has acknowledged none.
        """
        waiting = {self._client.publish(m.topic, m.payload, 1, m.retain).mid for m in wanted}
        while waiting:
            try:
                waiting.discard(self._acknowledged.get(timeout=ANSWER_S))
            except queue.Empty:
                raise InputError(
                    f"{self._broker}: expected the broker's acknowledgement, got none: send it again"
                ) from None

    def _connected(self, client: paho.Client, data: object, flags: object, reason: object, more: object) -> None:
        self._answers.put(str(reason))
        for topic in self._topics:
            client.subscribe(topic, 1)


def send(
    broker: Broker,
    node: str,
    parcel: Parcel,
    *,
    wait_s: float,
    told: Callable[[Progress], None] = lambda progress: None,
) -> Progress | None:
    """Offer a parcel to a node; return what became of it in the end, None: nothing is settled within wait_s.

    What is settled is withdrawn from the broker, which keeps what isn't: the node goes on when it wakes.

    Args:
        node: its name.
        told: called with each change.
    Raises:
        InputError: there is no broker, or it doesn't acknowledge.
    """
    with Link(broker) as link:
        clear_left(link, node, parcel.count)
        link.publish(messages(node, parcel))
        link.subscribe(topic_of(node, "update"))
        end = time.monotonic() + wait_s
        last = None
        while (left_s := end - time.monotonic()) > 0:
            try:
                topic, payload = link.arrived.get(timeout=left_s)
            except queue.Empty:
                break
            progress = progress_of(payload, parcel) if topic == topic_of(node, "update") else None
            if progress and progress != last:
                last = progress
                told(progress)
                if progress.settled:
                    link.publish(withdrawal(node, parcel.count))
                    return progress
        return None


def mpy_of(broker: Broker, node: str) -> int:
    """Return what compiled files a node's MicroPython reads, as the broker retains it of what the node tells.

    Raises:
        InputError: the broker has nothing of it.
    """
    topic = topic_of(node, "about")
    with Link(broker) as link:
        link.subscribe(topic)
        try:
            told = json.loads(link.arrived.get(timeout=ANSWER_S)[1])
            return int(told["mpy"])
        except (queue.Empty, ValueError, KeyError, TypeError):
            raise InputError(
                f"--firmware: expected {broker} to know what {node} is, as it tells in {topic}, found nothing of it: "
                "older firmware than this has to be renewed by cable"
            ) from None


def clear_left(link: Link, node: str, count: int) -> None:
    """Withdraw what the broker keeps of another offer: its pieces may be more."""
    probe = topic_of(node, "in/probe")
    link.subscribe(topic_of(node, "piece/+"), offer_topic(node), probe)
    link.publish(iter([Retained(probe, b"?", False)]))
    left = []
    while True:
        try:
            topic, payload = link.arrived.get(timeout=ANSWER_S)
        except queue.Empty:
            break
        if topic == probe:
            break
        number = topic.rpartition("/")[2]
        if payload and (topic == offer_topic(node) or (number.isdigit() and int(number) >= count)):
            left.append(Retained(topic, b""))
    link.publish(iter(sorted(left, key=lambda message: message.topic)))
