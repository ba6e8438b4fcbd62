"""A config.json to begin with: an air sensor on the board's I2C, a soil probe and a relay on pins that are free."""

from typing import Any

from dibble_tools.boards.catalogue import board_named, runtime_of
from dibble_tools.boards.schema import Board, PinValue, Runtime
from dibble_tools.common.errors import InputError
from dibble_tools.node.config import whole

PROBE_CURVE_MV = [2300, 1200]  # of a capacitive v1.2 probe; batches differ: `dibble retune` measures one's own
PROBE_POWER_UP_MS = 300
I2C_POWER_UP_MS = 10
WATCHDOG_MS = 8000
# Where the board has them: handy for wiring. Else the first that is free.
RELAYS = ("GP16", "D12", "D13", "D10")
POWERS = ("GP22", "D11", "D9", "D14")


def example_config(board: str, runtime: str | None = None) -> dict[str, Any]:
    """Return a node's config.json for a board, held against the firmware's own schema.

    The soil probe takes its power from a pin, as it draws more than all the rest of a sleeping node.

    Raises:
        InputError: no such board or runtime, or one that the node with a config.json doesn't run on.
    """
    name, found = board_named(board)
    kind, has = runtime_of(name, found, runtime)
    if has.node != "full":
        way = "use `dibble microbit`" if has.node == "small" else "it takes a model and your own main.py"
        raise InputError(f"{name} under {kind}: expected a board for the whole node, got a smaller one: {way}")
    probe, relay, power = pins_for(found, has)
    sensor: dict[str, Any] = {"driver": "sht4x"}
    if has.i2c_power is not None:
        sensor |= {"power_pin": has.i2c_power, "power_up_ms": I2C_POWER_UP_MS}
    config: dict[str, Any] = {
        "node": name.replace("_", "-"),
        "interval_s": 600,
        "watchdog_ms": min(WATCHDOG_MS, has.watchdog_max_ms),
        "i2c": {"sda": has.pins[has.i2c.sda], "scl": has.pins[has.i2c.scl]},
        "sensors": [
            sensor,
            {
                "driver": "soil_adc",
                "pin": has.pins[probe],
                "probe_curve": PROBE_CURVE_MV,
                "power_pin": has.pins[power],
                "power_up_ms": PROBE_POWER_UP_MS,
            },
        ],
        "actions": [{"class": "dry", "pin": has.pins[relay]}],
    }
    if has.battery:
        battery = {"driver": "battery", "pin": has.battery.pin, "divider_permille": has.battery.divider_permille}
        config["sensors"].append(battery)
    if found.chip.radio == "wifi":
        config["mqtt"] = {"host": "", "port": 1883, "user": "", "every": 6}
    whole(config)
    return config


def awake_days(board: str, runtime: str | None = None, mah: float = 2500.0) -> tuple[float, float] | None:
    """Return (days on a battery with a watchdog, without one) where a board can't sleep beside it; None: it can."""
    name, found = board_named(board)
    has = runtime_of(name, found, runtime)[1]
    if has.sleeps_with_watchdog:
        return None
    standing = found.power.standing_ma
    return mah / 24 / (has.idle_ma + standing), mah / 24 / (has.light_sleep_ma + standing)


def pins_for(board: Board, runtime: Runtime) -> tuple[str, str, str]:
    """Return labels for a soil probe, a relay and the probe's power: no pin of the I2C bus, none with a caution.

    Raises:
        InputError: the board has too few.
    """
    header = board.header
    taken = {runtime.i2c.sda, runtime.i2c.scl}
    used: set[PinValue | None] = {runtime.led, runtime.i2c_power, runtime.battery.pin if runtime.battery else None}
    free = [
        label
        for label, value in runtime.pins.items()
        if label not in taken and label not in header.caution and value not in used
    ]
    probes = [label for label in header.adc if label in free]
    outputs = [label for label in free if label not in header.input_only and label not in header.adc]
    outputs += [label for label in reversed(header.adc) if label in free and label not in header.input_only]
    outputs = [label for label in outputs if label != probes[0]] if probes else []
    if len(outputs) < 2:
        raise InputError(f"{board.title}: expected an ADC pin and two outputs without a caution, got too few")
    relay = next((label for label in RELAYS if label in outputs), outputs[0])
    outputs.remove(relay)
    return probes[0], relay, next((label for label in POWERS if label in outputs), outputs[0])
