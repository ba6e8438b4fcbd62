"""A project folder as the page shows it, and the only paths it ever uses: none is made of what a browser sends."""

import csv
import hashlib
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import is_number, times_in_100
from dibble_tools.common.safe_text import plain
from dibble_tools.console.labelled_rows import LABEL, TIME
from dibble_tools.report.verdict import verdict_of

CSV_FILE, CONFIG_FILE, FEATURES_FILE, MODELS_FOLDER = "field.csv", "config.json", "features.toml", "models"
# As `dibble train` names them; to import its modules takes seconds.
MODEL_FILE, CARD_FILE, REPORT_FILE = "model.dib", "card.json", "report.html"
MOST_MODELS = 100


class Project:
    """A folder as `dibble new` makes it, or one in which it will be made.

    Raises:
        InputError: it's no folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        if not self.folder.is_dir():
            raise InputError(f"{folder}: expected a folder, a project's or one to make it in, found none")

    def open(self, folder: Path) -> None:
        """Be another folder from now on."""
        self.folder = folder.resolve()

    @property
    def csv(self) -> Path:
        return self.folder / CSV_FILE

    @property
    def config(self) -> Path:
        return self.folder / CONFIG_FILE

    @property
    def is_made(self) -> bool:
        """There is a config.json."""
        return self.config.is_file()

    def check_made(self) -> None:
        """Raise InputError where there is no project yet."""
        if not self.is_made:
            raise InputError(f"expected a project, with {CONFIG_FILE}, in {self.folder.name}: make one first (Project)")

    @property
    def node(self) -> str:
        """Name of the node, as config.json has it."""
        return str(self._configured().get("node", "node"))

    @property
    def microphone(self) -> str:
        """Driver of the microphone, as config.json has it in `listen`; "" where it has none."""
        return plain(str(_table(self._configured().get("listen")).get("driver", "")), 40)

    @property
    def features(self) -> Path | None:
        """features.toml, where there is one."""
        path = self.folder / FEATURES_FILE
        return path if path.is_file() else None

    def models(self) -> list[dict[str, Any]]:
        """Return what cards say of the models in models/, the newest first."""
        found = []
        for path in (self.folder / MODELS_FOLDER).glob(f"*/{MODEL_FILE}"):
            if path.is_file() and path.resolve().is_relative_to(self.folder):
                found.append((path.stat().st_mtime, path.parent))
        return [_described(folder, made_at) for made_at, folder in sorted(found, reverse=True)[:MOST_MODELS]]

    def model(self, name: object) -> Path:
        """Return the folder of one of models().

        Raises:
            InputError: there is none of that name.
        """
        names = [model["name"] for model in self.models()]
        if name not in names:
            raise InputError(f"expected a model of this project ({', '.join(names) or 'none yet'}), got {name!r}")
        return self.folder_of(str(name))

    def folder_of(self, name: str) -> Path:
        """Return where a model of this name lies or will lie; the name has been checked."""
        return self.folder / MODELS_FOLDER / name

    def blob(self, name: object) -> bytes:
        """Return a model's file.

        Raises:
            InputError: there is no such model.
        """
        return (self.model(name) / MODEL_FILE).read_bytes()

    def verdict(self, name: object) -> tuple[bool, str]:
        """Return whether to rely on a model, and that in words; "" where nothing says it.

        Raises:
            InputError: there is no such model.
        """
        self.model(name)
        found = next(model for model in self.models() if model["name"] == name)
        return found["rely"], found["verdict"]

    def report(self, name: object) -> bytes:
        """Return a model's report.html.

        Raises:
            InputError: there is no such model, or it has no report.
        """
        path = self.model(name) / REPORT_FILE
        if not path.resolve().is_relative_to(self.folder) or not path.is_file():
            raise InputError(f"expected a report at {path}, found none: train the model again")
        return path.read_bytes()

    def collected(self) -> dict[str, int]:
        """Return how many rows of field.csv have each label, the commonest first."""
        return dict(Counter(row[LABEL] for row in self._rows() if row.get(LABEL)).most_common())

    def last_time(self) -> str:
        """Return the latest time in field.csv, as it is written there; "" if none is."""
        return max((row.get(TIME) or "" for row in self._rows()), default="")

    def _configured(self) -> dict[str, Any]:
        """Return config.json as far as it is one."""
        try:
            return _table(json.loads(self.config.read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError):
            return {}

    def _rows(self) -> list[dict[str, str]]:
        try:
            with self.csv.open(encoding="utf-8", newline="", errors="replace") as file:
                return list(csv.DictReader(file))
        except (OSError, csv.Error):
            return []


def _described(folder: Path, made_at: float) -> dict[str, Any]:
    """Return what the page tells of a model, as far as its card says it."""
    try:
        card = _table(json.loads((folder / CARD_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        card = {}
    blob = (folder / MODEL_FILE).read_bytes()
    if _table(card.get("model")).get("sha256", "") not in ("", hashlib.sha256(blob).hexdigest()):
        card = {}  # another model's
    held_out = _table(_table(card.get("held_out")).get("integer_model"))
    shortcut = card.get("shortcut")
    right = f"right {times_in_100(held_out['accuracy'])}; " if is_number(held_out.get("accuracy")) else ""
    try:
        verdict = verdict_of(card)
    except (AttributeError, KeyError, TypeError, ValueError):  # a card of anything
        verdict = None
    return {
        "name": folder.name,
        "rely": verdict.rely if verdict else True,
        "verdict": plain(verdict.words, 600) if verdict else "",
        "words": f"{right}{len(blob):,} bytes; made {datetime.fromtimestamp(made_at):%Y-%m-%d %H:%M}",
        "shortcut": shortcut if isinstance(shortcut, str) else None,
        "has_report": (folder / REPORT_FILE).is_file(),
    }


def _table(value: object) -> dict[str, Any]:
    """Return a value where it is a table, an empty one where it is anything else."""
    return value if isinstance(value, dict) else {}
