"""The true times between a node's cycles, over as long as one likes: on the real VM, by when its sensor is asked."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from circuitpython_node import Node
from dibble_tools.simulator.devices.sht4x import Sht4x

MEASURE = b"\xfd"  # the SHT4x's data sheet, 4.5


class Stamped:
    """An air sensor that remembers when it was asked.

    Attributes:
        at_us: of each measurement, in the field's time.
    """

    def __init__(self, air: Sht4x, node: Node) -> None:
        self.at_us: list[int] = []
        self._air = air
        self._node = node

    def write(self, data: bytes) -> None:
        if data == MEASURE:
            self.at_us.append(self._node.hardware.now_us)
        self._air.write(data)

    def read(self, size: int) -> bytes:
        return self._air.read(size)


@dataclass(frozen=True)
class Intervals:
    """What was measured.

    Attributes:
        cycles: how many; lives: what ended the node, "stop" for the end of the time.
        least_s, most_s, mean_s: between two cycles.
        clock_s: how far the node's own times went, less how far the true ones did.
        asleep_share: of the time, in light sleep.
    """

    cycles: int
    life: str
    least_s: float
    most_s: float
    mean_s: float
    clock_s: float
    asleep_share: float


def measured(
    folder: Path, port: str, days: float, interval_s: int, kind: frozenset[str] = frozenset(), ticks_ms: int = 0
) -> Intervals:
    """Return the intervals of a node that sleeps between its cycles and logs the air.

    Args:
        folder: empty.
        kind: unkindnesses that it is spared.
        ticks_ms: what MicroPython's ticks show at the start.
    """

    def without_model(drive: Path) -> None:
        (drive / "model.dib").unlink()

    config = {"interval_s": interval_s, "watchdog_ms": 0, "sensors": [{"driver": "sht4x"}], "actions": [], "led": ""}
    node = Node(folder, port, config=config, finish=without_model, kind=kind)
    node.hardware.ticks_offset_ms = ticks_ms - node.hardware.now_us // 1000
    air = Stamped(node.air, node)
    node.hardware.i2c = {0x44: air}
    life = node.live(days * 86400)
    gaps = [(after - before) / 1e6 for before, after in pairwise(air.at_us)]
    own = [int(line.split(",")[1]) for line in node.decisions()]
    true_s = (air.at_us[len(own) - 1] - air.at_us[0]) / 1e6
    hardware = node.hardware
    asleep = hardware.asleep_us / max(1, hardware.asleep_us + hardware.awake_us)
    return Intervals(
        len(air.at_us), life, min(gaps), max(gaps), sum(gaps) / len(gaps), own[-1] - own[0] - true_s, asleep
    )
