"""The messages that bring a parcel to a node by MQTT, and those that withdraw it; the broker retains all of them."""

from collections.abc import Iterator
from typing import NamedTuple

from dibble.report.home_assistant import topic_of
from dibble.update.receiving import DIGITS

from dibble_tools.radio.parcel import Parcel


class Retained(NamedTuple):
    topic: str
    payload: bytes
    retain: bool = True


def messages(node: str, parcel: Parcel) -> Iterator[Retained]:
    """Yield what to publish, in this order: the pieces first, and the offer when all of them are there."""
    for number, payload in enumerate(parcel.messages()):
        yield Retained(piece_topic(node, number), payload)
    yield Retained(offer_topic(node), parcel.offer())


def withdrawal(node: str, count: int) -> Iterator[Retained]:
    """Yield what takes an offer of so many pieces back: the offer first."""
    yield Retained(offer_topic(node), b"")
    for number in range(count):
        yield Retained(piece_topic(node, number), b"")


def offer_topic(node: str) -> str:
    return topic_of(node, "in/offer")


def piece_topic(node: str, number: int) -> str:
    return topic_of(node, f"piece/{number:0{DIGITS}d}")
