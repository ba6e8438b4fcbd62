"""A model file on the host: what `convert` and `dibble train` return, and what the commands open."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from dibble import ModelError
from dibble.inference import model_of

from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_atomically
from dibble_tools.data.channels import in_steps, to_steps, to_values, values_in
from dibble_tools.model.decisions import Decisions, names_of
from dibble_tools.model.evaluator import evaluate
from dibble_tools.model.reader import content_of

MODEL_FILE = "model.dib"
CARD_FILE = "card.json"  # beside it: what it was made of, and how good it is
CHECKED_ROWS = 300
MOST_SHOWN = 8  # names in a repr


class HostModel:
    """A model, read from its file by the firmware's own reader and evaluated in NumPy.

    Args:
        blob: bytes of a model file.
        notes: what is to be told of how it was made: how far it is from the classifier it was converted from.
    Attributes:
        blob: the bytes.
        content: what they hold, decoded.
        model: the firmware's Model over them, which decides a row at a time, and tells why.
        channels: list of Channel, in the order of `readings`.
        classes: class names.
    """

    def __init__(self, blob: bytes, notes: Sequence[str] = ()) -> None:
        self.blob = blob
        self.notes = tuple(notes)
        self.model = model_of(blob)
        self.content = content_of(self.model)
        self.channels = self.content.channels
        self.classes = self.content.classes

    def __repr__(self) -> str:
        """Return a summary for people: name, family, size, classes and channels; then its notes, a line each."""
        names = [c.name if c.name.endswith(c.unit) else f"{c.name} ({c.unit})" for c in self.channels]
        size = f"{self.content.family_name}, {len(self.blob):,} bytes"
        notes = "".join(f"\n{note}" for note in self.notes)
        number = self.content.number
        told = f"tells {number.channel.name} ({number.channel.unit})" if number else f"decides {_some(self.classes)}"
        return f"<HostModel {self.content.name!r}: {size}; {told} from {_some(names)}>{notes}"

    def __reduce__(self) -> "tuple[type[HostModel], tuple[bytes, tuple[str, ...]]]":
        """Return what pickles it: the file's bytes and the notes."""
        return type(self), (self.blob, self.notes)

    @classmethod
    def open(cls, path: str | Path) -> "HostModel":
        """Read a model file, or the model.dib of a model's folder; self-test it.

        Raises:
            InputError: it isn't there, is damaged, computes something else than its golden vectors, or lies beside
                another model's card.
        """
        path = Path(path)
        file = path / MODEL_FILE if path.is_dir() else path
        try:
            blob = file.read_bytes()
            if not is_its_card(file, blob):
                raise InputError(
                    f"{file.parent / CARD_FILE}: expected the card of {MODEL_FILE} beside it, by its sha256, "
                    "got another model's: two trainings are mixed here: train again, or remove the card"
                )
            return cls.tested(blob)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise InputError(f"{file}: expected a model file, as `dibble train` writes: {reason}") from None
        except ModelError as error:
            raise InputError(f"{file}: {error}") from None

    @classmethod
    def tested(cls, blob: bytes) -> "HostModel":
        """Return the model of a file's bytes, self-tested.

        Raises:
            ModelError: damaged, of another format, or it computes something else than its golden vectors.
        """
        model = cls(blob)
        model.model.self_test()
        return model

    def save(self, path: str | Path) -> None:
        """Write the model file; an interruption leaves what was there."""
        write_atomically(Path(path), self.blob)

    def decide(self, readings: np.ndarray, elapsed_ms: np.ndarray | None = None) -> Decisions:
        """Return the decisions on consecutive rows of readings (rows, channels): see evaluate()."""
        return evaluate(self.content, readings, elapsed_ms)

    def cross_check(self, readings: np.ndarray, elapsed_ms: np.ndarray | None = None) -> None:
        """Compare the firmware's own kernels with NumPy's decisions on the first rows.

        Raises:
            AssertionError: they differ: a fault of dibble's, and no model to ship.
        """
        readings = readings[:CHECKED_ROWS]
        elapsed = None if elapsed_ms is None else elapsed_ms[:CHECKED_ROWS]
        expected = self.decide(readings, elapsed).columns().tolist()
        self.model.restart()
        for i, row in enumerate(readings.tolist()):
            d = self.model.predict(row, None if elapsed is None else int(elapsed[i]))
            got = [d.class_index, d.margin, d.flags, d.channel, d.held_index]
            if got != expected[i]:
                raise AssertionError(f"row {i}: expected class, margin, flags, channel, held {expected[i]}, got {got}")
        self.model.restart()

    def predict(self, x: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
        """Return the classes decided for rows of values, as strings: the node's decisions, before its hysteresis.

        Args:
            x: (rows, channels) values in the channels' units, in the order of `channels`; a DataFrame's columns are
                taken by their names, in any order. NaN or None is a missing one. Rows are consecutive, an interval
                apart, where the model's features are windows.
        Returns:
            (rows,) class names, "" where a value is missing; of a model that tells a number, floats in its unit, NaN.
        Raises:
            InputError: x has another shape, or something in it is no number; says in which row and column.
        """
        values = values_in(x, [channel.name for channel in self.channels])
        steps = None if in_steps(self.channels) else lambda part: to_steps(part, self.channels)
        decisions = evaluate(self.content, values, None, steps)
        number = self.content.number
        return to_values(number.steps(decisions), number.channel) if number else names_of(decisions, self.classes)


def is_its_card(file: Path, blob: bytes) -> bool:
    """Tell whether the card beside a model's file is that model's; none at all, or one that names none, is fine."""
    known = _sha256_in(_read_card(file))
    return file.name != MODEL_FILE or known is None or known == hashlib.sha256(blob).hexdigest()


def card_beside(path: str | Path) -> dict[str, Any]:
    """Return the card that lies beside a model's file, or in its folder; empty where there is none of that model."""
    path = Path(path)
    file = path / MODEL_FILE if path.is_dir() else path
    card = _read_card(file)
    return card if _sha256_in(card) == hashlib.sha256(file.read_bytes()).hexdigest() else {}


def _read_card(file: Path) -> dict[str, Any]:
    try:
        card = json.loads(file.with_name(CARD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return card if isinstance(card, dict) else {}


def _sha256_in(card: dict[str, Any]) -> str | None:
    about = card.get("model")
    return about.get("sha256") if isinstance(about, dict) else None


def _some(names: Sequence[str]) -> str:
    more = len(names) - MOST_SHOWN
    return ", ".join(names[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def load(path: str | Path) -> HostModel:
    """Return the model of a file, or of the model.dib in a model's folder, as `dibble train` and `save()` write it.

    It is checked first: CRC-32, and golden vectors replayed by the firmware's own code.

    Raises:
        InputError: it isn't there, is damaged, or computes something else than its golden vectors.
    """
    return HostModel.open(path)
