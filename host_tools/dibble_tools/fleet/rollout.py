"""`dibble fleet update`: a file for many nodes, the canary first; the first node that doesn't take it ends it."""

import math
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from dibble_tools.common.errors import InputError
from dibble_tools.fleet.broker import Broker
from dibble_tools.fleet.health import Health, update_text
from dibble_tools.fleet.messages import object_of, parts_of
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.config import read_config
from dibble_tools.node.signatures import read_key
from dibble_tools.radio.parcel import Parcel, parcel_of
from dibble_tools.radio.topics import messages, withdrawal

SETTLE_S = 1.0  # in which the broker has sent what it retains
PUBLISH_S = 60.0  # for all of a node's pieces to reach the broker
ENDED = {"confirmed": True, "refused": False, "rolled back": False}


def parcels_of(names: Sequence[str], files: Mapping[str, Path | None], key: Path | None) -> dict[str, Parcel]:
    """Return what each node gets.

    Args:
        files: kind -> path: exactly one is given.
        key: of all nodes, or a folder with NODE.key for each; None: they have none.
    Raises:
        InputError: a file isn't what it should be, or a key isn't there.
    """
    given = [(kind, path) for kind, path in files.items() if path is not None]
    if len(given) != 1:
        raise InputError("expected one of --model, --gate and --config")
    kind, path = given[0]
    content = _config(path) if kind == "config" else HostModel.open(path).blob
    if key is None:
        parcel = parcel_of(kind, content)
        return dict.fromkeys(names, parcel)
    return {name: parcel_of(kind, content, read_key(key / f"{name}.key" if key.is_dir() else key)) for name in names}


def _config(path: Path) -> bytes:
    read_config(path)
    return path.read_bytes()


def waves(names: Sequence[str], canary: int, then: str) -> list[list[str]]:
    """Return nodes in the order in which they are updated, a wave at a time.

    Args:
        canary: how many are first.
        then: how many more at a time: "10%" of all, or a number.
    Raises:
        InputError: that isn't one.
    """
    share = then.removesuffix("%")
    if not share.isdecimal() or not int(share) or (then != share and int(share) > 100):
        raise InputError(f"--then: expected a share such as 10%, or a number of nodes, got {then!r}")
    size = int(share) if then == share else max(1, math.floor(len(names) * int(share) / 100))
    rest = names[canary:]
    return [list(names[:canary]), *(list(rest[i : i + size]) for i in range(0, len(rest), size))]


@dataclass
class Outcome:
    """How a rollout ended.

    Attributes:
        confirmed: nodes that run the file; those that did before are among them.
        failed: node -> why it doesn't.
        untouched: nodes that nothing was sent to, or from which it was taken back in time.
    """

    confirmed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    untouched: list[str] = field(default_factory=list)


class Rollout:
    """Brings each node its parcel by way of the broker; a context manager.

    Args:
        parcels: node -> what it gets.
        patience_s: how long a wave may take.
        say: takes a line on what happens.
    """

    def __init__(
        self, broker: Broker, parcels: Mapping[str, Parcel], patience_s: float, say: Callable[[str], None]
    ) -> None:
        self._broker = broker
        self._parcels = parcels
        self._patience_s = patience_s
        self._say = say
        self._states: dict[str, dict[str, Any]] = {}
        self._come: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()
        self._client = broker.client("", clean=True)
        self._client.on_connect = lambda client, *_: client.subscribe("dibble/+/update", 1)
        self._client.on_message = self._take

    def __enter__(self) -> "Rollout":
        self._broker.connect(self._client)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def run(self, in_waves: Sequence[Sequence[str]]) -> Outcome:
        """Update the nodes, a wave after the other; stop at the first that refuses, rolls back or falls silent."""
        outcome = Outcome()
        self._settle()
        for number, wave in enumerate(in_waves):
            self._say(f"wave {number + 1} of {len(in_waves)}: {', '.join(wave)}")
            begun = [name for name in wave if not self._has_it(name)]
            for name in begun:
                self._publish(messages(name, self._parcels[name]))
            self._wait(begun)
            for name in wave:
                if self._has_it(name):
                    outcome.confirmed.append(name)
                else:
                    outcome.failed[name] = self._why(name)
            for name in begun:
                self._publish(withdrawal(name, self._parcels[name].count))
            if outcome.failed:
                outcome.untouched = [name for later in in_waves[number + 1 :] for name in later]
                break
        return outcome

    def _wait(self, names: Sequence[str]) -> None:
        """Wait until each of the nodes has taken or refused its file, or one has refused it, or time is up."""
        end = time.monotonic() + self._patience_s
        while any(not self._has_it(name) for name in names) and not any(self._failed(name) for name in names):
            try:
                name, said = self._come.get(timeout=max(0.0, min(end - time.monotonic(), 1.0)))
            except queue.Empty:
                if time.monotonic() >= end:
                    return
                continue
            before, self._states[name] = self._states.get(name), said
            if name in names and said != before:
                self._say(f"{name}: {update_text(said)}")

    def _has_it(self, name: str) -> bool:
        """Tell whether a node runs the file and has confirmed it."""
        said = self._states.get(name, {})
        return said.get("state") == "confirmed" and said.get("installed") == self._parcels[name].version

    def _failed(self, name: str) -> bool:
        said = self._states.get(name, {})
        return said.get("crc") == self._parcels[name].told_crc and ENDED.get(str(said.get("state"))) is False

    def _why(self, name: str) -> str:
        if self._failed(name):
            return update_text(self._states[name])
        heard = update_text(self._states.get(name, {}))
        return f"not done within {self._patience_s / 3600:g} h" + (f": {heard}" if heard else ": it said nothing")

    def _settle(self) -> None:
        """Hear what the broker retains."""
        end = time.monotonic() + SETTLE_S
        while (left := end - time.monotonic()) > 0:
            try:
                name, said = self._come.get(timeout=left)
            except queue.Empty:
                return
            self._states[name] = said

    def _take(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        parts = parts_of(message.topic)
        if parts is None or parts[1] != "update":
            return
        try:
            self._come.put((parts[0], object_of(bytes(message.payload)) if message.payload else {}))
        except InputError:
            return

    def _publish(self, what: Any) -> None:
        sent = [self._client.publish(topic, payload, qos=1, retain=retain) for topic, payload, retain in what]
        end = time.monotonic() + PUBLISH_S
        for each in sent:
            each.wait_for_publish(max(0.0, end - time.monotonic()))
            if not each.is_published():
                raise InputError(f"{self._broker}: expected it to take the file within {PUBLISH_S:.0f} s; run it again")


def by_trust(fleet: Sequence[Health]) -> list[str]:
    """Return names of nodes, those first that are best watched: heard of lately, and with a good battery."""
    return [node.name for node in sorted(fleet, key=lambda node: (node.late, -(node.battery_mv or 0), node.name))]
