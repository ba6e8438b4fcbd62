"""What `dibble fleet listen` takes while many nodes report: python tests/benchmarks/fleet_load.py --nodes 1000 --days 1

A real mosquitto, the real command in a process of its own, and nodes' real payloads as fast as it takes them: so its
processor time a record is measured, and what share of a processor the nodes' own pace would be is told. Then a month of
one node is looked up among 10 million records.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import paho.mqtt.client as paho
from sqlalchemy import func, insert, select

sys.path.insert(0, str(Path(__file__).parents[1] / "host/support"))
from dibble_tools.fleet.database import layouts, nodes, open_database, records
from fleet_messages import INTERVAL_S, MAY_S, state
from mosquitto import Mosquitto

ROUNDS = 144  # of records that are written together
AHEAD = 2000  # messages that the broker may hold for the listener


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--nodes", type=int, default=1000)
    options.add_argument("--days", type=float, default=1.0, help="of reports, as fast as they are taken; 0: none")
    options.add_argument("--records", type=int, default=10_000_000, help="for the look-up of one node's month; 0: none")
    given = options.parse_args()
    if given.days:
        with tempfile.TemporaryDirectory() as folder:
            listening(Path(folder), given.nodes, round(given.days * 86400 / INTERVAL_S))
    if given.records:
        with tempfile.TemporaryDirectory() as folder:
            looking_up(Path(folder), given.nodes, given.records)


def listening(folder: Path, node_count: int, each: int) -> None:
    place = folder / "fleet.db"
    with Mosquitto(folder) as broker:
        command = [sys.executable, "-m", "dibble_tools.cli", "fleet", "listen", "--broker", f"127.0.0.1:{broker.port}"]
        process = subprocess.Popen([*command, "--db", place], stderr=subprocess.DEVNULL)
        time.sleep(3)
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, "nodes")
        client.max_inflight_messages_set(AHEAD)
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        started = time.monotonic()
        for number in range(1, each + 1):
            payload = state(number)
            for node in range(node_count):
                sent = client.publish(f"dibble/n{node}/state", payload, qos=1)
            sent.wait_for_publish(600)
        engine = open_database(str(place))
        end = time.monotonic() + 600
        while time.monotonic() < end:
            with engine.connect() as connection:
                count = connection.execute(select(func.count()).select_from(records)).scalar_one()
            if count == node_count * each:
                break
            time.sleep(0.5)
        took_s = time.monotonic() - started
        memory_kb = max(
            int(line.split()[1])
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
            if line.startswith("VmHWM")
        )
        process.terminate()
        process.wait(30)
        client.disconnect()
        client.loop_stop()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = used.ru_utime + used.ru_stime  # the listener's and the broker's
    total = node_count * each
    pace = node_count / INTERVAL_S
    stored = f"{count:,} of {total:,} records of {node_count:,} nodes stored in {took_s:.0f} s"
    print(f"{stored}, the file {place.stat().st_size / 1e6:.0f} MB")
    share = f"{1e6 * seconds / total:.0f} us of processor time a record"
    print(f"listener and broker: {share}, {memory_kb / 1024:.0f} MB at most")
    print(f"at a record a node each {INTERVAL_S // 60} minutes: {100 * pace * seconds / total:.2f} % of one processor")


def looking_up(folder: Path, node_count: int, total: int) -> None:
    engine = open_database(str(folder / "fleet.db"))
    each = total // node_count
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
        "readings": "[180,2310]",
    }
    with engine.begin() as connection:
        connection.execute(insert(layouts), [{"id": 1, "channels": json.dumps(["soil_permille", "air_centi_c"])}])
        seen = {"first_seen_s": 0, "last_seen_s": 0}
        connection.execute(insert(nodes), [{"id": n, "name": f"n{n}", **seen} for n in range(1, node_count + 1)])
    names = [*row, "node_id", "sequence", "at_s"]
    asked = f"INSERT INTO records ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    fixed = tuple(row.values())
    for first in range(1, each + 1, ROUNDS):  # in the order in which nodes report: a round each interval
        with engine.begin() as connection:
            rounds = range(first, min(first + ROUNDS, each + 1))
            rows = ((*fixed, node, n, MAY_S + INTERVAL_S * n) for n in rounds for node in range(1, node_count + 1))
            connection.connection.executemany(asked, rows)  # type: ignore[attr-defined]
    engine.dispose()
    engine = open_database(str(folder / "fleet.db"))
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
