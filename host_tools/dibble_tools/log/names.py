"""What the numbers of a record log mean: names of channels and classes, by the model that decided."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dibble import ConfigError, ModelError
from dibble.config import check
from dibble.drivers import channels_of, driver
from dibble.senses.counts import CHANNELS
from dibble.storage.segment import names_crc
from dibble.storage.slots import HEADER_BYTES, MAGIC

from dibble_tools.common.files import write_atomically
from dibble_tools.common.safe_text import is_fit_name
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.reader import content_of
from dibble_tools.node.record_log import DecisionRecord

MOST_CHANNELS = 255
# Of bytes that a board sent under a right CRC: no model file that dibble wrote raises them.
_UNFIT = (
    *(ModelError, ConfigError, ValueError, LookupError, ArithmeticError),
    *(TypeError, AttributeError, MemoryError, RecursionError),
)


def number_in(blob: bytes) -> str:
    """Return what a node calls the number that a model file tells; "" where it tells a class, or isn't one."""
    try:
        number = content_of(blob).number
        return number.reading if number else ""
    except _UNFIT:
        return ""


@dataclass(frozen=True)
class Names:
    """Of a model's channels and classes, none of the former of one that hears; of a node's readings, and no classes."""

    channels: tuple[str, ...]
    classes: tuple[str, ...] = ()

    def are_fit(self) -> bool:
        """Tell whether they can head columns."""
        texts = [*self.channels, *self.classes]
        return (
            0 < len(self.channels or self.classes) <= MOST_CHANNELS
            and len(set(self.channels)) == len(self.channels)
            and all(isinstance(text, str) and is_fit_name(text) for text in texts)
        )


def of_model(blob: bytes) -> tuple[int, Names] | None:
    """Return (the CRC that stands in the log, its names) of a model file; None where it isn't one."""
    try:
        model = content_of(blob)
        channels = () if model.sound else tuple(channel.name for channel in model.channels)
        names = Names(channels, model.classes)
    except _UNFIT:
        return None
    return (int.from_bytes(blob[-4:], "little"), names) if names.are_fit() else None


def of_slot(data: bytes) -> tuple[int, Names] | None:
    """Return the same of a slot, PATH.a or PATH.b on the node: models/RECORDS.md."""
    return of_model(data[HEADER_BYTES:]) if data[: len(MAGIC)] == MAGIC else None


def of_config(data: bytes) -> Names | None:
    """Return the names of the readings of a config.json's node; a node that listens tells of its sounds, too."""
    names: list[str] = []
    try:
        config = check(json.loads(data), lambda *named: _driver(*named).SETTINGS)
        for channels in channels_of(config["sensors"])[0]:
            names += [name for name, _ in channels]
        if config["listen"]["driver"]:
            names += [name for name, _ in CHANNELS]
    except _UNFIT:
        return None
    found = Names(tuple(names))
    return found if found.are_fit() else None


class Known:
    """The names known so far, kept in a file beside the segments.

    Attributes:
        by_model: (CRC of the model, number of channels) -> names; CRC 0: no model.
        lists: CRC of a list of channels -> the list: models/RECORDS.md.
    """

    def __init__(self, path: Path) -> None:
        self.by_model: dict[tuple[int, int], Names] = {}
        self.lists: dict[int, tuple[str, ...]] = {}
        self._numbers: set[str] = set()
        self._path = path
        try:
            for entry in json.loads(path.read_text(encoding="utf-8")):
                names = Names(tuple(entry["channels"]), tuple(entry["classes"]))
                if names.are_fit():
                    self.learn(int(entry["model"], 16), names)
        except FileNotFoundError:
            pass
        except (OSError, ValueError, LookupError, TypeError):
            path.replace(path.with_name(path.name + ".bad"))

    def learn(self, model: int, names: Names) -> None:
        """Remember names."""
        self.by_model[model, len(names.channels)] = names
        self._list(names.channels)
        for number in self._numbers:
            self._list((*names.channels, number))

    def learn_number(self, reading: str) -> None:
        """Remember that a node's readings may end in a number that its model tells."""
        if reading and is_fit_name(reading) and reading not in self._numbers:
            self._numbers.add(reading)
            for channels in list(self.lists.values()):
                self._list((*channels, reading))

    def _list(self, channels: tuple[str, ...]) -> None:
        self.lists[int.from_bytes(names_crc(channels), "little")] = channels

    def names_of(self, row: DecisionRecord) -> Names | None:
        """Return the names of a record's channels and classes; None where its channels aren't known."""
        if row.names_crc is None:
            return self.by_model.get((row.model_crc, len(row.readings)))
        channels = self.lists.get(row.names_crc)
        if channels is None or len(channels) != len(row.readings):
            return None
        classes = [names.classes for (model, _), names in self.by_model.items() if model == row.model_crc]
        return Names(channels, classes[0] if classes else ())

    def learn_files(self, models: Iterable[Path]) -> None:
        """Remember those of model files.

        Raises:
            InputError: one isn't a model file.
        """
        for path in models:
            blob = HostModel.open(path).blob
            self.learn_number(number_in(blob))
            if found := of_model(blob):
                self.learn(*found)

    def save(self) -> None:
        """Write the file."""
        known = [(0, Names(channels)) for channels in self.lists.values()]
        known += [(model, names) for (model, _), names in self.by_model.items()]
        entries = [
            {"model": f"{model:08x}", "channels": names.channels, "classes": names.classes} for model, names in known
        ]
        write_atomically(self._path, json.dumps(entries, indent=1, ensure_ascii=False).encode())


def _driver(name: str, *where: str):  # type: ignore[no-untyped-def]
    """Return a driver's module; a name with a dot would be another module's."""
    if not name.isidentifier():
        raise ConfigError(f"config.sensors: expected a driver's name, got {name!r}")
    return driver(name, *where)
