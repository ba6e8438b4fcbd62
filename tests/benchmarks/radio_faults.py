"""Cut the power at every program and erase of an update by MQTT, and kill the broker at every message of it.

    python tests/benchmarks/radio_faults.py [--every N] [--firmware] [--first-cut N] [--last-cut N]

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
from radio_bench import SETTLED_MINUTES, Field
from radio_faults import KillingProxy, check_cut, check_settled, operations_of_an_update
from radio_firmware import firmware_on, firmware_parcel, new_firmware

PARCEL = parcel_of("model", soil_model(500), piece_bytes=40)


def forget(field: Field, collector: Collector) -> None:
    """Have the broker forget what it retains."""
    collector.settle()
    topics = sorted({topic for topic, _, _ in collector.messages})
    field.plain.publish(*(Retained(topic, b"") for topic in topics))
    collector.settle()
    collector.messages.clear()


def cut_firmware(folder: Path, every: int, first: int, last: int) -> None:
    """Cut the power at every operation of firmware's way from a whole archive to the confirmed node."""
    field = Field(firmware_folder(folder / "firmware"), folder)
    bench = field.keyed
    try:
        with Collector(field.broker, "#") as collector:
            before = firmware_on(bench, folder / "before")
            files = new_firmware(before)
            parcel = firmware_parcel(files)
            bench.offer(parcel)
            while not bench.events("update"):
                bench.run(1)
            bench.remember()  # all of it came: the next start takes it
            collector.messages.clear()
            bench.hardware.flash.cut_at([])
            check_settled(bench, parcel, collector)
            count = bench.hardware.flash.operations
            print(f"from the archive to the confirmed node: {count} programs and erases", flush=True)
            old = new = 0
            for number, cut in enumerate(range(first, min(count, last) + 1, every)):
                bench.restore()
                collector.settle()
                collector.messages.clear()
                bench.hardware.flash.cut_at([cut], torn=0.5 * (cut & 1))
                while bench.run(SETTLED_MINUTES) != "cut":
                    assert bench.hardware.flash.operations < cut, f"expected a cut at {cut}"
                bench.hardware.flash.cut_at([])
                bench.vm.console = b""
                while "!model" not in bench.vm.text():  # it runs, whatever it has
                    assert bench.run(0.1) in ("stop", "reset"), bench.vm.text()
                there = firmware_on(bench, folder / f"cut{number}")
                there.pop("manifest.txt")
                is_new = all(there.get(path) == content for path, content in files.items())
                is_old = all(there.get(path) == content for path, content in before.items() if path != "manifest.txt")
                assert is_new != is_old, f"expected one of the two at {cut}, got a mixture: {sorted(there)}"
                old, new = old + is_old, new + is_new
                check_settled(bench, parcel, collector)
                print(f"\rcut at {cut}: {old} old, {new} new", end="", flush=True)
            print(f"\n{old + new} power cuts: {old} ran the old firmware, {new} the new; all came to the new one")
    finally:
        field.broker.end(signal.SIGKILL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only each N-th cut and message")
    parser.add_argument("--first-cut", type=int, default=1, help="leave out the cuts before this one")
    parser.add_argument("--last-cut", type=int, default=1000000, help="and those after this one")
    parser.add_argument("--firmware", action="store_true", help="firmware in place of a model")
    arguments = parser.parse_args()
    every = arguments.every
    if arguments.firmware:
        with tempfile.TemporaryDirectory() as name:
            cut_firmware(Path(name), every, arguments.first_cut, arguments.last_cut)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        field = Field(firmware_folder(folder / "firmware"), folder)
        bench = field.plain
        try:
            with Collector(field.broker, "#") as collector:
                count = operations_of_an_update(bench, PARCEL, collector)
                print(f"an update and the minutes after it: {count} programs and erases", flush=True)
                cuts = range(arguments.first_cut, min(count, arguments.last_cut) + 1, every)
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
