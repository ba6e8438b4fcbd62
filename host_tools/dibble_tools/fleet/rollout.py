"""`dibble fleet update`: a file for many nodes, the canary first; the first node that doesn't take it ends it."""

import math
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dibble_tools.common.errors import InputError
from dibble_tools.fleet.broker import Broker
from dibble_tools.fleet.health import Health
from dibble_tools.fleet.messages import object_of, parts_of
from dibble_tools.fleet.sending import GOOD, Link, Progress, clear_left, progress_of
from dibble_tools.radio.files import read_parcel
from dibble_tools.radio.mqtt import messages, withdrawal
from dibble_tools.radio.parcel import Parcel

TOPICS = ("dibble/+/about", "dibble/+/update")
OUTAGE_S = 5.0  # between two tries
SETTLE_S = 1.0  # in which the broker has begun to send what it retains
LULL_S = 0.1


def parcels_of(
    names: Sequence[str],
    model: Path | None,
    configs: Path | None,
    key: Path | None,
    turn: int = 0,
    firmware: Mapping[str, int | None] | None = None,
) -> dict[str, Parcel]:
    """Return what each node gets: one model for all, or a configuration each, or the firmware that such a one needs.

    Args:
        model: a model file, or the folder it lies in; gate.dib is a gate.
        configs: folder with NODE.json for each.
        key: of all nodes, or a folder with NODE.key for each; None: as radio.files.read_parcel finds one.
        turn: of the offers: another one than before where they are made again.
        firmware: node -> what compiled files its MicroPython reads, None where it doesn't tell; None: no firmware.
    Raises:
        InputError: a file isn't what it should be, or isn't there.
    """
    if (model is None) == (configs is None):
        raise InputError("expected one of --model and --configs")
    made = {}
    for name in names:
        file = model or (configs or Path()) / f"{name}.json"
        mpy = firmware[name] if firmware else None
        if firmware and mpy is None:
            raise InputError(
                f"--firmware: expected {name} to tell what its MicroPython reads, as newer firmware does, got nothing "
                "of it: renew it by cable, or leave it out"
            )
        made[name] = read_parcel(file, name, key / f"{name}.key" if key and key.is_dir() else key, turn=turn, mpy=mpy)
    return made


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
class RolloutResult:
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
        self._link = Link(broker)
        self._running: set[str] = set()  # nodes that run the file, confirmed
        self._configs: dict[str, str] = {}  # node -> which one it runs
        self._confirmed: dict[str, dict[str, object]] = {}  # node -> what it said last of an update, if that
        self._progress: dict[str, Progress] = {}

    def __enter__(self) -> "Rollout":
        self._link.__enter__()
        self._link.subscribe(*TOPICS)
        return self

    def __exit__(self, *_: object) -> None:
        self._link.__exit__()

    def run(self, in_waves: Sequence[Sequence[str]]) -> RolloutResult:
        """Update the nodes, a wave after the other; stop at the first that refuses, rolls back or falls silent."""
        outcome = RolloutResult()
        self._hear(SETTLE_S)  # what the broker retains
        for number, wave in enumerate(in_waves):
            self._say(f"wave {number + 1} of {len(in_waves)}: {', '.join(wave)}")
            begun = [name for name in wave if name not in self._running]
            for name in begun:
                self._through_outages(self._offer, name)
            self._wait(begun)
            for name in begun:
                self._through_outages(self._withdraw, name)
            outcome.confirmed += [name for name in wave if name in self._running]
            outcome.failed = {name: self._why(name) for name in wave if name not in self._running}
            if outcome.failed:
                outcome.untouched = [name for later in in_waves[number + 1 :] for name in later]
                break
        return outcome

    def _offer(self, name: str) -> None:
        with Link(self._broker) as other:
            clear_left(other, name, self._parcels[name].count)
        self._link.publish(messages(name, self._parcels[name]))

    def _withdraw(self, name: str) -> None:
        self._link.publish(withdrawal(name, self._parcels[name].count))

    def _through_outages(self, act: Callable[[str], None], name: str) -> None:
        """Publish what a node needs, again where the broker went away meanwhile: it is the same each time.

        Raises:
            InputError: it stays away for as long as a wave may take.
        """
        end = time.monotonic() + self._patience_s
        while True:
            try:
                act(name)
                return
            except InputError as error:
                if time.monotonic() > end:
                    raise
                self._say(f"{name}: {error}: once more in {OUTAGE_S:.0f} s")
                time.sleep(OUTAGE_S)

    def _wait(self, names: Sequence[str]) -> None:
        """Wait until each of the nodes has taken its file, or one hasn't, or time is up."""
        end = time.monotonic() + self._patience_s
        while not self._running.issuperset(names) and not any(map(self._failed, names)):
            left_s = end - time.monotonic()
            if left_s <= 0:
                return
            self._hear(left_s)

    def _failed(self, name: str) -> bool:
        progress = self._progress.get(name)
        return progress is not None and progress.settled and not progress.good

    def _why(self, name: str) -> str:
        progress = self._progress.get(name)
        if progress and self._failed(name):
            return str(progress)
        return f"not done within {self._patience_s / 3600:g} h: {progress or 'it said nothing'}"

    def _hear(self, wait_s: float) -> None:
        """Take the next message, and those that came with it; return at latest after so long."""
        arrived = []
        try:
            arrived.append(self._link.arrived.get(timeout=wait_s))
            while True:
                arrived.append(self._link.arrived.get(timeout=LULL_S))
        except queue.Empty:
            pass
        for topic, payload in arrived:
            parts = parts_of(topic)
            if parts and parts[0] in self._parcels:
                self._take(*parts, payload)

    def _take(self, name: str, what: str, payload: bytes) -> None:
        parcel = self._parcels[name]
        try:
            said = object_of(payload) if payload else {}
        except InputError:
            return
        if what == "about":
            self._configs[name] = str(said.get("config"))
        elif what == "update":
            self._confirmed[name] = said if said.get("state") in GOOD else {}
            progress = progress_of(payload, parcel)
            if progress and progress != self._progress.get(name):
                self._progress[name] = progress
                self._say(f"{name}: {progress}")
        if self._is_in_use(parcel, self._confirmed.get(name, {}), self._configs.get(name)):
            self._running.add(name)

    @staticmethod
    def _is_in_use(parcel: Parcel, confirmed: dict[str, object], config: str | None) -> bool:
        """Tell whether what a node calls confirmed is the parcel's file, and still is what it runs."""
        if parcel.kind == "model":  # whichever stream brought it
            return confirmed.get("installed") == parcel.version
        return confirmed.get("crc") == parcel.told_crc and (parcel.kind != "config" or config == parcel.version)


def by_trust(fleet: Sequence[Health]) -> list[str]:
    """Return names of nodes, those first that are best watched: heard of lately, and with a good battery."""
    return [node.name for node in sorted(fleet, key=lambda node: (node.late, -(node.battery_mv or 0), node.name))]
