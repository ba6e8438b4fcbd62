"""The studio: what each button does. Wishes come from a browser, so each value is checked before it is used."""

import re
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.console.labels import SKIP, check_label
from dibble_tools.console.sound_takes import check_sound
from dibble_tools.project.retune import Config, set_margin
from dibble_tools.studio.board import ConnectedBoard
from dibble_tools.studio.collecting import Collecting
from dibble_tools.studio.jobs import Jobs
from dibble_tools.studio.listener import Listener
from dibble_tools.studio.project import CSV_FILE, Project
from dibble_tools.studio.setup import Setup
from dibble_tools.studio.state import State
from dibble_tools.studio.tables import Tables
from dibble_tools.studio.takes_folder import TakesFolder
from dibble_tools.studio.virtual_node import VirtualNode
from dibble_tools.training.recipes import parse_recipe

Action = Callable[[dict[str, Any]], None]
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
MOST_BUDGET_S, LEAST_BYTES, MOST_BYTES = 3600, 64, 65536
MOST_FOLLOWED = 3
MOST_SPEED = 36000
MOST_TRAINED, MOST_ROWS, MOST_MARGIN = 20, 10_000_000, 65535
ENDS = ("dry", "wet", "zero")
LOG = "log"
MOST_OPENED, MOST_NODES = 20, 10_000
MOST_TAKES, LEAST_TAKE_MS, MOST_TAKE_MS = 50, 300, 10_000


@dataclass(frozen=True)
class FleetPlace:
    """Where a fleet is: its database, its broker, and the key of its nodes, if they have one."""

    db: str
    broker: str = ""
    user: str = ""
    ca: str = ""
    key: str = ""


class Studio:
    """One project and at most one board.

    Attributes:
        state: what all tabs show.
        actions: button -> what it does with a request; raises InputError.
    """

    def __init__(self, project: Project, fleet: FleetPlace | None = None) -> None:
        self.project = project
        self._fleet = fleet
        self.state = State()
        self._lock = threading.Lock()
        self._deployed: Path | None = None
        self._virtual: VirtualNode | None = None
        self._jobs = Jobs(self.state)
        self._collecting = Collecting(project, self.state, lambda: self._show_files())
        self._setup = Setup(project, self.state)
        self.tables = Tables(project)
        self.clips = TakesFolder(project, self.state)
        if fleet:
            from dibble_tools.studio.fleet_nodes import FleetNodes

            self.nodes = self.tables.others = FleetNodes(fleet.db)
        self.state.put(fleet={"broker": fleet.broker} if fleet else None)
        self.board = ConnectedBoard(self.state, self._make_ear)
        self._show_project()
        self.actions = {
            "cancel_job": lambda request: self._jobs.cancel(),
            "finish_job": lambda request: self._jobs.finish_early(),
            "label": lambda request: self._collecting.label(request.get("label")),
            "pause": lambda request: self._collecting.pause(),
        }
        one_by_one = {
            "connect": lambda request: self.board.connect_listed(request.get("port")),
            "disconnect": self._disconnect,
            "virtual": self._start_virtual,
            "restart": lambda request: self._work_on_board("restart", "starting its program anew", {"restart": True}),
            "deploy": self._deploy,
            "train": self._train,
            "train_sounds": self._train_sounds,
            "make_project": self._make_project,
            "set_sensors": self._set_sensors,
            "label_rows": self._label_rows,
            "delete_rows": self._delete_rows,
            "undo_rows": self._undo_rows,
            "look_at_files": lambda request: self._look(),
            "fetch": self._fetch,
            "record": self._record,
            "delete_take": lambda request: self.clips.delete(_text(request, "take")),
            "rollback": self._rollback,
            "measure": self._measure,
            "margin": self._margin,
            "open_node": self._open_node,
            "take_labelled": self._take_labelled,
            "update_nodes": self._update_nodes,
        }
        self.actions |= {name: self._alone(action) for name, action in one_by_one.items()}

    def wiring(self) -> str:
        """Return the picture of the wires; raises InputError."""
        return self._setup.picture()

    def close(self) -> None:
        """End all that runs; called once."""
        self._jobs.close()
        self._collecting.pause()
        self.board.close()
        self._stop_virtual()

    def _alone(self, action: Action) -> Action:
        """Return an action that waits until no other such is being begun, from another tab."""

        def alone(request: dict[str, Any]) -> None:
            with self._lock:
                action(request)

        return alone

    def _make_ear(self, on_status: Any) -> Listener:
        self._listener = Listener(self.state, self._collecting, on_status)
        return self._listener

    def _disconnect(self, request: dict[str, Any]) -> None:
        self.board.disconnect()
        self._collecting.pause()
        self._stop_virtual()

    def _start_virtual(self, request: dict[str, Any]) -> None:
        speed = _number(request, "speed", 1, MOST_SPEED)
        self.project.check_made()
        self.board.announce("starting a virtual board")
        self._stop_virtual()
        try:
            self._virtual = VirtualNode(self.project.config, speed, self.project.last_time())
        except BaseException:
            self.board.disconnect()
            raise
        self.board.connect(self._virtual.port, "the virtual board")
        self._put_on_board("virtual", "the firmware is put on it", None)

    def _stop_virtual(self) -> None:
        virtual, self._virtual = self._virtual, None
        if virtual:
            virtual.stop()

    def _deploy(self, request: dict[str, Any]) -> None:
        self.project.check_made()
        name = _text(request, "model")
        rely, words = self.project.verdict(name) if name else (True, "")
        if not rely and request.get("anyway") is not True:
            raise InputError(f"{words} To put it on the board all the same, tick the box that says so")
        self._put_on_board("deploy", "a model is put on it", self.project.model(name) if name else None)

    def _put_on_board(self, kind: str, words: str, model: Path | None) -> None:
        config = self._virtual.config if self._virtual else self.project.config
        request = {"model": str(model) if model else None, "config": str(config), "restart": False}
        self._work_on_board(kind, words, request, model)

    def _work_on_board(self, kind: str, words: str, request: dict[str, Any], model: Path | None = None) -> None:
        def after(result: dict[str, Any] | None) -> None:
            if result and model:
                self._deployed = model
                self._show_models()
            self.board.take_back(result["said"].encode() if result else b"")

        port = self.board.lend(words)
        try:
            place = {"port": port, "virtual": self._virtual is not None}
            self._jobs.start(kind, "dibble_tools.studio.deploy_job", {**place, **request}, after)
        except BaseException:
            self.board.take_back()
            raise

    def _train(self, request: dict[str, Any]) -> None:
        wanted, recipe = self._wanted(request), _text(request, "recipe") or None
        if recipe:
            parse_recipe(recipe)
        names = request.get("files")
        names = [CSV_FILE] if names is None else names
        if not isinstance(names, list) or not names or len(names) > MOST_TRAINED:
            raise InputError(f"expected 1 to {MOST_TRAINED} files to learn from: tick those with labels (step 3)")
        if names == [CSV_FILE] and not self.project.collected():
            raise InputError("there are no labelled readings to learn from yet: collect some first (step 2)")
        paths = [self.tables.path(each) for each in names]
        request = {
            **wanted,
            "files": [str(path) for path in paths],
            "features": str(self.project.features) if self.project.features else None,
            "channels": self._collecting.channels(),
            "recipe": recipe,
        }
        self._jobs.start("train", "dibble_tools.studio.train_job", request, lambda result: self._show_models())

    def _train_sounds(self, request: dict[str, Any]) -> None:
        asked = {**self._wanted(request), **self.clips.learned_from()}
        self._jobs.start("train_sounds", "dibble_tools.studio.train_job", asked, lambda result: self._show_models())

    def _wanted(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return what every training is told of the model that it makes."""
        name = _text(request, "name")
        if not MODEL_NAME.fullmatch(name):
            raise InputError(f"expected a name of at most 32 letters, digits, - and _, got {name!r}")
        return {
            "name": name,
            "folder": str(self.project.folder_of(name)),
            "budget_s": _number(request, "budget_s", 1, MOST_BUDGET_S),
            "max_bytes": _number(request, "max_bytes", LEAST_BYTES, MOST_BYTES),
        }

    def _make_project(self, request: dict[str, Any]) -> None:
        if self._jobs.running or self._collecting.is_on:
            raise InputError("expected nothing at work while another project is opened: pause, or wait until it ends")
        self.project.open(self._setup.make(request))
        self._show_project()

    def _set_sensors(self, request: dict[str, Any]) -> None:
        self.project.check_made()
        self._setup.change(request)

    def _label_rows(self, request: dict[str, Any]) -> None:
        label = _text(request, "label")
        if label:
            check_label(label)
        self._check_paused()
        self.tables.label(_text(request, "file"), *_span(request), label)
        self._show_files()

    def _delete_rows(self, request: dict[str, Any]) -> None:
        self._check_paused()
        self.tables.delete(_text(request, "file"), *_span(request))
        self._show_files()

    def _undo_rows(self, request: dict[str, Any]) -> None:
        self._check_paused()
        self.tables.undo(_text(request, "file"))
        self._show_files()

    def _check_paused(self) -> None:
        if self._collecting.is_on:
            raise InputError("expected a file that nothing is written to, but readings are collected: pause first")

    def _fetch(self, request: dict[str, Any]) -> None:
        models = [str(self.project.folder_of(model["name"])) for model in self.project.models()]
        asked = {"out": str(self.project.folder / LOG), "models": models}
        self._lend("fetch", "dibble_tools.studio.fetch_job", "its log comes home", asked, self._show_files)

    def _record(self, request: dict[str, Any]) -> None:
        self.project.check_made()
        label = check_sound(_text(request, "label"))
        if label == SKIP:
            raise InputError(f"expected a sound's name, got {SKIP!r}, under which nothing is written")
        asked = {
            "folder": str(self.clips.folder),
            "label": label,
            "speaker": _text(request, "speaker") or "me",
            "take_s": _number(request, "take_ms", LEAST_TAKE_MS, MOST_TAKE_MS) / 1000,
            "count": _number(request, "count", 1, MOST_TAKES),
            "at_once": request.get("at_once") is True,
        }
        look = self.clips.look
        self._lend("record", "dibble_tools.studio.record_job", "a sound is recorded", asked, look, look)

    def _rollback(self, request: dict[str, Any]) -> None:
        nothing = {"model": None, "config": None, "restart": False, "rollback": True}
        self._work_on_board("rollback", "it goes back to the model of before", nothing)

    def _measure(self, request: dict[str, Any]) -> None:
        self.project.check_made()
        end = _text(request, "end")
        if end not in ENDS:
            raise InputError(f"end: expected {', '.join(ENDS)}, got {end!r}")
        if self._virtual:
            raise InputError("expected a real board: a virtual one's sensors are simulated, not to be measured")
        asked = {"config": str(self.project.config), "end": end, "sensor": _text(request, "sensor") or None}
        self._lend("measure", "dibble_tools.studio.retune_job", "a sensor is measured", asked, self._setup.look)

    def _margin(self, request: dict[str, Any]) -> None:
        self.project.check_made()
        config = Config(self.project.config)
        set_margin(config, _number(request, "margin", 0, MOST_MARGIN))
        if config.difference():
            config.save()
        self._setup.look()

    def _open_node(self, request: dict[str, Any]) -> None:
        name = f"fleet/{_text(request, 'node')}"
        self._fleet_place()
        self.nodes.version(name)
        if name not in self.tables.opened:
            self.tables.opened = [*self.tables.opened[1 - MOST_OPENED :], name]
        self._show_files()

    def _take_labelled(self, request: dict[str, Any]) -> None:
        self._fleet_place()
        self.project.check_made()
        self.state.put(fleet={**self.state.get("fleet"), "written": self.nodes.write_labelled(self.project.folder)})
        self._show_files()

    def _update_nodes(self, request: dict[str, Any]) -> None:
        place = self._fleet_place()
        name = _text(request, "model")
        if not place.broker:
            raise InputError("expected the fleet's broker: start the studio with --broker HOST")
        rely, words = self.project.verdict(name)
        if not rely and request.get("anyway") is not True:
            raise InputError(f"{words} To bring it to the nodes all the same, tick the box that says so")
        asked = {
            **asdict(place),
            "model": str(self.project.model(name)),
            "nodes": _text(request, "nodes") or "*",
            "canary": _number(request, "canary", 1, MOST_NODES),
            "then": _text(request, "then") or "10%",
            "patience_s": 3600 * _number(request, "patience_h", 1, 168),
        }
        self._jobs.start("update", "dibble_tools.studio.fleet_job", asked)

    def _fleet_place(self) -> FleetPlace:
        if self._fleet is None:
            raise InputError("expected a fleet: start the studio with --fleet fleet.db")
        return self._fleet

    def _lend(
        self,
        kind: str,
        module: str,
        words: str,
        request: dict[str, Any],
        after: Callable[[], object],
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        """Do a job at the board that changes nothing on it."""

        def ended(result: dict[str, Any] | None) -> None:
            after()
            self.board.take_back()

        port = self.board.lend(words)
        try:
            self._jobs.start(kind, module, {"port": port, **request}, ended, meanwhile)
        except BaseException:
            self.board.take_back()
            raise

    def _show_project(self) -> None:
        self.state.put(project=self.project.folder.name)
        self._setup.look()
        self._collecting.look()
        self._show_files()
        self._show_models()

    def _look(self) -> None:
        """Show what commands, or people, have put into the folder meanwhile."""
        self._show_files()
        self._show_models()

    def _show_files(self) -> None:
        if not self._collecting.is_on:
            self._collecting.look()
        self.state.put(files=self.tables.described())
        self.clips.look()

    def _show_models(self) -> None:
        models = self.project.models()
        self.state.put(models=models)
        folders = [self.project.folder_of(model["name"]) for model in models]
        deployed = [self._deployed] if self._deployed else []
        self._listener.follow([*deployed, *(folder for folder in folders if folder not in deployed)][:MOST_FOLLOWED])


def _span(request: dict[str, Any]) -> tuple[int, int]:
    return _number(request, "first", 0, MOST_ROWS), _number(request, "last", 0, MOST_ROWS)


def _text(request: dict[str, Any], key: str) -> str:
    value = request.get(key, "")
    if not isinstance(value, str):
        raise InputError(f"{key}: expected text, got {value!r}")
    return value.strip()


def _number(request: dict[str, Any], key: str, low: int, high: int) -> int:
    value = request.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{key}: expected a number from {low} to {high}, got {value!r}")
    return value
