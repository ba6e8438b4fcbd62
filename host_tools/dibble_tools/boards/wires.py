"""Where each wire goes: the sensors and relays of a configuration, on the board that it was made for."""

from dataclasses import dataclass
from typing import Any

from dibble_tools.boards.catalogue import board_named, runtime_of
from dibble_tools.boards.drivers import driver_named
from dibble_tools.boards.schema import Board, Runtime
from dibble_tools.boards.wiring import WiringPort
from dibble_tools.node.config import sensors_of, whole

SUPPLIES = ("3V3", "3V")  # as boards print it
POWER, GROUND, SIGNAL = "power", "ground", "signal"
SAFE = "At most 3.3 V at any pin: a sensor that runs at 5 V wants a divider or a level shifter"


@dataclass(frozen=True)
class Wire:
    """One wire: a part's terminal to a label of the board's header, or to words where there is none there.

    Attributes:
        kind: POWER, GROUND or SIGNAL.
    """

    terminal: str
    label: str
    kind: str


@dataclass(frozen=True)
class WiredPart:
    """A sensor or a relay with its wires.

    Attributes:
        name: for people; notes: what has to be known about it.
        place: on a bus that it shares with others, which tells two of a kind apart: its address, or its ROM.
    """

    name: str
    wires: tuple[Wire, ...]
    notes: tuple[str, ...] = ()
    place: str = ""


def parts_of(config: dict[str, Any], runtime: str | None = None) -> list[WiredPart]:
    """Return the parts of a configuration that names its board.

    Raises:
        InputError: there is no such board.
        ConfigError: the node would refuse it.
    """
    name, board = board_named(config["board"])
    has = runtime_of(name, board, runtime)[1]
    table = whole(config)
    labels: dict[Any, str] = {value: label for label, value in has.pins.items()}
    parts = [_sensor(entry, table, board, has, labels) for entry in table["sensors"]]
    parts += [_relay(action, board, labels) for action in table["actions"]]
    return parts


def wires_text(parts: list[WiredPart]) -> list[str]:
    """Return the wires in words: lines of Markdown."""
    lines = []
    for part in parts:
        wires = ", ".join(f"{wire.terminal} to **{wire.label}**" for wire in part.wires)
        name = f"{part.name}, {part.place}" if part.place else part.name
        lines.append(f"- {name}: {wires}." if wires else f"- {name}.")
        lines += [f"  - {note}" for note in part.notes]
    return lines


def _sensor(
    entry: dict[str, Any], table: dict[str, Any], board: Board, has: Runtime, labels: dict[Any, str]
) -> WiredPart:
    name = entry["driver"]
    title = driver_named(name).title
    supply, ground = _supply(board), "GND"
    if entry["power_pin"] == has.i2c_power and has.i2c_power is not None:
        notes = [f"the node switches the power of the board's own I2C connector, pin {has.i2c_power}"]
        power = Wire("VCC", "the connector's power", POWER)
    elif entry["power_pin"] != "":
        power = Wire("VCC", labels.get(entry["power_pin"], str(entry["power_pin"])), POWER)
        notes = ["its power comes from a pin, which gives some 10 mA: for more, switch it by a transistor"]
    else:
        power, notes = Wire("VCC", supply, POWER), []
    if "address" in entry:
        bus = table["i2c"]
        sda, scl = (labels.get(bus[key], str(bus[key])) for key in ("sda", "scl"))
        wires = [power, Wire("GND", ground, GROUND), Wire("SDA", sda, SIGNAL), Wire("SCL", scl, SIGNAL)]
        able = next(s for s in driver_named(name).settings if s.name == "address").bounds
        notes.append(
            f"at I2C address 0x{entry['address']:02x}"
            + ("" if able[0] == able[1] else ": its address pin or solder bridge has to say so")
        )
        notes.append(
            "SDA and SCL want pull-ups of 2.2 to 10 kohm to 3.3 V: breakout boards have them, bare chips don't"
        )
        return WiredPart(f"{title} (`{name}`)", tuple(wires), tuple(notes), f"0x{entry['address']:02x}")
    pin = labels.get(entry["pin"], str(entry["pin"]))
    use = _use(entry, table)
    if use in ("pull-up", "input"):
        if use == "input":
            notes.append(f"a resistor of 10 kohm from {pin} to {supply}: the pin has no pull-up of its own")
        return WiredPart(
            f"{title} (`{name}`)", (Wire("one wire", pin, SIGNAL), Wire("other", ground, GROUND)), tuple(notes)
        )
    if use == "1-Wire":
        notes.append(f"a resistor of 4.7 kohm from {pin} to {supply}")
        wires = [power, Wire("GND", ground, GROUND), Wire("DATA", pin, SIGNAL)]
        rom = f"ROM {entry['rom']}" if entry.get("rom") else ""
        return WiredPart(f"{title} (`{name}`)", tuple(wires), tuple(notes), rom)
    if name == "battery":
        if has.battery and entry["pin"] == has.battery.pin:
            return WiredPart("Battery voltage (`battery`)", (), ("the board measures it by itself: no wire",))
        notes = [f"a divider from the battery to {pin}: {entry['divider_permille'] / 1000:g} times the pin's voltage"]
        return WiredPart(
            "Battery voltage (`battery`)", (Wire("middle", pin, SIGNAL), Wire("GND", ground, GROUND)), tuple(notes)
        )
    if name == "wind_vane":
        notes.append(f"a resistor of {entry['pull_up_ohm'] / 1000:g} kohm from {pin} to {supply}")
        return WiredPart(
            f"{title} (`{name}`)", (Wire("one wire", pin, SIGNAL), Wire("other", ground, GROUND)), tuple(notes)
        )
    most = "3.1 V: an ESP32's converter measures no more" if board.chip.name.startswith("ESP32") else "3.3 V"
    notes.append(f"its output may give at most {most}")
    wires = [power, Wire("GND", ground, GROUND), Wire("OUT", pin, SIGNAL)]
    if entry.get("supply_pin", "") != "":
        divider = labels.get(entry["supply_pin"], str(entry["supply_pin"]))
        wires.append(Wire("supply's divider", divider, SIGNAL))
    return WiredPart(f"{title} (`{name}`)", tuple(wires), tuple(notes))


def _relay(action: dict[str, Any], board: Board, labels: dict[Any, str]) -> WiredPart:
    pin = labels.get(action["pin"], str(action["pin"]))
    wires = (Wire("VCC", _supply(board), POWER), Wire("GND", "GND", GROUND), Wire("IN", pin, SIGNAL))
    level = "low" if action["active_low"] else "high"
    return WiredPart(
        f"Relay of the class “{action['class']}”" if action["class"] else "Relay of what is novel",
        wires,
        (
            f"a relay or MOSFET module that switches at 3.3 V, on while {pin} is {level}: never a bare coil or valve, "
            "which the pin can't feed",
        ),
    )


def _supply(board: Board) -> str:
    return next((label for label in SUPPLIES if label in board.header.labels), "3.3 V")


def _use(entry: dict[str, Any], table: dict[str, Any]) -> str:
    """Return what a driver asks of its pin, the sensor being the only one of its whole configuration."""
    port = WiringPort()
    alone = {
        "i2c": {"sda": "", "scl": "", "frequency_hz": 0},
        "listen": {**table["listen"], "driver": ""},
        "gate": {**table["gate"], "motion": False},
    }
    sensors_of({**table, **alone, "sensors": [dict(entry)]}, port)
    return next((use for use, used in port.used if used == entry["pin"]), "")
