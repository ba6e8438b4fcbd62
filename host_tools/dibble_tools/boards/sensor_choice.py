"""The sensors that a person names, `soil_adc:26`, `bme680:0x76`, as entries of a config.json for one board."""

import re
from dataclasses import dataclass, field
from typing import Any

from dibble.drivers import channels_of

from dibble_tools.boards.drivers import DriverFacts, all_drivers, driver_named
from dibble_tools.boards.schema import Board, PinValue, Runtime
from dibble_tools.boards.wiring import WiringPort
from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.node.config import sensors_of, whole

PROBE_CURVE_MV = [2300, 1200]  # of a capacitive v1.2 probe; batches differ: `dibble retune` measures one's own
PROBE_POWER_UP_MS = 300
I2C_POWER_UP_MS = 10
VANE_OHM, VANE_NARROW_OHM = 15_000, 22_000  # an ESP32's converter, and its successors', end below the supply
ALWAYS_POWERED = ("sgp30", "ens160")
# What must be given, to begin with; and what to do about it.
BEGIN: dict[str, tuple[dict[str, Any], str]] = {
    "soil_adc": (
        {"probe_curve": PROBE_CURVE_MV},
        "soil_adc: probe_curve is a usual probe's; measure yours: dibble retune soil config.json --measure dry, "
        "then wet",
    ),
    "gas_adc": (
        {"zero_uv": 400_000, "uv_per_ppm": 50_000},
        "gas_adc: zero_uv and uv_per_ppm are examples: take them from your cell's data sheet, then "
        "dibble retune gas config.json --measure in clean air",
    ),
}
# Where the board has them: handy for wiring. Else the first that is free.
RELAYS = ("GP16", "D12", "D13", "D10")
POWERS = ("GP22", "D11", "D9", "D14")
CONTACTS = ("GP7", "GP8", "GP9", "GP10")
PAPER_BUS = {"sda": "SDA", "scl": "SCL"}
ENERGY_S = 600
GRAMMAR = "DRIVER, DRIVER:PIN or DRIVER:ADDRESS, such as bme680, soil_adc:26 or bme680:0x76"


@dataclass(frozen=True)
class Wish:
    """A sensor: its driver, and the pin or the address that a person wants; "": any."""

    driver: DriverFacts
    place: str = ""


@dataclass
class Pins:
    """A board's pins while they are given away.

    Attributes:
        taken: label -> what for.
    """

    name: str
    board: Board
    runtime: Runtime
    taken: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.taken |= {self.runtime.i2c.sda: "I2C SDA", self.runtime.i2c.scl: "I2C SCL"}
        used: set[PinValue | None] = {self.runtime.led, self.runtime.i2c_power}
        used |= {self.runtime.battery.pin} if self.runtime.battery else set()
        self.taken |= {label: "the board itself" for label, value in self.runtime.pins.items() if value in used}

    def named(self, text: str, use: str, where: str) -> PinValue:
        """Give away the pin that a person names, by its label or its value in config.json.

        Raises:
            InputError: it hasn't one, it's taken, or can't be used so.
        """
        wanted = text.strip().lower()
        label = next(
            (label for label, value in self.runtime.pins.items() if wanted in (label.lower(), str(value).lower())), None
        )
        see = f"`dibble boards {self.name}` shows them"
        if label is None:
            raise InputError(f"{where}: expected a pin of {self.name}, got {text!r}; {see}")
        if label in self.taken:
            raise InputError(
                f"{where}: expected a pin that is free, got {text}, which is for {self.taken[label]}; {see}"
            )
        if not self._can(label, use):
            able = ", ".join(each for each in self.runtime.pins if self._can(each, use) and each not in self.taken)
            raise InputError(f"{where}: expected a pin for {WORDS[use]} ({able}), got {text}; {see}")
        self.taken[label] = where
        return self.runtime.pins[label]

    def any(self, use: str, where: str, handy: tuple[str, ...] = ()) -> PinValue:
        """Give away a pin that is free and has no caution: a handy one, else the first.

        Raises:
            InputError: there is none.
        """
        free = [
            label
            for label in self.runtime.pins
            if label not in self.taken and label not in self.board.header.caution and self._can(label, use)
        ]
        # An ADC pin isn't spent on what any pin does, and the last one last.
        if use == "analog":
            free.sort(key=self.board.header.adc.index)
        else:
            adc = self.board.header.adc
            free.sort(key=lambda label: (label in adc, -adc.index(label) if label in adc else 0))
        if not free:
            raise InputError(
                f"{where}: expected a free pin of {self.name} for {WORDS[use]}, got none left: fewer sensors, or "
                "another board"
            )
        label = next((label for label in handy if label in free), free[0])
        self.taken[label] = where
        return self.runtime.pins[label]

    def _can(self, label: str, use: str) -> bool:
        header = self.board.header
        if use == "analog":
            return label in header.adc
        if use == "pull-up":
            return label not in header.no_pull_up
        return label not in header.input_only


WORDS = {"analog": "an analog voltage", "pull-up": "a contact", "input": "a contact"}
WORDS |= {"output": "an output", "1-Wire": "1-Wire"}


def parse_wish(text: str) -> Wish:
    """Return what a person means by a sensor.

    Raises:
        InputError: there is no such driver; near names are told.
    """
    name, _, place = (part.strip() for part in text.partition(":"))
    known = all_drivers()
    key = name.lower().replace("-", "_").replace(" ", "_")
    if key not in known:
        key = _by_part(key, known) or key
    if key not in known:
        raise InputError(f"--sensor: expected {GRAMMAR}; got {text!r}; {listed(key, list(known))}")
    return Wish(driver_named(key), place)


def _by_part(name: str, known: dict[str, DriverFacts]) -> str:
    """Return the driver for a part's own name, such as sht31 or BME688; "": none says so."""
    if not re.search("[0-9]", name):
        return ""
    if name[:-1] + "x" in known:
        return name[:-1] + "x"
    part = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
    return next((own for own, facts in known.items() if part.search(facts.summary)), "")


def entries_for(wishes: list[Wish], pins: Pins) -> tuple[list[dict[str, Any]], list[str]]:
    """Return entries of `sensors`, with pins and addresses of their own, and what there is to tell of them.

    Raises:
        InputError: a pin or an address can't be.
    """
    # Wanted places first: what is chosen freely keeps out of their way.
    made: dict[int, dict[str, Any]] = {}
    notes = []
    addresses: dict[int, str] = {}
    for number in sorted(range(len(wishes)), key=lambda i: not wishes[i].place):
        wish = wishes[number]
        facts, where = wish.driver, f"--sensor {wish.driver.name}"
        entry: dict[str, Any] = {"driver": facts.name}
        if facts.runtime:
            raise InputError(
                f"{where}: expected a sensor that is wired to a few pins, got one whose pins are its board's, under "
                f"{facts.runtime} only: `dibble drivers {facts.name}` has the entry for config.json"
            )
        bounds = {s.name: s for s in facts.settings}
        use = use_of(facts.name)
        if "address" in bounds:
            entry |= _address(wish, addresses, where)
        elif use:
            entry["pin"] = _pin(wish, use, pins, where)
        begin, note = BEGIN.get(facts.name, ({}, ""))
        entry |= begin
        chip = pins.board.chip.name
        if facts.name == "wind_vane" and chip.startswith("ESP32"):
            entry["pull_up_ohm"] = VANE_OHM if chip == "ESP32" else VANE_NARROW_OHM
        if facts.name == "battery" and pins.runtime.battery and entry["pin"] == pins.runtime.battery.pin:
            entry["divider_permille"] = pins.runtime.battery.divider_permille
        if "address" in bounds and pins.runtime.i2c_power is not None:
            if facts.name in ALWAYS_POWERED:
                notes.append(
                    f"{facts.name} needs power all the time: take it from 3.3 V, not from the switched connector"
                )
            else:
                entry |= {"power_pin": pins.runtime.i2c_power, "power_up_ms": I2C_POWER_UP_MS}
        made[number] = entry
        notes += [note] if note and note not in notes else []
    for entry in made.values():
        if entry["driver"] == "soil_adc":  # it draws more than all the rest of a sleeping node
            power = pins.any("output", "the power of soil_adc", POWERS)
            entry |= {"power_pin": power, "power_up_ms": PROBE_POWER_UP_MS}
    entries = [made[number] for number in range(len(wishes))]
    return entries, notes + _shared_names(entries)


def use_of(driver: str) -> str:
    """Return what a driver asks of its pin, as WiringPort names it; "": it has none."""
    port = WiringPort()
    pin = 3
    begin = BEGIN.get(driver, ({}, ""))[0]
    facts = driver_named(driver)
    entry = {"driver": driver, **begin, **({"pin": pin} if any(s.name == "pin" for s in facts.settings) else {})}
    sensors_of(whole({"i2c": PAPER_BUS, "sensors": [entry]}), port)
    return next((use for use, used in port.used if used == pin), "")


def _pin(wish: Wish, use: str, pins: Pins, where: str) -> PinValue:
    own = pins.runtime.battery.pin if wish.driver.name == "battery" and pins.runtime.battery else None
    if own is not None and wish.place.lower() in ("", str(own).lower()):
        return own  # on no header: the board measures it by itself
    if wish.place:
        return pins.named(wish.place, use, where)
    return pins.any(use, where, CONTACTS if use == "pull-up" else ())


def _address(wish: Wish, addresses: dict[int, str], where: str) -> dict[str, int]:
    """Return the address to name: that which is wanted, else the driver's own, unless another sensor has it."""
    setting = next(s for s in wish.driver.settings if s.name == "address")
    least, most = setting.bounds
    able = ", ".join(f"0x{at:02x}" for at in range(least, most + 1))
    if wish.place:
        try:
            at = int(wish.place, 0)
        except ValueError:
            at = -1
        if not least <= at <= most:
            raise InputError(f"{where}: expected an I2C address of {wish.driver.name} ({able}), got {wish.place!r}")
    else:
        at = next((each for each in (setting.default, *range(least, most + 1)) if each not in addresses), -1)
    if at < 0 or at in addresses:
        others = ", ".join(f"0x{each:02x} {name}" for each, name in addresses.items())
        raise InputError(
            f"{where}: expected an I2C address of its own, of {able}, got none that is free beside {others}: a second "
            "one wants another address, or another node"
        )
    addresses[at] = wish.driver.name
    return {} if at == setting.default else {"address": at}


def _shared_names(entries: list[dict[str, Any]]) -> list[str]:
    """Return what to tell where two sensors give one channel, and name those of the second in its entry."""
    whole_entries = whole({"i2c": PAPER_BUS, "sensors": entries})["sensors"]
    found, notes = channels_of(whole_entries)[0], []
    seen: dict[str, str] = {}
    for entry, channels in zip(entries, found, strict=True):
        own = [name for name, _ in driver_named(entry["driver"]).channels]
        names = [name for name, _ in channels]
        if names != own:
            entry["channels"] = names
            pairs = [(was, now) for was, now in zip(own, names, strict=True) if was != now]
            told = ", ".join(f"{seen.get(was, 'another')}'s {was}, so its own is {now}" for was, now in pairs)
            notes.append(f"{entry['driver']} gives what there is already: {told}; `channels` in config.json renames it")
        seen |= {name: entry["driver"] for name in names if name not in seen}
    return notes


def energy_text(facts: DriverFacts) -> str:
    """Return what a reading each ten minutes costs, in words: by the driver itself over a model of its sensor."""
    from dibble_tools.boards.sensing import SPREAD, sensing

    begin = BEGIN.get(facts.name, ({}, ""))[0]
    pin = {"pin": 26} if any(s.name == "pin" for s in facts.settings) else {}
    entry = {"driver": facts.name, **begin, **pin}
    cost = sensing(whole({"i2c": PAPER_BUS, "sensors": [entry]})["sensors"][0], ENERGY_S)
    a_day = cost.charge_uc / 1e6 / 3.6 * 86400 / ENERGY_S
    shown = f"{a_day:.0f}" if a_day >= 10 else f"{a_day:.2g}"
    return (
        f"a reading each {ENERGY_S // 60} minutes, with power all the time: the node is awake for "
        f"{cost.awake_ms / 1000:.2f} s of them, the sensor draws some {shown} mAh a day (within {SPREAD:g} times)"
    )
