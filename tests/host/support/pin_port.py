"""A port over pins' device models, for tests of drivers on CPython."""

from collections.abc import Mapping
from typing import Any, Protocol

from dibble.ports.contact import Contact
from dibble_tools.node.config import whole
from dibble_tools.simulator.node.bus import VirtualClock


class Changing(Protocol):
    def changes(self, start_us: int, end_us: int) -> list[tuple[int, bool]]: ...


END_UV = 3_300_000 * 65500 // 65535


class Analog:
    def __init__(self, source: Any) -> None:
        self.source = source
        self.at_end = False

    def read_uv(self) -> int:
        uv = int(self.source.microvolts())
        self.at_end = uv >= END_UV
        return uv


class Pulses:
    """Closings since the last look, by the ports' own Contact."""

    def __init__(self, clock: VirtualClock, contact: Changing, lockout_ms: int) -> None:
        self.clock = clock
        self.contact = contact
        self.count = Contact(clock.ticks_ms, clock.ticks_diff, lockout_ms, False)
        self.seen_us = clock.now_us()

    def take(self) -> int:
        for us, closed in self.contact.changes(self.seen_us, self.clock.now_us()):
            self.count.changed(us // 1000, closed)
        self.seen_us = self.clock.now_us()
        taken: int = self.count.take()
        return taken


class Kept:
    """A few bytes over resets."""

    def __init__(self) -> None:
        self.payload: bytes | None = None

    def newest(self) -> bytes | None:
        return self.payload

    def write(self, payload: bytes) -> None:
        self.payload = payload


class PinPort:
    """What a driver is handed as `port`; devices by pin."""

    def __init__(self, devices: Mapping[int | str, Any], clock: VirtualClock | None = None) -> None:
        self.kept = Kept()
        self.devices = devices
        self.clock = clock or VirtualClock()
        self.ticks_ms = self.clock.ticks_ms
        self.ticks_diff = self.clock.ticks_diff
        self.sleep_ms = self.clock.sleep_ms

    def analog(self, pin: int | str) -> Analog:
        return Analog(self.devices[pin])

    def pulses(self, pin: int | str, lockout_ms: int, pull_up: bool) -> Pulses:
        return Pulses(self.clock, self.devices[pin], lockout_ms)

    def memory(self, name: str) -> Kept:
        return self.kept

    def onewire(self, pin: int | str) -> Any:
        return self.devices[pin]


class Steady:
    """A pin at one voltage."""

    def __init__(self, uv: float) -> None:
        self.uv = uv

    def microvolts(self) -> float:
        return self.uv


def settings_of(driver: Any, **given: object) -> dict[str, object]:
    """Return a driver's settings as the node has them: held against the schema, with defaults."""
    name = driver.__name__.rpartition(".")[2]
    settings: dict[str, object] = whole({"sensors": [{"driver": name, **given}]})["sensors"][0]
    return settings
