"""What `dibble fleet listen` takes while many nodes report.

    python tests/benchmarks/fleet_load.py                         # a day as fast as it is taken; the look-up
    python tests/benchmarks/fleet_load.py --held 29 --pace 240    # a month's last day, then at nodes' own pace

A real mosquitto, the real command in a process of its own, and nodes' real payloads. As fast as they are taken: the
processor time of a record while many come at once. At the nodes' own pace, a whole contact (status, state, health)
from one node after the other: each contact is a transaction of its own then, and the listener's waiting counts, too.
Then a month of one node is looked up among 10 million records.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as paho
from sqlalchemy import func, insert, select

sys.path.insert(0, str(Path(__file__).parents[1] / "host/support"))
from dibble_tools.fleet.database import layouts, logs, nodes, open_database, records
from fleet_messages import INTERVAL_S, MAY_S, state
from mosquitto import Mosquitto
from patience import PATIENCE_S

ROUNDS = 144  # of records that are written together
AHEAD = 2000  # messages that the broker may hold for the listener
HEALTH = b'{"battery_mv":3900,"rssi_dbm":-71,"up_s":86400,"boots":0,"faults":0,"unsure_permille":12,"records":900}'


@dataclass
class Process:
    """A process that is measured."""

    id: int

    def processor_s(self) -> float:
        """Return its processor time since its start."""
        fields = Path(f"/proc/{self.id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def most_mb(self) -> float:
        """Return the most memory that it had."""
        lines = Path(f"/proc/{self.id}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--nodes", type=int, default=1000)
    options.add_argument("--days", type=float, default=1.0, help="of reports, as fast as they are taken; 0: none")
    options.add_argument("--pace", type=float, default=0.0, help="seconds of reports at the nodes' own pace")
    options.add_argument("--held", type=float, default=0.0, help="days of reports that are in the file before")
    options.add_argument("--records", type=int, default=10_000_000, help="for the look-up of one node's month; 0: none")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "fleet.db"
        if given.held:
            fill(place, given.nodes, round(given.held * 86400 / INTERVAL_S))
        if given.days:
            listen_fast(Path(folder), place, given.nodes, round(given.days * 86400 / INTERVAL_S))
        if given.pace:
            listen_at_pace(Path(folder), place, given.nodes, given.pace)
    if given.records:
        with tempfile.TemporaryDirectory() as folder:
            looking_up(Path(folder) / "fleet.db", given.nodes, given.records)


@contextmanager
def listening(folder: Path, place: Path) -> Iterator[tuple[paho.Client, Process, Process]]:
    """Yield the nodes' client, the listener and the broker."""
    with Mosquitto(folder) as broker:
        command = [sys.executable, "-m", "dibble_tools.cli", "fleet", "listen", "--broker", f"127.0.0.1:{broker.port}"]
        process = subprocess.Popen([*command, "--db", place], stderr=subprocess.PIPE, text=True)
        assert process.stderr
        while "connected" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(1)  # its subscription
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, "nodes")
        client.max_inflight_messages_set(AHEAD)
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        yield client, Process(process.pid), Process(broker.process_id)
        process.terminate()
        process.wait(30)
        client.disconnect()
        client.loop_stop()


def stored(place: Path) -> tuple[int, int]:
    """Return how many records the nodes' logs have, and the highest number of one."""
    engine = open_database(str(place))
    with engine.connect() as connection:
        count, last = connection.execute(select(func.sum(logs.c.came), func.max(logs.c.last_record))).one()
    engine.dispose()
    return count or 0, last or 0


def wait_for(place: Path, total: int) -> int:
    """Wait until so many records are there; return how many are, counted one by one."""
    end = time.monotonic() + PATIENCE_S
    while stored(place)[0] < total and time.monotonic() < end:
        time.sleep(0.5)
    engine = open_database(str(place))
    with engine.connect() as connection:
        count = connection.execute(select(func.count()).select_from(records)).scalar_one()
    engine.dispose()
    return count


def listen_fast(folder: Path, place: Path, node_count: int, each: int) -> None:
    before, last = stored(place)
    with listening(folder, place) as (client, listener, broker):
        began_s = listener.processor_s() + broker.processor_s()
        started = time.monotonic()
        for number in range(last + 1, last + each + 1):
            payload = state(number)
            for node in range(node_count):
                sent = client.publish(f"dibble/n{node}/state", payload, qos=1)
            sent.wait_for_publish(600)
        count = wait_for(place, before + node_count * each)
        took_s = time.monotonic() - started
        seconds = listener.processor_s() + broker.processor_s() - began_s
        memory = f"{listener.most_mb():.0f} MB at most"
    total = node_count * each
    share = seconds / total
    print(f"{count - before:,} of {total:,} records of {node_count:,} nodes stored in {took_s:.0f} s")
    print(f"{count:,} records in a file of {place.stat().st_size / 1e6:.0f} MB")
    print(f"listener and broker: {1e6 * share:.0f} us of processor time a record; the listener {memory}")
    whole = 100 * node_count / INTERVAL_S * share
    print(f"at a record a node each {INTERVAL_S // 60} minutes: {whole:.3f} % of one processor")


def listen_at_pace(folder: Path, place: Path, node_count: int, seconds: float) -> None:
    before, last = stored(place)
    with listening(folder, place) as (client, listener, broker):
        began = listener.processor_s(), broker.processor_s()
        started = time.monotonic()
        contacts = 0
        while (now := time.monotonic() - started) < seconds:
            if now * node_count / INTERVAL_S < contacts:
                time.sleep(0.01)
                continue
            topic = f"dibble/n{contacts % node_count}/"
            client.publish(topic + "status", b"online", qos=1, retain=True)
            client.publish(topic + "state", state(last + 1 + contacts // node_count), qos=1)
            client.publish(topic + "health", HEALTH, qos=1, retain=True)
            contacts += 1
        shares = [
            100 * (each.processor_s() - then) / seconds for each, then in zip((listener, broker), began, strict=True)
        ]
        count = wait_for(place, before + contacts)
        memory = f"{listener.most_mb():.0f} MB at most"
    print(f"{contacts} contacts of {node_count:,} nodes in {seconds:.0f} s, {count - before} records stored")
    print(f"listener {shares[0]:.2f} %, broker {shares[1]:.2f} % of one processor; the listener {memory}")


def fill(place: Path, node_count: int, each: int) -> None:
    """Write so many records of each node, in the order in which nodes report: a round each interval."""
    engine = open_database(str(place))
    row = {
        "series": 1,
        "model": "",
        "decided": "dry",
        "held": "dry",
        "margin": 7,
        "flags": 0,
        "action": 0,
        "battery_mv": 3900,
        "layout_id": 1,
        "readings": "[180,null]",
    }
    numbers = range(1, node_count + 1)
    with engine.begin() as connection:
        connection.execute(insert(layouts), [{"id": 1, "channels": json.dumps(["soil_permille", "air_centi_c"])}])
        seen = {"first_seen_s": 0, "last_seen_s": 0}
        connection.execute(insert(nodes), [{"id": n, "name": f"n{n - 1}", **seen} for n in numbers])
        told = {"series": 1, "first_record": 1, "last_record": each, "came": each}
        connection.execute(insert(logs), [{"node_id": n, **told} for n in numbers])
    names = [*row, "node_id", "sequence", "at_s"]
    asked = f"INSERT INTO records ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    fixed = tuple(row.values())
    for first in range(1, each + 1, ROUNDS):
        with engine.begin() as connection:
            rounds = range(first, min(first + ROUNDS, each + 1))
            rows = ((*fixed, node, n, MAY_S + INTERVAL_S * n) for n in rounds for node in numbers)
            connection.connection.executemany(asked, rows)  # type: ignore[attr-defined]
    engine.dispose()


def looking_up(place: Path, node_count: int, total: int) -> None:
    each = total // node_count
    fill(place, node_count, each)
    engine = open_database(str(place))
    worst = 0.0
    for node in (1, node_count // 2, node_count):
        started = time.monotonic()
        with engine.connect() as connection:
            asked = select(records).where(
                records.c.node_id == node, records.c.at_s >= MAY_S, records.c.at_s < MAY_S + 30 * 86400
            )
            found = connection.execute(asked.order_by(records.c.at_s)).all()
        worst = max(worst, time.monotonic() - started)
    print(f"one node's month, {len(found):,} of {each * node_count:,} records: {worst:.3f} s at most")


if __name__ == "__main__":
    main()
