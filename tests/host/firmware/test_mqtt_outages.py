"""1,000 decisions of the real firmware files on the unix VM, while the broker is killed, stopped and restarted.

That no call blocks is told by events, not by a stopwatch: a stopped broker goes on only after the node has been
through more cycles; and calls are held to their limits in the node's own count of what it slept, which no busy
machine lengthens.

What "arrives" means: the collector (mosquitto.Collector) has it. Before a broker is killed the collector is
known to be connected, since no client can make up for what a killed broker had acknowledged and not
passed on; whether the node is connected, amid a message or away then, is left to chance.
"""

import json
import random
import shutil
import signal
import threading
import time
from pathlib import Path

import dibble
import pytest
from dibble_tools.machines.vms import run_unix
from mosquitto import Collector, Mosquitto
from patience import PATIENCE_S

DECISIONS = 1000
CYCLE_MS = 12
TIMEOUT_MS = 200
BUDGET_MS = 2 * TIMEOUT_MS
SLEEP_MS = 50  # at most, between two looks at a limit
LONGEST_S = 200
NODE = """\
import time
from dibble.ports.sockets import open_stream
from dibble.report.forward import forward
from dibble.report.mqtt import Client
from dibble.storage.record import decode, encode
from dibble.storage.record_log import RecordLog

DECISIONS, CYCLE_MS, TIMEOUT_MS, BUDGET_MS, LONGEST_S, TCP_PORT, PROGRESS = {numbers}
worst_ms = {{}}
failed = {{}}


class Clock:
    # Time as the node counts it: what it slept.
    now_ms = 0

    def ticks_ms(self):
        return self.now_ms

    def ticks_diff(self, later, earlier):
        return later - earlier

    def sleep_ms(self, ms):
        time.sleep_ms(ms)
        self.now_ms += ms


clock = Clock()


def timed(name, call, *arguments):
    start = clock.now_ms
    result = call(*arguments)
    worst_ms[name] = max(worst_ms.get(name, 0), clock.now_ms - start)
    if result is False:
        failed[name] = failed.get(name, 0) + 1
    return result


class Timed(Client):
    def connect(self):
        return timed("connect", super().connect)

    def publish(self, topic, payload, retain=False):
        return timed("publish", super().publish, topic, payload, retain)

    def ping(self):
        return timed("ping", super().ping)


def payload(number, record):
    return '{{"seq":%d,"margin":%d,"soil":%d}}' % (number, decode(record)[5], decode(record)[8][0])


client = Timed(clock, open_stream, "127.0.0.1", TCP_PORT, "node", will=("status", "offline"), timeout_ms=TIMEOUT_MS)
log = RecordLog("log", b"abcd", 1, segment_bytes=1024, segments=64, batch=3)
sent = 0
began = time.time()
while sent < DECISIONS and time.time() - began < LONGEST_S:
    if log.sequence <= DECISIONS:
        log.append(encode(1, 2, 0, 0, 0, log.sequence * 7, 3700, 0, (log.sequence * 13 - 5000,)))
    if log.sequence % 2 or log.sequence > DECISIONS:
        log.flush()
    sent = timed("forward", forward, client, log, sent, "log/node", payload, 40, BUDGET_MS, clock)
    if log.sequence % 50 == 0:
        client.ping()
    with open(PROGRESS, "a") as file:
        file.write(".")
    time.sleep_ms(CYCLE_MS)
print({{"sent": sent, "worst_ms": worst_ms, "failed": failed, "dropped": log.dropped + log.damaged}})
"""


class Chaos:
    """Outages at seeded random moments until told to end."""

    def __init__(self, broker: Mosquitto, collector: Collector, progress: Path, seed: int) -> None:
        self.broker = broker
        self.progress = progress
        self.collector = collector
        self.chance = random.Random(seed)
        self.done: list[str] = []

    def run(self, finished: threading.Event) -> None:
        while not finished.wait(self.chance.uniform(0.02, 0.5)):
            kind = ("kill", "stop", "restart")[self.chance.randrange(3)]
            self.collector.settle()
            time.sleep(self.chance.uniform(0, 0.1))
            away_s = self.chance.uniform(0.01, 0.6)
            if kind == "stop":
                self.broker.send_signal(signal.SIGSTOP)
                try:
                    self._await_cycles(3, finished)
                finally:
                    self.broker.send_signal(signal.SIGCONT)
            else:
                self.broker.end(signal.SIGKILL if kind == "kill" else signal.SIGTERM)
                time.sleep(away_s)
                self.broker.start()
            self.done.append(kind)

    def _await_cycles(self, count: int, finished: threading.Event) -> None:
        """Wait until the node, whose broker doesn't answer, has been through so many cycles more."""
        enough = self._cycles() + count
        end = time.monotonic() + PATIENCE_S
        while self._cycles() < enough and not finished.wait(0.01):
            assert time.monotonic() < end, "a stopped broker blocks the node"

    def _cycles(self) -> int:
        return self.progress.stat().st_size if self.progress.exists() else 0


@pytest.mark.parametrize("seed", [1])
def test_each_decision_arrives_through_all_outages_and_no_call_blocks(tmp_path: Path, seed: int) -> None:
    guest = tmp_path / "guest"
    shutil.copytree(Path(dibble.__path__[0]), guest / "lib" / "dibble", ignore=shutil.ignore_patterns("__pycache__"))
    finished = threading.Event()
    said: list[str] = []
    with Mosquitto(tmp_path) as broker, Collector(broker, "log/#") as collector:
        numbers = (DECISIONS, CYCLE_MS, TIMEOUT_MS, BUDGET_MS, LONGEST_S, broker.port, str(tmp_path / "progress"))
        (guest / "node.py").write_text(NODE.format(numbers=numbers))

        def live() -> None:
            try:
                said.append(run_unix(guest, "node.py", timeout_s=LONGEST_S + 20).stdout)
            finally:
                finished.set()

        node = threading.Thread(target=live)
        node.start()
        chaos = Chaos(broker, collector, tmp_path / "progress", seed)
        try:
            chaos.run(finished)
        finally:
            node.join()
        collector.settle()
        arrived = [json.loads(payload) for _, payload, _ in collector.messages]

    assert said, "the node ended with an exception"
    report = json.loads(said[0].replace("'", '"'))
    assert report["sent"] == DECISIONS and report["dropped"] == 0
    assert len(chaos.done) >= 10 and set(chaos.done) == {"kill", "stop", "restart"}
    assert report["failed"]["connect"] and report["failed"]["publish"]  # some met a broker that was away
    first = list(dict.fromkeys(message["seq"] for message in arrived))
    assert first == list(range(1, DECISIONS + 1))
    assert all(message["margin"] == message["seq"] * 7 for message in arrived)
    assert all(message["soil"] == message["seq"] * 13 - 5000 for message in arrived)
    worst_ms = report["worst_ms"]
    limits_ms = {"connect": TIMEOUT_MS, "publish": TIMEOUT_MS, "ping": TIMEOUT_MS, "forward": BUDGET_MS}
    assert all(worst_ms[name] <= limit_ms + SLEEP_MS for name, limit_ms in limits_ms.items()), worst_ms
    print(len(chaos.done), "outages,", len(arrived), "messages,", report)
