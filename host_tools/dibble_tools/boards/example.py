"""A config.json to begin with: the sensors that are asked for, on pins that are free, and a relay."""

from typing import Any

from dibble.config import NOVEL

from dibble_tools.boards.catalogue import board_named, runtime_of
from dibble_tools.boards.sensor_choice import RELAYS, Pins, entries_for, parse_wish
from dibble_tools.common.errors import InputError
from dibble_tools.node.config import whole

WATCHDOG_MS = 8000
USUAL = ("sht4x", "soil_adc")  # sensors, where none is named
DRY = "dry"  # class of the relay beside a soil probe, and label of the first steps


def example_config(board: str, runtime: str | None = None) -> dict[str, Any]:
    """Return a node's config.json for a board with the usual sensors: air, soil, and a relay."""
    return configured(board, runtime)[0]


def configured(
    board: str,
    runtime: str | None = None,
    sensors: tuple[str, ...] = USUAL,
    action: str | None = None,
    wifi: bool | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Return a node's config.json for a board, held against the firmware's own schema, and what there is to tell.

    A soil probe takes its power from a pin, as it draws more than all the rest of a sleeping node.

    Args:
        sensors: as sensor_choice.GRAMMAR has it.
        action: CLASS or CLASS:PIN of a relay, or "novel" for a class: it is on while readings are unlike those learned
            from; None: "dry", where there is a soil probe; "": none.
        wifi: reports by MQTT; None: as the board can.
    Raises:
        InputError: no such board, runtime or sensor, no pin for it, or a board on which the node with a config.json
            doesn't run.
    """
    name, found = board_named(board)
    kind, has = runtime_of(name, found, runtime)
    if has.node != "full":
        way = "use `dibble microbit`" if has.node == "small" else "it takes a model and your own main.py"
        raise InputError(f"{name} under {kind}: expected a board for the whole node, got a smaller one: {way}")
    if wifi and found.chip.radio != "wifi":
        raise InputError(f"--wifi: expected a board with Wi-Fi, got {name}: pico_w, esp32_devkit and others have it")
    pins = Pins(name, found, has)
    wishes = [parse_wish(text) for text in sensors]
    if not wishes:
        raise InputError("--sensor: expected a sensor at least, got none: `dibble drivers` lists them")
    soil = any("soil_moisture_permille" in dict(wish.driver.channels) for wish in wishes)
    chosen = (DRY if soil else "") if action is None else action
    label, _, place = chosen.partition(":")
    cause = "flag" if label == NOVEL else "class"
    actions = []
    if place:
        actions = [{cause: label, "pin": pins.named(place, "output", f"the relay of {label}")}]
    entries, notes = entries_for(wishes, pins)
    if label and not place:
        actions = [{cause: label, "pin": pins.any("output", f"the relay of {label}", RELAYS)}]
    if has.battery and not any(entry["driver"] == "battery" for entry in entries):
        entries.append({"driver": "battery", "pin": has.battery.pin, "divider_permille": has.battery.divider_permille})
    config: dict[str, Any] = {
        "node": name.replace("_", "-"),
        "interval_s": 600,
        "watchdog_ms": min(WATCHDOG_MS, has.watchdog_max_ms),
        "i2c": {"sda": has.pins[has.i2c.sda], "scl": has.pins[has.i2c.scl]},
        "sensors": entries,
        "actions": actions,
    }
    if not any("address" in dict.fromkeys(s.name for s in wish.driver.settings) for wish in wishes):
        del config["i2c"]
    if found.chip.radio == "wifi" and wifi is not False:
        config["mqtt"] = {"host": "", "port": 1883, "user": "", "every": 6}
    whole(config)
    return config, notes


def awake_days(board: str, runtime: str | None = None, mah: float = 2500.0) -> tuple[float, float] | None:
    """Return (days on a battery with a watchdog, without one) where a board can't sleep beside it; None: it can."""
    name, found = board_named(board)
    has = runtime_of(name, found, runtime)[1]
    if has.sleeps_with_watchdog:
        return None
    standing = found.power.standing_ma
    return mah / 24 / (has.idle_ma + standing), mah / 24 / (has.light_sleep_ma + standing)
