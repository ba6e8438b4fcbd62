"""Does a configuration go with the board that it says it was made for? Its pins, its watchdog: by boards/*.toml."""

import re
from typing import Any

from dibble import ConfigError
from dibble.drivers import driver

from dibble_tools.boards.catalogue import all_boards, board_names
from dibble_tools.boards.schema import Board, Runtime
from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.node.config import PaperPort, sensors_of, whole

# Names that CircuitPython's boards have beside those on the header.
SECOND_NAMES = re.compile(r"SDA|SCL|TX|RX|SCK|MOSI|MISO|(GP\d+_)?A\d")
SECOND_ADC = re.compile(r"(GP\d+_)?A\d")
PIN_KEYS = ("pin", "power_pin", "supply_pin")


class WiringPort(PaperPort):
    """A port that remembers which pins drivers ask for, and as what.

    Attributes:
        used: (use, pin): "analog", "output", "pull-up", "input", "1-Wire" or "I2C".
    """

    def __init__(self) -> None:
        self.used: list[tuple[str, Any]] = []

    def analog(self, pin: Any) -> PaperPort:
        return self._use("analog", pin)

    def output(self, pin: Any, value: int = 0) -> PaperPort:
        return self._use("output", pin)

    def pulses(self, pin: Any, lockout_ms: int, pull_up: bool) -> PaperPort:
        return self._use("pull-up" if pull_up else "input", pin)

    def onewire(self, pin: Any) -> PaperPort:
        return self._use("1-Wire", pin)

    def i2c(self, sda: Any, scl: Any, frequency_hz: int) -> PaperPort:
        self._use("I2C", sda)
        return self._use("I2C", scl)

    def _use(self, use: str, pin: Any) -> PaperPort:
        self.used.append((use, pin))
        return PaperPort()


def recorded_board(config: dict[str, Any]) -> tuple[str, Board] | None:
    """Return (name, board) of the board that a configuration was made for; None: it doesn't say.

    Raises:
        InputError: there is no such board; near names are told.
    """
    name = config.get("board", "")
    if not name:
        return None
    if name not in board_names():
        raise InputError(
            f"config.board: expected a name of `dibble boards`, got {name!r}; {listed(name, board_names())}"
        )
    return name, all_boards()[name]


def check_wiring(config: dict[str, Any], runtime: str = "") -> None:
    """Refuse a configuration that asks for what the board it was made for hasn't got.

    Args:
        config: whole, with its defaults.
        runtime: that it'll run under; "": not known, any of the board's may do.
    Raises:
        InputError: says where, what was expected, what is there, and what to do.
        ConfigError: a driver refuses its settings.
    """
    _check_addresses(config)
    recorded = recorded_board(config)
    if not recorded:
        return
    name, board = recorded
    if runtime and runtime not in board.runtimes:
        raise InputError(
            f"config.board: expected a board for {runtime}, got {name}, which runs {', '.join(board.runtimes)}: "
            "name the one that you have"
        )
    faults = []
    for kind in [runtime] if runtime else list(board.runtimes):
        try:
            _check_under(kind, name, board, config)
            return
        except InputError as error:
            faults.append(error)
    raise faults[0]


def _check_addresses(config: dict[str, Any]) -> None:
    """Refuse two sensors at one I2C address: they would answer at once."""
    seen: dict[int, int] = {}
    for i, sensor in enumerate(config["sensors"]):
        at = sensor.get("address")
        if at is not None and at in seen:
            raise InputError(
                f"config.sensors[{i}].address: expected an I2C address of its own, got 0x{at:02x}, which is that of "
                f"config.sensors[{seen[at]}], too: set the other one that the sensor can have, or take one out"
            )
        if at is not None:
            seen[at] = i


def _check_under(kind: str, name: str, board: Board, config: dict[str, Any]) -> None:
    """Hold a configuration against a board under one runtime."""
    has: Runtime = board.runtimes[kind]  # type: ignore[index]
    if 0 < has.watchdog_max_ms < config["watchdog_ms"]:
        raise InputError(
            f"config.watchdog_ms: expected at most {has.watchdog_max_ms}, as {name}'s watchdog takes, "
            f"got {config['watchdog_ms']}: take less, or 0 for none"
        )
    port = WiringPort()
    sensors_of(config, port)
    for i, sensor in enumerate(config["sensors"]):
        if board.chip.name == "ESP32" and sensor["driver"] == "wind_vane":
            vane: Any = driver("wind_vane")
            try:
                vane.check_on_esp32(sensor, vane.table_of(sensor))
            except ConfigError as error:
                raise InputError(f"config.sensors[{i}].pull_up_ohm: {error}") from None
    used = port.used + [("output", action["pin"]) for action in config["actions"]]
    if config["led"] not in ("", has.led):
        used.append(("output", config["led"]))
    # An RP2's MicroPython knows its pins by the labels, too.
    by_label = kind == "micropython" and board.chip.name.startswith("RP2")
    label_of = {value: label for label, value in has.pins.items()}
    label_of |= {label: label for label in has.pins} if by_label else {}
    for use, pin in used:
        _check_pin(use, pin, _place(config, pin), name, board, kind, has, label_of)


def _check_pin(
    use: str,
    pin: Any,
    where: str,
    name: str,
    board: Board,
    kind: str,
    has: Runtime,
    label_of: dict[Any, str],
) -> None:
    header = board.header
    label = label_of.get(pin)
    see = f"`dibble boards {name}` shows them"
    if label is None:
        own = {has.led, has.i2c_power} | ({has.battery.pin} if has.battery else set())
        second = kind == "circuitpython" and isinstance(pin, str) and SECOND_NAMES.fullmatch(pin)
        if pin in own or (second and (use != "analog" or SECOND_ADC.fullmatch(pin))):
            return
        raise InputError(f"{where}: expected a pin of {name} under {kind}, got {pin!r}: {see}")
    if use == "analog" and label not in header.adc:
        able = ", ".join(str(has.pins[each]) for each in header.adc if each in has.pins)
        raise InputError(f"{where}: expected a pin of {name} with an ADC ({able}), got {pin!r}: move the wire to one")
    if use in ("output", "1-Wire", "I2C") and label in header.input_only:
        raise InputError(
            f"{where}: expected a pin that can be an output, got {pin!r}, which {name} has as an input only: "
            f"take another; {see}"
        )
    if use == "pull-up" and label in header.no_pull_up:
        raise InputError(
            f"{where}: expected a pin with a pull-up of its own, got {pin!r}, which on {name} has none: take another, "
            "or put a resistor from it to 3.3 V and say `pull_up` false"
        )


def _place(config: dict[str, Any], pin: Any) -> str:
    """Return where a configuration names a pin."""
    for key in ("sda", "scl"):
        if config["i2c"][key] == pin:
            return f"config.i2c.{key}"
    for kind in ("sensors", "actions"):
        for i, entry in enumerate(config[kind]):
            for key in PIN_KEYS:
                if key in entry and entry[key] == pin:
                    return f"config.{kind}[{i}].{key}"
    return "config.led" if config["led"] == pin else "config"


def mismatch(config: dict[str, Any], machine: str = "", build: str = "") -> str:
    """Return what there is to tell where a connected board isn't the one of the configuration; "": it may be.

    Args:
        machine: what the board says that it is, such as "Raspberry Pi Pico W with RP2040".
        build: name of its firmware, as CircuitPython tells it.
    """
    recorded = recorded_board(config)
    if not recorded:
        return ""
    name, board = recorded
    title, _, chip = machine.rpartition(" with ")
    others = [
        own
        for own, other in all_boards().items()
        if (title and other.title == title) or (build and any(has.build == build for has in other.runtimes.values()))
    ]
    expected = board.chip.name.replace("-", "").upper()
    same_chip = not chip or chip.upper() == expected or (expected.startswith("SAMD") and chip.startswith(expected))
    if name in others or (same_chip and not others):
        return ""
    got = f"{machine or build}" + (f" ({', '.join(others)})" if others else "")
    return f"config.board: expected {name} ({board.title}, {board.chip.name}), this board says that it is {got}"


def board_for(asked: str | None, table: dict[str, Any] | None, default: str | None = None) -> str:
    """Return the board to reckon with: the one asked for, else the configuration's, which has to go with it.

    Args:
        table: of config.json, as it is; None: there is none.
        default: where neither names one.
    Raises:
        InputError: nobody names one; or the configuration doesn't go with its board.
    """
    if table is not None and table.get("board"):
        check_wiring(whole(table))
    board = asked or (table or {}).get("board") or default
    if not board:
        raise InputError("--board: expected a name of `dibble boards`, or a --config that has one as `board`, got none")
    return str(board)
