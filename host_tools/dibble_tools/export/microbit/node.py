"""A minimal node for the micro:bit v1: probes, model, relay, display and serial console in 9 KB of heap."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from dibble import __version__

from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_atomically
from dibble_tools.common.shipped import LIBRARY, ROOMS
from dibble_tools.export.microbit.library import LOAD, TEST, Source, lay_out
from dibble_tools.export.microbit.tables import has_room, only_last
from dibble_tools.model.host_model import HostModel

ANALOG_PINS = (0, 1, 2)  # 3, 4 and 10 can measure, too, but light columns of the display
DIGITAL_PINS = (0, 1, 2, 8, 12, 13, 14, 15, 16)  # the others light the display, or are buttons or I2C
HEAD_FILE = "head"
HEAD = "#dibble,2,{node},seq,time_s,class,held,margin,flags,action,faults,battery_mv,{channels}"
APP = (
    *(
        Source(LIBRARY / f"{name}.py", keep)
        for name, keep in (
            ("__init__", ("SensorError",)),
            ("inference/fixed_point", ("divide",)),
            ("inference/crc32", ("crc32",)),
            ("drivers/proportion", ("proportion",)),
            ("drivers/oversampling", ("steady_uv",)),
            ("drivers/soil_adc", ("moisture_permille",)),
            ("actions", ("Action",)),
        )
    ),
    Source(ROOMS / "export" / "microbit" / "guest" / "app.py", ("run", "Pin")),
)
SETTINGS_FILE = "settings"
SETTINGS = """\
# {channels} -> {classes}
from microbit import {pins}
supply_mv={supply_mv}
interval_ms={interval_ms}
# for each channel: pin, its number, readings for a measurement, mV in dry and in saturated soil
probes={probes}
# class that switches it on, pin, longest on in ms, then off at least, on when the pin is low
relay={relay}
"""
MAIN = f"""\
# A node for a micro:bit v1, written by dibble {__version__}: change what is in the file {SETTINGS_FILE}.
exec(open({SETTINGS_FILE!r}).read())
{LOAD}{TEST}run(node,names,letters,before,probes,relay,supply_mv,interval_ms)
"""
NAMING = "names={names}\nletters={letters!r}\nbefore={before}\n"


@dataclass(frozen=True)
class Probe:
    """A capacitive soil probe.

    Attributes:
        pin: 0, 1 or 2.
        dry_mv, wet_mv: its voltages in dry and in saturated soil, measured, as batches differ.
    """

    pin: int
    dry_mv: int
    wet_mv: int


@dataclass(frozen=True)
class SmallNode:
    """What a grower chooses.

    Attributes:
        probes: one for each of the model's channels, in their order.
        relay_pin: the pin that is driven while `action_class` is held.
        action_class: of the model's classes.
        node: its name on the serial console.
        interval_s: from one reading to the next.
        max_on_s, rest_s: the relay's longest time on, and its least time off after that.
        active_low: the relay is on when its pin is low.
        samples: readings of a pin for one measurement.
        supply_mv: the board's supply: 3300 from USB, about 3000 from two cells.
    """

    probes: Sequence[Probe]
    relay_pin: int
    action_class: str
    node: str = "microbit"
    interval_s: int = 600
    max_on_s: int = 600
    rest_s: int = 1800
    active_low: bool = False
    samples: int = 16
    supply_mv: int = 3300


def write_small_node(model: str | Path, folder: str | Path, chosen: SmallNode) -> list[Path]:
    """Write the files that make a micro:bit v1 a node; return them.

    All of them are to be copied to the board, main.py last: `ufs put FILE`, of the package microfs (not tried on one).

    Args:
        model: model.dib, or its folder.
        folder: made if it isn't there; files in it are overwritten.
    Raises:
        InputError: the model or a setting isn't for this board.
    """
    files = small_node_files(HostModel.open(model), chosen)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, data in files.items():
        write_atomically(folder / name, data)
        written.append(folder / name)
    return written


def small_node_files(model: HostModel, chosen: SmallNode) -> dict[str, bytes]:
    """Return the files' contents by their names on the board, in the order of copying."""
    _check_model(model)
    _check(model, chosen)
    channels = [f"{_visible(channel.name)}:{_visible(channel.unit)}" for channel in model.channels]
    head = HEAD.format(node=_visible(chosen.node), channels=",".join(channels)).encode("ascii")
    before = zlib.crc32(head)
    naming = NAMING.format(
        names=repr((*map(_visible, model.classes), "")).replace(", ", ","),
        letters=_letters(model.classes) + "?",
        before=(before >> 16, before & 0xFFFF),
    )
    probes = [f"(pin{p.pin},{p.pin},{chosen.samples},{p.dry_mv},{p.wet_mv})," for p in chosen.probes]
    settings = SETTINGS.format(
        channels=", ".join(_visible(channel.name) for channel in model.channels),
        classes=", ".join(map(_visible, model.classes)),
        pins=",".join(f"pin{pin}" for pin in (chosen.relay_pin, *(p.pin for p in chosen.probes))),
        supply_mv=chosen.supply_mv,
        interval_ms=1000 * chosen.interval_s,
        probes=f"({''.join(probes)})",
        relay=f"({_visible(chosen.action_class)!r},pin{chosen.relay_pin},"
        f"{1000 * chosen.max_on_s},{1000 * chosen.rest_s},{chosen.active_low})",
    )
    return {
        **lay_out(model.content, APP, last=naming),
        HEAD_FILE: head + b"*%08X" % before,
        SETTINGS_FILE: settings.encode("ascii"),
        "main.py": MAIN.encode("ascii"),
    }


def _check_model(model: HostModel) -> None:
    if model.content.number:
        raise InputError(
            "expected a model that decides a class for the micro:bit, got one that tells a number: its relay goes by a "
            'class, and "below" and "above" the middle of what was seen is none to water by; train with --when '
            '"dry: NAME < BAR" instead'
        )
    if model.content.stand_ins:
        raise InputError("expected a model trained without --tolerate-missing for the micro:bit: it has no room")
    if not has_room(model.content):
        raise InputError(
            "expected a forest or an additive model without novelty for the micro:bit: train with --family forest or "
            "--family additive"
        )
    if not only_last(model.content):
        raise InputError(
            "expected a model of last readings for the micro:bit, which has no room for windows: train without --time, "
            'or with "*" = ["last"] in features.toml'
        )
    for channel in model.channels:
        if (channel.unit, channel.mantissa, channel.exponent) != ("permille", 1, 0):
            raise InputError(
                f"{channel.name}: expected steps of 1 permille, as a soil probe gives, got steps of "
                f"{channel.mantissa} x 10**{channel.exponent} {channel.unit or 'of no unit'}: "
                f"train with --channel {channel.name}=permille:1"
            )


def _check(model: HostModel, chosen: SmallNode) -> None:
    if len(chosen.probes) != len(model.channels):
        raise InputError(f"expected a probe for each of {len(model.channels)} channels, got {len(chosen.probes)}")
    if chosen.action_class not in model.classes:
        raise InputError(f"expected a class of {', '.join(model.classes)}, got {chosen.action_class!r}")
    pins = [probe.pin for probe in chosen.probes]
    for probe in chosen.probes:
        if probe.pin not in ANALOG_PINS:
            raise InputError(f"expected a probe at pin 0, 1 or 2, got {probe.pin}")
        if not all(0 <= mv <= chosen.supply_mv for mv in (probe.dry_mv, probe.wet_mv)):
            raise InputError(f"expected a probe's curve within 0 to {chosen.supply_mv} mV, got {probe}")
        if abs(probe.dry_mv - probe.wet_mv) < 100:
            raise InputError(f"expected a probe's voltages at least 100 mV apart, got {probe}")
    if chosen.relay_pin not in DIGITAL_PINS:
        raise InputError(f"expected a relay at one of the pins {DIGITAL_PINS}, got {chosen.relay_pin}")
    if len({*pins, chosen.relay_pin}) != len(pins) + 1:
        raise InputError(f"expected a pin each, got probes at {pins} and the relay at {chosen.relay_pin}")
    for name, low, high in (
        ("interval_s", 2, 86400),
        ("max_on_s", 1, 86400),
        ("rest_s", 0, 86400),
        ("samples", 3, 64),
        ("supply_mv", 1800, 3600),
    ):
        if not low <= getattr(chosen, name) <= high:
            raise InputError(f"{name}: expected {low} to {high}, got {getattr(chosen, name)}")


def _visible(text: str) -> str:
    """Return a name as the serial lines have it: see report/serial_line.py."""
    return quote(text, safe="".join(chr(c) for c in range(33, 127) if chr(c) not in ",*%#!"))


def _letters(classes: Sequence[str]) -> str:
    """Return a character for each class: its first letter or digit that no class before has taken, else any."""
    taken = ""
    for name in classes:
        own = [c for c in name.upper() + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c.isascii() and c.isalnum()]
        taken += next((c for c in own if c not in taken), "+")
    return taken
