"""What is known of the firmware's drivers: channels, settings and wiring, read from the drivers themselves."""

import ast
import inspect
import io
import json
import re
import tokenize
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dibble import config as schema
from dibble.drivers import driver
from rich.markup import escape
from rich.table import Table

from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.common.quantities import reading_text
from dibble_tools.common.shipped import LIBRARY

COMMON = {  # settings that need no comment where they stand
    "pin": "a pin of the board: a number, or a name under CircuitPython (`dibble boards NAME`)",
    "address": "on the I2C bus",
    "samples": "measurements of which the middle one is the reading",
    "warm_up_s": "seconds after power-on in which its readings don't count",
    "supply_pin": 'a pin that measures the sensor\'s supply; "": none',
    "supply_divider_permille": "the supply's voltage per thousand of that pin's",
    "pixel_clock": "a pin of the camera: PCLK",
    "vsync": "a pin of the camera: VSYNC",
    "href": "a pin of the camera: HREF, or HSYNC",
    "powerdown": 'a pin that puts the camera to sleep: PWDN; "": none',
    "reset": 'a pin that resets the camera; "": none',
    "rows": "of the picture, as the model sees it",
    "columns": "of the picture",
    "channels": "other names for what it gives, in its order",
    "power_pin": 'switches its supply; "": it has power all the time',
    "power_up_ms": "from its power to its first reading",
}
WIRES = (  # by what a driver has or asks its port for
    ('("vsync"', "a camera's eight data pins, PCLK, VSYNC, HREF, XCLK, SDA, SCL, 3.3 V and GND: or on board"),
    ('("address"', "I2C: SDA, SCL, 3.3 V and GND"),
    ("port.pulses(", "a pin and GND, as a contact"),
    ("port.onewire(", "a pin with 4.7 kohm to 3.3 V, 3.3 V and GND"),
    ('("pull_up_ohm"', "an ADC pin and GND, and a resistor of pull_up_ohm from the pin to 3.3 V"),
    ('("pin"', "an ADC pin, 3.3 V and GND"),
)
STREAM_WIRES = (
    ("sck", "SCK, WS and SD to three pins, 3.3 V, GND; L/R to GND"),
    ("clock", "clock and data to two pins, 3.3 V and GND: or on board"),
    ("pin", "its output to an ADC pin, 3.3 V and GND"),
)


@dataclass(frozen=True)
class Setting:
    """One key of a sensor in config.json; default None: it must be given."""

    name: str
    kind: str
    allowed: str
    default: Any
    meaning: str
    bounds: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class DriverFacts:
    """One driver.

    Attributes:
        summary: first sentence of its docstring; `text` is all of it.
        channels: (name, unit) of each reading.
        costly: names of channels that a gate may save.
        max_step: per channel, the largest change between two readings that isn't doubted; 0: any.
        runtime: the only one that has it; "": each has.
    """

    name: str
    summary: str
    text: str
    channels: tuple[tuple[str, str], ...]
    costly: tuple[str, ...]
    settings: tuple[Setting, ...]
    wiring: str
    max_step: tuple[int, ...]
    is_stream: bool = False
    runtime: str = ""

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        few = re.split(r"[:(]| over I2C| behind | that | through | at an | in a | of |, a", self.summary, maxsplit=1)[0]
        few = re.sub("^(A|An) ", "", few.strip(" ,"))
        return few[:1].upper() + few[1:]

    def example(self) -> dict[str, Any]:
        """Return an entry of `sensors`, or `listen`, with what must be given, to be filled in."""
        return {"driver": self.name, **{s.name: _blank(s) for s in self.settings if s.default is None}}


@cache
def all_drivers() -> dict[str, DriverFacts]:
    """Return every driver by its name."""
    paths = sorted((LIBRARY / "drivers").glob("*.py"))
    return {path.stem: _facts(path) for path in paths if re.search("^SETTINGS = ", path.read_text("utf-8"), re.M)}


@cache
def all_streams() -> dict[str, DriverFacts]:
    """Return every driver of a stream by its name: what a node may listen to."""
    found = {}
    for path in sorted((LIBRARY / "streams").glob("*.py")):
        if path.stem != "__init__":
            module = driver(path.stem, *schema.STREAMS)
            source = path.read_text(encoding="utf-8")
            text = inspect.cleandoc(ast.get_docstring(ast.parse(source)) or "")
            own = _settings(module.SETTINGS, _comments(source, "SETTINGS"))
            general = _settings(schema.LISTEN[1:], _comments(inspect.getsource(schema), "LISTEN"))
            summary = re.split(r"\.\s|\.$", text.replace("\n", " "), maxsplit=1)[0]
            wires = next(words for sign, words in STREAM_WIRES if f'"{sign}"' in source)
            found[path.stem] = DriverFacts(path.stem, summary, text, (), (), own + general, wires, (), True)
    return found


def driver_named(name: str) -> DriverFacts:
    """Return the facts of a driver, of a sensor or a stream.

    Raises:
        InputError: there is none; near names are told.
    """
    found = {**all_drivers(), **all_streams()}
    if name not in found:
        raise InputError(f"expected a driver, got {name!r}; {listed(name, list(found))}")
    return found[name]


def drivers_table(facts: dict[str, DriverFacts]) -> Table:
    """Return the list of drivers for people."""
    table = Table(title="drivers: what a node's sensors may be", title_justify="left")
    for heading in ("driver", "what", "gives", "wires"):
        table.add_column(heading, overflow="fold")
    for name, one in facts.items():
        gives = ", ".join(channel for channel, _ in one.channels)
        table.add_row(name, escape(one.summary), gives, one.wiring)
    return table


def streams_table(facts: dict[str, DriverFacts]) -> Table:
    """Return the list of drivers of streams for people."""
    table = Table(title="streams: what `listen` may name", title_justify="left")
    for heading in ("driver", "what", "wires"):
        table.add_column(heading, overflow="fold")
    for name, one in facts.items():
        table.add_row(name, escape(one.summary), one.wiring)
    return table


def driver_text(one: DriverFacts, energy: str) -> list[Any]:
    """Return what there is to tell of one driver: its docstring, channels, settings and an entry to begin with.

    Args:
        energy: what reading it costs, in words.
    """
    channels = Table(title="channels", title_justify="left")
    for heading in ("name", "unit", "10 of it", "doubted if it moves more", "costly"):
        channels.add_column(heading)
    steps = [*one.max_step, *[0] * len(one.channels)]
    for (name, unit), step in zip(one.channels, steps, strict=False):
        moves = reading_text(step, unit) if step else "-"
        channels.add_row(name, unit, reading_text(10, unit), moves, "yes" if name in one.costly else "")
    where = "`listen`" if one.is_stream else "its entry"
    settings = Table(title=f"settings of {where} in config.json", title_justify="left")
    for heading in ("key", "kind", "allowed", "default", "meaning"):
        settings.add_column(heading, overflow="fold")
    for s in one.settings:
        default = "must be given" if s.default is None else json.dumps(s.default)
        default = f"0x{s.default:02x}" if s.name == "address" else default
        settings.add_row(s.name, s.kind, s.allowed, default, escape(s.meaning))
    entry = json.dumps(one.example())
    if one.is_stream:
        entry = json.dumps({"listen": one.example()})
        return [one.text, "", f"wires: {one.wiring}", "", settings, f"to begin with: {escape(entry)}"]
    return [
        one.text,
        "",
        f"wires: {one.wiring}",
        f"energy: {energy}",
        "",
        channels,
        settings,
        f"to begin with: {escape(entry)}",
        f"or a project with it: dibble new NAME --board pico --sensor {one.name}",
    ]


def _facts(path: Path) -> DriverFacts:
    module = driver(path.stem)
    source = path.read_text(encoding="utf-8")
    text = inspect.cleandoc(ast.get_docstring(ast.parse(source)) or "")
    channels = tuple(module.CHANNELS)
    costly = channels[getattr(module, "COSTLY_FROM", len(channels)) :]
    own = _settings(module.SETTINGS, _comments_shared(source) | _comments(source, "SETTINGS"))
    general = _settings(schema.SENSOR[1:], _comments(inspect.getsource(schema), "SENSOR"))
    return DriverFacts(
        path.stem,
        re.split(r"\.\s|\.$", text.replace("\n", " "), maxsplit=1)[0],
        text,
        channels,
        tuple(name for name, _ in costly),
        own + general,
        next((wires for sign, wires in WIRES if sign in source), "see its text"),
        tuple(getattr(module, "MAX_STEP", ())),
        runtime=getattr(module, "RUNTIME", ""),
    )


def _settings(rows: Any, comments: dict[str, str]) -> tuple[Setting, ...]:
    found = []
    for name, kind, least, most, default in rows:
        if kind == (int, str):
            words, allowed = "pin", f"up to {most}, or a name"
        elif isinstance(kind, list):
            words, allowed = f"list of {kind[0].__name__}", f"{least} to {most} of them" if least < most else f"{most}"
        elif kind is bool:
            words, allowed = "true or false", ""
        elif kind is str:
            words, allowed = "text", f"{least} to {most} characters"
        elif name == "address":
            words, allowed = "I2C address", f"0x{least:02x} to 0x{most:02x}" if least < most else f"0x{most:02x} only"
        else:
            words, allowed = "whole number", f"{least} to {most}"
        meaning = comments.get(name) or COMMON.get(name, "")
        shown = list(default) if isinstance(default, tuple) else default
        found.append(Setting(name, words, allowed, shown, meaning, (least, most)))
    return tuple(found)


def _comments_shared(source: str) -> dict[str, str]:
    """Return what stands behind the rows of a table of another file that SETTINGS begins with; {}: with none."""
    table = re.search(r"^SETTINGS = (\w+) \+", source, re.M)
    if not table:
        return {}
    file = re.search(rf"^from dibble\.drivers\.(\w+) import .*\b{table[1]}\b", source, re.M)
    assert file
    return _comments((LIBRARY / "drivers" / f"{file[1]}.py").read_text(encoding="utf-8"), table[1])


def _comments(source: str, table: str) -> dict[str, str]:
    """Return what stands behind each row of a table, by the row's name."""
    found: dict[str, str] = {}
    inside, name = False, ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and token.string == table and token.start[1] == 0:
            inside = True
        elif inside and token.type == tokenize.NEWLINE:
            return found
        elif inside and token.type == tokenize.STRING and token.start[1] <= 5 + len('"SETTINGS"'):
            line = source.splitlines()[token.start[0] - 1].strip()
            name = ast.literal_eval(token.string) if line.startswith("(" + token.string) else name
        elif inside and token.type == tokenize.COMMENT and name:
            found.setdefault(name, token.string.lstrip("# "))
    return found


def _blank(setting: Setting) -> Any:
    if setting.kind.startswith("list"):
        return []
    return 0
