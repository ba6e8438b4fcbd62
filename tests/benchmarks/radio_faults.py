"""Cut the power at every program and erase of an update by MQTT, and kill the broker at every message of it.

    python tests/benchmarks/radio_faults.py [--every N]

Each time the node runs the old model or the new one at once, in the end the new one, and no record is lost.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "host" / "support"))

from dibble_tools.radio.mqtt import Retained
from dibble_tools.radio.parcel import parcel_of
from dibble_tools.simulator.node.firmware import firmware_folder
from mosquitto import Collector
from node_helpers import soil_model
from radio_bench import Field
from radio_faults import KillingProxy, check_cut, check_settled, operations_of_an_update

PARCEL = parcel_of("model", soil_model(500), piece_bytes=40)


def forget(field: Field, collector: Collector) -> None:
    """Have the broker forget what it retains."""
    collector.settle()
    topics = sorted({topic for topic, _, _ in collector.messages})
    field.plain.publish(*(Retained(topic, b"") for topic in topics))
    collector.settle()
    collector.messages.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only each N-th cut and message")
    parser.add_argument("--first-cut", type=int, default=1, help="leave out the cuts before this one")
    arguments = parser.parse_args()
    every = arguments.every
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        field = Field(firmware_folder(folder / "firmware"), folder)
        bench = field.plain
        try:
            with Collector(field.broker, "#") as collector:
                count = operations_of_an_update(bench, PARCEL, collector)
                print(f"an update and the minutes after it: {count} programs and erases", flush=True)
                cuts = range(arguments.first_cut, count + 1, every)
                for cut in cuts:
                    forget(field, collector)
                    check_cut(bench, PARCEL, collector, cut, 0.5 * (cut & 1))
                    print(f"\rcut at {cut}", end="", flush=True)
                print(f"\n{len(cuts)} power cuts: each update came to its end")
                killed = 0
                fatal = 1
                while True:
                    forget(field, collector)
                    bench.restore()
                    with KillingProxy(field.broker, collector) as proxy:
                        config = {**bench.config, "mqtt": {**bench.config["mqtt"], "port": proxy.port}}
                        bench.send("config.json", json.dumps(config).encode())
                        bench.offer(PARCEL)
                        field.broker.save()
                        proxy.fatal = fatal
                        check_settled(bench, PARCEL, collector)
                        if proxy.count < fatal:
                            break
                    killed += 1
                    print(f"\rkilled at {fatal}", end="", flush=True)
                    fatal += every
                print(f"\n{killed} brokers killed: each update came to its end")
        finally:
            field.broker.end(signal.SIGKILL)


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"{time.monotonic() - started:.0f} s")
