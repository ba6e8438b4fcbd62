"""A node with a broker on this machine, and what the node says of an update."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dibble_tools.node.files import made_for, node_files
from dibble_tools.node.manifest import write_manifest
from dibble_tools.node.signatures import sign
from dibble_tools.radio.mqtt import Retained, messages, withdrawal
from dibble_tools.radio.parcel import Parcel
from dibble_tools.simulator.node.firmware import ARCHITECTURE
from dibble_tools.simulator.node.vm import Stop
from mosquitto import Collector, Mosquitto
from node_helpers import Bench, soil_model
from paho.mqtt import publish

NODE = "node"
SETTLED_MINUTES = 20
ENDS = ("confirmed", "refused", "rolled back")
KEY = hashlib.sha256(b"of these tests").digest()
OLD = soil_model(400)
PICO_W_BLOCKS = 212  # ports/rp2/boards/RPI_PICO_W: MICROPY_HW_FLASH_STORAGE_BYTES is 848 KiB


def mqtt(broker: Mosquitto, **more: object) -> dict[str, object]:
    """Return a node's settings; its time is virtual and the broker's isn't, so timeouts are long."""
    return {
        "host": "127.0.0.1",
        "port": broker.port,
        "timeout_ms": 30000,
        "every": 1,
        "discovery": False,
        "time_host": "",
        **more,
    }


class RadioBench(Bench):
    """A node that reports to a broker at each cycle."""

    def __init__(self, firmware: Path, folder: Path, broker: Mosquitto, model: bytes | None, **config: Any) -> None:
        super().__init__(firmware, folder, model, **{"mqtt": mqtt(broker), **config})
        self.broker = broker
        self._image = b""

    def remember(self) -> None:
        """Keep the flash as it is: restore() goes back to it."""
        self._image = bytes(self.hardware.flash.image)

    def restore(self) -> None:
        self.hardware.flash.image[:] = self._image
        self.vm.console = b""

    def run_on(self, minutes: float, until: Callable[[], bool] = lambda: False) -> list[str]:
        """Live on for so long over all resets, or until something is so; return what ended these lives.

        The radio fails at times, as radios do: what takes one contact may take three.
        """
        end_s = self.now_s() + 60 * minutes
        lives: list[str] = []

        def stop() -> None:
            if until():
                raise Stop

        while not until() and (left_s := end_s - self.now_s()) > 1:
            lives.append(self.run(left_s / 60, meanwhile=stop))
        return lives

    def settle(self, collector: Collector, parcel: Parcel) -> list[str]:
        """Live on until the node says what became of a parcel in the end; return what ended these lives."""
        return self.run_on(SETTLED_MINUTES, lambda: is_settled(collector, parcel))

    def publish(self, *wanted: Retained) -> None:
        self._publish(list(wanted))

    def offer(self, parcel: Parcel) -> None:
        self._publish(list(messages(NODE, parcel)))

    def withdraw(self, parcel: Parcel) -> None:
        self._publish(list(withdrawal(NODE, parcel.count)))

    def _publish(self, wanted: list[Retained]) -> None:
        told = [{"topic": m.topic, "payload": m.payload, "retain": m.retain, "qos": 1} for m in wanted]
        publish.multiple(told, "127.0.0.1", self.broker.port)  # type: ignore[arg-type]

    def runs(self) -> str:
        """Return the name of the model that runs."""
        return self.events("model")[-1].partition(" CRC ")[0]


def told(collector: Collector, topic: str = "update") -> list[dict[str, Any]]:
    """Return the JSON objects that came to a topic of the node's, in order."""
    collector.settle()
    return [json.loads(payload) for t, payload, _ in collector.messages if t == f"dibble/{NODE}/{topic}"]


def is_settled(collector: Collector, parcel: Parcel) -> bool:
    """Tell whether the node has said what became of a parcel."""
    said = [json.loads(payload) for topic, payload, _ in list(collector.messages) if topic == f"dibble/{NODE}/update"]
    return any(one["crc"] == parcel.told_crc and one["state"] in ENDS for one in said)


def states(collector: Collector) -> list[str]:
    return [
        f"{one['state']} {one['have']} of {one['of']}" + (one["why"] and f": {one['why']}") for one in told(collector)
    ]


def config_of(bench: RadioBench, **changes: object) -> bytes:
    return json.dumps({**bench.config, **changes}).encode()


def deployed_firmware(target: Path, drivers: list[str]) -> Path:
    """Lay out firmware with these drivers in a new folder, as a deploy brings it; return it."""
    for name, content in node_files(drivers, made_for(ARCHITECTURE), viper=False).items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    write_manifest(target)
    return target


class Field:
    """A node that has run well, without a key or with one, and its broker: each test begins at that."""

    def __init__(self, firmware: Path, folder: Path) -> None:
        write_manifest(firmware)
        self.broker = Mosquitto(folder)
        self.broker.start()
        (folder / "plain").mkdir()
        (folder / "keyed").mkdir()
        self.plain = RadioBench(firmware, folder / "plain", self.broker, OLD)
        deployed = deployed_firmware(folder / "deployed", [sensor["driver"] for sensor in self.plain.config["sensors"]])
        self.keyed = RadioBench(deployed, folder / "keyed", self.broker, None, blocks=PICO_W_BLOCKS)
        self.keyed.send("node.key", KEY)
        for name, content in (("config.json", config_of(self.keyed)), ("model.dib", OLD)):
            self.keyed.send(name + ".sig", sign(KEY, name, 10, content))
            self.keyed.send(name, content)
        for bench in (self.plain, self.keyed):
            bench.run(2.5)
            bench.remember()
